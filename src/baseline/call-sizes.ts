/** Functions whose sizes are kept, calls that went well and others apart; those that come later are measured as all calls are. */
const keysMax = 1 << 14;
/** Calls that all calls' sizes weigh against a function's own, and that ignorance weighs against all calls'. */
const strength = 8;
/** A function's calls that are remembered: a release that makes its answers larger is learned within as many. */
const memory = 2000;
const halfLifeDays = 30;
/** Where nobody has been seen yet: about a kilobyte, give or take a factor of 7. */
const ignorance = { mean: 0.7, square: 0.7 * 0.7 + 4 };
/** Nothing is so regular that less than a factor of 1.6 would mean anything. */
const varianceMin = 0.25;
/** Calls, and the sum and the sum of squares of their logarithms. */
const words = 3;
/** Stands for all functions. */
const allCalls = 0;

/** Of ln(1 + KiB). */
export type Size = { mean: number; deviation: number };

/** How large calls of each function are, whoever makes them. Reads see the state as of the last `advance`. */
export class CallSizes {
  readonly #sums = new Map<number, Float64Array>();
  readonly #pending = new Map<number, Float64Array>();
  readonly #all: Size = { mean: 0, deviation: 1 };
  readonly #own: Size = { mean: 0, deviation: 1 };
  #day = -1;

  get bytes(): number {
    return (this.#sums.size + this.#pending.size) * (words * 8 + 150);
  }

  /** Of all calls. Reused by the next question. */
  get all(): Size {
    return fit(this.#sums.get(allCalls), ignorance, this.#all);
  }

  /** Of calls with the key (`sizeKey`), shrunk towards all calls'. Reused by the next question. */
  of(key: number): Size {
    const { all } = this;
    const own = this.#sums.get(key);
    if (own === undefined) return all;
    return fit(own, { mean: all.mean, square: all.mean * all.mean + all.deviation * all.deviation }, this.#own);
  }

  /** `logarithm`: ln(1 + KiB). Multiples of 1/1024: sums within a frame are then exact in whatever order they are made. */
  add(key: number, of: { readonly logarithm: number; readonly weight: number }): void {
    const weight = Math.round(of.weight * 1024) / 1024;
    const x = Math.round(of.logarithm * 1024) / 1024;
    for (const each of [key, allCalls]) {
      const sums = sumsOf(this.#pending, each);
      sums[0]! += weight;
      sums[1]! += weight * x;
      sums[2]! += weight * x * x;
    }
  }

  advance(ts: number): void {
    // In the order of keys: which functions still find room must not depend on who called first.
    for (const [key, more] of [...this.#pending].sort(([a], [b]) => a - b)) {
      if (!this.#sums.has(key) && this.#sums.size >= keysMax) continue;
      const sums = sumsOf(this.#sums, key);
      const keep = key === allCalls ? 1 : Math.min(1, memory / (sums[0]! + more[0]!));
      for (let i = 0; i < words; i++) sums[i] = (sums[i]! + more[i]!) * keep;
    }
    this.#pending.clear();
    const day = Math.floor(ts / 86_400_000);
    if (this.#day >= 0 && day > this.#day) this.#decay(2 ** (-(day - this.#day) / halfLifeDays));
    if (day > this.#day) this.#day = day;
  }

  #decay(factor: number): void {
    for (const [key, sums] of this.#sums) {
      for (let i = 0; i < words; i++) sums[i]! *= factor;
      if (sums[0]! < 0.5) this.#sums.delete(key);
    }
  }

  snapshot() {
    return { sums: [...this.#sums], pending: [...this.#pending], day: this.#day };
  }

  restore(saved: ReturnType<CallSizes['snapshot']>): void {
    this.#sums.clear();
    this.#pending.clear();
    for (const [key, sums] of saved.sums) this.#sums.set(key, sums.slice());
    for (const [key, sums] of saved.pending) this.#pending.set(key, sums.slice());
    this.#day = saved.day;
  }
}

/** What a call is compared with: those of its function that went as well. */
export function sizeKey(fn: number, isSuccess: boolean): number {
  return (isSuccess ? fn : Math.imul(fn ^ 0x2c1b3c6d, 0x9e3779b1) >>> 0) || 1;
}

function sumsOf(all: Map<number, Float64Array>, key: number): Float64Array {
  const known = all.get(key);
  if (known !== undefined) return known;
  const made = new Float64Array(words);
  all.set(key, made);
  return made;
}

/** `wider` counts as `strength` calls. */
function fit(
  sums: Float64Array | undefined,
  wider: { readonly mean: number; readonly square: number },
  into: Size,
): Size {
  const calls = (sums?.[0] ?? 0) + strength;
  into.mean = ((sums?.[1] ?? 0) + strength * wider.mean) / calls;
  const square = ((sums?.[2] ?? 0) + strength * wider.square) / calls;
  into.deviation = Math.sqrt(Math.max(varianceMin, square - into.mean * into.mean));
  return into;
}
