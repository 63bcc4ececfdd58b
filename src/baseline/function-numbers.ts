import { KeyMap } from './key-map.ts';
import { knownShare } from './statistics.ts';

/** Functions whose numbers are kept, calls that went well and others apart; those that come later are measured as all calls are. */
const keysMax = 1 << 14;
/** Calls that all calls' numbers weigh against a function's own, and that ignorance weighs against all calls'. */
const strength = 8;
/** A function's calls that are remembered: a release that makes its answers larger is learned within as many. */
const memory = 2000;
const halfLifeDays = 30;
/** Nothing is so regular that less than a factor of 1.6 would mean anything: numbers are logarithms. */
const varianceMin = 0.25;

export type Usual = { readonly mean: number; readonly deviation: number };
/** Calls, the sum and the sum of squares of their numbers; and what follows from them, as of the last `advance` in which there were any. */
type Sums = { calls: number; sum: number; squares: number; mean: number; deviation: number };

/** What one number of calls comes to by their function, whoever makes them: the size of the answer, the gap before it. Reads see the state as of the last `advance`. */
export class FunctionNumbers {
  readonly #ignorance: Usual;
  #all: Sums;
  #pendingAll: Sums = nothing();
  readonly #sums = new KeyMap<Sums>();
  readonly #pending = new KeyMap<Sums>();
  #day = -1;

  /** `ignorance`: what is assumed where nobody has been seen yet. */
  constructor(ignorance: Usual) {
    this.#ignorance = ignorance;
    this.#all = { ...nothing(), ...ignorance };
  }

  get bytes(): number {
    return (this.#sums.size + this.#pending.size) * 200;
  }

  /** Of all calls. */
  get all(): Usual {
    return this.#all;
  }

  /** Of calls with the key (`functionKey`), shrunk towards all calls'. */
  of(key: number): Usual {
    return this.#sums.get(key) ?? this.#all;
  }

  /** How much of that is the function's own, 0 to 1. */
  known(key: number): number {
    return knownShare(this.#sums.get(key)?.calls ?? 0, strength);
  }

  /** In multiples of 1/1024: sums within a frame are then exact in whatever order they are made. */
  add(key: number, of: { readonly number: number; readonly weight: number }): void {
    const calls = Math.round(of.weight * 1024) / 1024;
    const x = Math.round(of.number * 1024) / 1024;
    const more = { calls, sum: calls * x, squares: calls * x * x };
    join(this.#pendingAll, more);
    join(sumsOf(this.#pending, key), more);
  }

  advance(ts: number): void {
    if (this.#pending.size > 0) this.#learn();
    const day = Math.floor(ts / 86_400_000);
    if (this.#day >= 0 && day > this.#day) this.#decay(2 ** (-(day - this.#day) / halfLifeDays));
    if (day > this.#day) this.#day = day;
  }

  #learn(): void {
    join(this.#all, this.#pendingAll);
    fit(this.#all, this.#ignorance);
    this.#pendingAll = nothing();
    // In the order of keys: which functions still find room must not depend on who called first.
    for (const [key, more] of this.#pending.entries().sort(([a], [b]) => a - b)) {
      if (this.#sums.size >= keysMax && this.#sums.get(key) === undefined) continue;
      const sums = sumsOf(this.#sums, key);
      join(sums, more);
      scale(sums, Math.min(1, memory / sums.calls));
      fit(sums, this.#all);
    }
    this.#pending.clear();
  }

  #decay(factor: number): void {
    scale(this.#all, factor);
    this.#sums.keep((sums) => {
      scale(sums, factor);
      return sums.calls >= 0.5;
    });
  }

  snapshot() {
    const plain = (all: KeyMap<Sums>) => all.entries().map(([key, sums]) => [key, { ...sums }] as const);
    return {
      all: { ...this.#all },
      pendingAll: { ...this.#pendingAll },
      sums: plain(this.#sums),
      pending: plain(this.#pending),
      day: this.#day,
    };
  }

  restore(saved: ReturnType<FunctionNumbers['snapshot']>): void {
    this.#all = { ...saved.all };
    this.#pendingAll = { ...saved.pendingAll };
    this.#sums.clear();
    this.#pending.clear();
    for (const [key, sums] of saved.sums) this.#sums.add(key, { ...sums });
    for (const [key, sums] of saved.pending) this.#pending.add(key, { ...sums });
    this.#day = saved.day;
  }
}

/** What a call is compared with: those of its function that went as well. Never 0. */
export function functionKey(fn: number, isSuccess: boolean): number {
  return isSuccess ? fn : Math.imul(fn ^ 0x2c1b3c6d, 0x9e3779b1) >>> 0 || 1;
}

function nothing(): Sums {
  return { calls: 0, sum: 0, squares: 0, mean: 0, deviation: 1 };
}

function sumsOf(all: KeyMap<Sums>, key: number): Sums {
  const known = all.get(key);
  if (known !== undefined) return known;
  const made = nothing();
  all.add(key, made);
  return made;
}

function join(sums: Sums, { calls, sum, squares }: Pick<Sums, 'calls' | 'sum' | 'squares'>): void {
  sums.calls += calls;
  sums.sum += sum;
  sums.squares += squares;
}

function scale(sums: Sums, factor: number): void {
  sums.calls *= factor;
  sums.sum *= factor;
  sums.squares *= factor;
}

/** `wider` counts as `strength` calls, and how far it is from the function's own mean is part of what is not known. */
function fit(into: Sums, { mean, deviation }: Usual): void {
  const calls = into.calls + strength;
  into.mean = (into.sum + strength * mean) / calls;
  const square = (into.squares + strength * (mean * mean + deviation * deviation)) / calls;
  into.deviation = Math.sqrt(Math.max(varianceMin, square - into.mean * into.mean));
}
