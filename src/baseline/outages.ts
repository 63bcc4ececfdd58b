/** Callers that are looked at: those with the lowest hashes, a fair sample of all (bottom-k sketch: Cohen and Kaplan, PODC 2007). */
const sampleMax = 64;
/** Parts of the API that are looked at; those that come later in a window are not known to fail. */
const partsMax = 1 << 12;
/** What goes wrong is told by this window and the one before. */
const windowMs = 600_000;
/** Callers that what is expected anyway weighs against the sample: one or two may be the reason of what happens to them. */
const strength = 8;

/** Hash of a caller, and whether a call of it failed; those with higher hashes than `most` are not of the sample. */
type Sample = { readonly callers: Map<number, boolean>; most: number };
/** By part of the API. */
type Window = Map<number, Sample>;

/**
 * Which parts of the API fail whoever calls them: the share of their callers who had a 5xx answer of late. An outage is nobody's deed. It counts callers and
 * not calls, so nobody excuses himself by failing often. Reads see the state as of the last `advance`.
 */
export class Outages {
  #before: Window = new Map();
  #now: Window = new Map();
  #pending: Window = new Map();
  #window = -1;

  get bytes(): number {
    return (this.#before.size + this.#now.size + this.#pending.size) * (sampleMax * 40 + 200);
  }

  /** Share of the part's callers, without this one, who were failed; `expected` where nobody is known. */
  share(part: number, caller: number, expected: number): number {
    let failed = 0;
    let callers = 0;
    for (const window of [this.#before, this.#now])
      for (const [other, hasFailed] of window.get(part)?.callers ?? []) {
        if (other === caller) continue;
        callers++;
        if (hasFailed) failed++;
      }
    return (failed + strength * expected) / (callers + strength);
  }

  add(part: number, caller: number, hasFailed: boolean): void {
    const sample = sampleOf(this.#pending, part);
    if (sample !== undefined) note(sample, caller, hasFailed);
  }

  advance(ts: number): void {
    const window = Math.floor(ts / windowMs);
    for (const [part, pending] of [...this.#pending].sort(([a], [b]) => a - b)) {
      const sample = sampleOf(this.#now, part);
      if (sample === undefined) continue;
      for (const [caller, hasFailed] of pending.callers) note(sample, caller, hasFailed);
      prune(sample);
    }
    this.#pending.clear();
    if (window <= this.#window) return;
    if (this.#window >= 0) {
      this.#before = window === this.#window + 1 ? this.#now : new Map();
      this.#now = new Map();
    }
    this.#window = window;
  }

  snapshot() {
    const plain = (window: Window) => [...window].map(([part, { callers }]) => [part, [...callers]] as const);
    return { windows: [this.#before, this.#now, this.#pending].map(plain), window: this.#window };
  }

  restore({ windows, window }: ReturnType<Outages['snapshot']>): void {
    const [before, now, pending] = windows.map(
      (each) =>
        new Map(each.map(([part, callers]) => [part, { callers: new Map(callers), most: Number.POSITIVE_INFINITY }])),
    );
    this.#before = before!;
    this.#now = now!;
    this.#pending = pending!;
    this.#window = window;
  }
}

function sampleOf(window: Window, part: number): Sample | undefined {
  const known = window.get(part);
  if (known !== undefined || window.size >= partsMax) return known;
  const made: Sample = { callers: new Map(), most: Number.POSITIVE_INFINITY };
  window.set(part, made);
  return made;
}

/** Adds a caller to the sample; of twice too many those with the highest hashes go, whoever came first. */
function note(sample: Sample, caller: number, hasFailed: boolean): void {
  const { callers, most } = sample;
  if (caller > most) return;
  if (hasFailed || !callers.has(caller)) callers.set(caller, hasFailed);
  if (callers.size >= 2 * sampleMax) prune(sample);
}

function prune(sample: Sample): void {
  const { callers } = sample;
  if (callers.size <= sampleMax) return;
  sample.most = [...callers.keys()].sort((a, b) => a - b)[sampleMax - 1]!;
  for (const caller of callers.keys()) if (caller > sample.most) callers.delete(caller);
}
