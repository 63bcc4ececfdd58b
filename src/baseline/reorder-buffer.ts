/** What can be put back into order. */
type Timed = { readonly event: { readonly ts: number } };
type Late<T> = { readonly item: T; readonly ts: number; readonly arrival: number };

function before<T>(a: Late<T>, b: Late<T>): boolean {
  return a.ts < b.ts || (a.ts === b.ts && a.arrival < b.arrival);
}

/** The line is made anew when half of it, and at least so many, have left. */
const leftMin = 4096;

/**
 * Un-keyed sources spread one identity's calls over partitions; this puts them back into the order of their event times, equal times in
 * the order of arrival: so an identity's own order never depends on what others do.
 * An event leaves when one that is `windowMs` newer has been seen, when a tick of the log says so, or when the buffer is full.
 *
 * What comes in order stands in line. What is older than the end of the line goes into a binary heap, and leaves before what it was older than: so of
 * two of the same time the one in line came first.
 */
export class ReorderBuffer<T extends Timed> {
  readonly windowMs: number;
  readonly limit: number;
  newest = Number.NEGATIVE_INFINITY;
  #line: (T | undefined)[] = [];
  /** Where the line begins. */
  #first = 0;
  readonly #heap: Late<T>[] = [];
  #arrivals = 0;

  constructor(windowMs: number, limit: number) {
    this.windowMs = windowMs;
    this.limit = limit;
  }

  get size(): number {
    return this.#line.length - this.#first + this.#heap.length;
  }

  push(item: T): void {
    const { ts } = item.event;
    if (ts > this.newest) this.newest = ts;
    const line = this.#line;
    if (this.#first === line.length || ts >= line[line.length - 1]!.event.ts) line.push(item);
    else this.#pushLate({ item, ts, arrival: this.#arrivals++ });
  }

  #pushLate(entry: Late<T>): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(entry);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = entry;
  }

  /** The next event whose turn has come, or undefined. */
  take(): T | undefined {
    if (this.size === 0) return undefined;
    const ts = this.#isLateNext() ? this.#heap[0]!.ts : this.#line[this.#first]!.event.ts;
    if (ts > this.newest - this.windowMs && this.size <= this.limit) return undefined;
    return this.flush();
  }

  /** Nothing older than `ts` is expected any more. */
  advance(ts: number): void {
    if (ts + this.windowMs > this.newest) this.newest = ts + this.windowMs;
  }

  /** The next event, whether or not its turn has come. */
  flush(): T | undefined {
    if (this.size === 0) return undefined;
    return this.#isLateNext() ? this.#popLate() : this.#popLine();
  }

  /** Everything that waits, in order, without letting it go. */
  waiting(): T[] {
    const late = [...this.#heap].sort((a, b) => (before(a, b) ? -1 : 1)).map(({ item }) => item);
    return [...(this.#line.slice(this.#first) as T[]), ...late].sort((a, b) => a.event.ts - b.event.ts);
  }

  #isLateNext(): boolean {
    const late = this.#heap[0];
    return late !== undefined && late.ts < (this.#line[this.#first]?.event.ts ?? Number.POSITIVE_INFINITY);
  }

  #popLine(): T {
    const item = this.#line[this.#first]!;
    // It must not outlive its turn: whatever is young is soon collected.
    this.#line[this.#first++] = undefined;
    if (this.#first >= leftMin && this.#first * 2 >= this.#line.length) {
      this.#line = this.#line.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }

  #popLate(): T {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first.item;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
    return first.item;
  }
}
