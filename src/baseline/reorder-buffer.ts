/** What can be put back into order. */
type Timed = { readonly event: { readonly ts: number } };
type Waiting<T> = { readonly item: T; readonly ts: number; readonly arrival: number };

function before<T>(a: Waiting<T>, b: Waiting<T>): boolean {
  return a.ts < b.ts || (a.ts === b.ts && a.arrival < b.arrival);
}

/**
 * Un-keyed sources spread one identity's calls over partitions; this puts them back into the order of their event times, equal times in
 * the order of arrival: so an identity's own order never depends on what others do.
 * An event leaves when one that is `windowMs` newer has been seen, when a tick of the log says so, or when the buffer is full.
 * A binary heap: about 15 comparisons for each of 25,000 waiting events.
 */
export class ReorderBuffer<T extends Timed> {
  readonly windowMs: number;
  readonly limit: number;
  newest = Number.NEGATIVE_INFINITY;
  readonly #heap: Waiting<T>[] = [];
  #arrivals = 0;

  constructor(windowMs: number, limit: number) {
    this.windowMs = windowMs;
    this.limit = limit;
  }

  get size(): number {
    return this.#heap.length;
  }

  push(item: T): void {
    const { ts } = item.event;
    if (ts > this.newest) this.newest = ts;
    const heap = this.#heap;
    const entry = { item, ts, arrival: this.#arrivals++ };
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
    const first = this.#heap[0];
    if (first === undefined) return undefined;
    if (first.ts > this.newest - this.windowMs && this.#heap.length <= this.limit) return undefined;
    return this.#pop();
  }

  /** Nothing older than `ts` is expected any more. */
  advance(ts: number): void {
    if (ts + this.windowMs > this.newest) this.newest = ts + this.windowMs;
  }

  /** The next event, whether or not its turn has come. */
  flush(): T | undefined {
    return this.#heap.length === 0 ? undefined : this.#pop();
  }

  /** Everything that waits, in order, without letting it go. */
  waiting(): T[] {
    return [...this.#heap].sort((a, b) => (before(a, b) ? -1 : 1)).map(({ item }) => item);
  }

  #pop(): T {
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
