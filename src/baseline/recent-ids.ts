import { hash64 } from '../core/hash.ts';

/** The event ids of the last half to whole `window` events, as 64-bit hashes in two generations: the older one is dropped as a whole. */
export class RecentIds {
  readonly #half: number;
  readonly #mask: number;
  #young: Uint32Array;
  #old: Uint32Array;
  #count = 0;
  /** Hashes added since the last `take`, in order. */
  #fresh: number[] = [];

  constructor(window: number) {
    this.#half = Math.max(1, Math.ceil(window / 2));
    let slots = 16;
    while (slots < this.#half * 2) slots *= 2;
    this.#mask = slots - 1;
    this.#young = new Uint32Array(slots * 2);
    this.#old = new Uint32Array(slots * 2);
  }

  get bytes(): number {
    return this.#young.byteLength * 2;
  }

  /** True when the id was there already; otherwise it is now. */
  seen(id: string): boolean {
    const { high, low } = hash64(id);
    const young = this.#find(this.#young, high, low);
    if (young >= 0 || this.#find(this.#old, high, low) >= 0) return true;
    this.#add(high, low, young);
    return false;
  }

  /** What was added since the last call, packed; `all` gives everything that is remembered. */
  take(all: boolean): Buffer {
    const fresh = this.#fresh;
    this.#fresh = [];
    if (!all) return Buffer.from(Uint32Array.from(fresh).buffer);
    const packed = new Uint32Array(this.#old.length + this.#young.length);
    const length = packInto(packed, packInto(packed, 0, this.#old), this.#young);
    return Buffer.from(packed.buffer, 0, length * 4);
  }

  put(packed: Buffer): void {
    for (let i = 0; i + 8 <= packed.length; i += 8) this.#add(packed.readUInt32LE(i), packed.readUInt32LE(i + 4));
    this.#fresh = [];
  }

  clear(): void {
    this.#young.fill(0);
    this.#old.fill(0);
    this.#count = 0;
    this.#fresh = [];
  }

  /** `place`: the complement of its slot among the young, where that is known. */
  #add(high: number, low: number, place?: number): void {
    const isFull = this.#count >= this.#half;
    if (isFull) {
      [this.#young, this.#old] = [this.#old, this.#young];
      this.#young.fill(0);
      this.#count = 0;
    }
    const slot = isFull || place === undefined ? this.#find(this.#young, high, low) : place;
    if (slot >= 0) return;
    this.#young[~slot * 2] = high;
    this.#young[~slot * 2 + 1] = low;
    this.#count++;
    this.#fresh.push(high, low);
  }

  /** Slot of the pair, or the complement of the empty slot where it belongs. */
  #find(table: Uint32Array, high: number, low: number): number {
    let slot = low & this.#mask;
    for (;;) {
      const h = table[slot * 2]!;
      const l = table[slot * 2 + 1]!;
      if (h === 0 && l === 0) return ~slot;
      if (h === high && l === low) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }
}

/** The pairs of a table, without its empty slots, from a place on; the place behind them. */
function packInto(packed: Uint32Array, from: number, table: Uint32Array): number {
  let to = from;
  for (let i = 0; i < table.length; i += 2) {
    if (table[i] === 0 && table[i + 1] === 0) continue;
    packed[to++] = table[i]!;
    packed[to++] = table[i + 1]!;
  }
  return to;
}
