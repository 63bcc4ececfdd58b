import type { ColdRows } from './cold-rows.ts';
import { RowPacker, unpackRows } from './packed-rows.ts';
import { at, rowWords } from './row-layout.ts';

/** Table entries per row: a third of them stay empty, so that a search ends after one or two looks. */
const tableFactor = 1.5;
/** Room doubles: what nobody has written to yet takes no memory, for the system gives zeroed pages out at the first touch. */
const growth = 2;

/**
 * Fixed-size rows in one ArrayBuffer, found through an open-addressing table by the 64-bit hash of the identity key.
 * At the limit the coldest of a few looked-at rows makes room: it moves to the cold rows, from which it comes back when its identity returns,
 * or is forgotten where there are none. `evicted` counts them.
 */
export class RowSlab {
  readonly limit: number;
  readonly words: number;
  size = 0;
  evicted = 0;
  f32!: Float32Array;
  u32!: Uint32Array;
  f64!: Float64Array;
  u8!: Uint8Array;
  #table = new Int32Array(0);
  #mask = 0;
  #hand = 0;
  #dirty = new Uint8Array(0);
  readonly #cold: ColdRows | null;
  /** Rows that moved out with changes that no checkpoint has yet. */
  #coldDirty: Buffer[] = [];

  /** `words` per row; the first four are the key and the newest event's time, as in `row-layout.ts`. */
  constructor(limit: number, cold: ColdRows | null = null, words: number = rowWords) {
    this.limit = limit;
    this.words = words;
    this.#cold = cold;
    this.#allocate(Math.min(limit, 1024));
  }

  /** Bytes held by rows and table; the room that rows may grow into is not held yet. */
  get bytes(): number {
    return this.size * this.words * 4 + this.#table.byteLength;
  }

  /** Word offset of the identity's row, or -1. */
  find(high: number, low: number): number {
    let slot = (low ^ (high >>> 7)) & this.#mask;
    for (;;) {
      const entry = this.#table[slot]!;
      if (entry === 0) return -1;
      const row = (entry - 1) * this.words;
      if (this.u32[row + at.keyLow] === low && this.u32[row + at.keyHigh] === high) return row;
      slot = (slot + 1) & this.#mask;
    }
  }

  /** Word offset of a row for an identity that `find` did not find: its own that was cold, else a zeroed one. Other rows stay where they are. */
  create(high: number, low: number): number {
    let index = this.size;
    if (this.size >= this.limit) index = this.#evict();
    else this.#grow();
    const row = index * this.words;
    const back = this.#cold?.take(high, low);
    if (back === undefined) this.u32.fill(0, row, row + this.words);
    else this.u8.set(back, row * 4);
    this.u32[row + at.keyHigh] = high;
    this.u32[row + at.keyLow] = low;
    this.#insert(index);
    this.#dirty[index] = 1;
    return row;
  }

  /** Word offset of the identity's row wherever it is, or -1 when nothing is known of it. */
  recall(high: number, low: number): number {
    const row = this.find(high, low);
    const cold = row < 0 ? this.#cold?.take(high, low) : undefined;
    if (cold === undefined) return row;
    this.#cold?.put(high, low, cold);
    return this.create(high, low);
  }

  markDirty(row: number): void {
    this.#dirty[row / this.words] = 1;
  }

  /**
   * Copies of rows (`packed-rows.ts`), at most `rowsPerPart` in a part: those changed since the last call, or all.
   * Nothing is dirty afterwards. Indices travel too, so that a restored slab evicts the same rows as the one it replaces.
   */
  take(which: 'dirty' | 'all', rowsPerPart: number): Buffer[] {
    const packer = new RowPacker(this.words, rowsPerPart);
    for (let index = 0; index < this.size; index++)
      if (which === 'all' || this.#dirty[index] === 1) packer.add(this.u32, index);
    this.#dirty.fill(0);
    return packer.take();
  }

  /** Cold rows for a checkpoint, packed: those that moved out changed since the last call, or all. Before `take`. */
  takeCold(which: 'dirty' | 'all', rowsPerPart: number): Buffer[] {
    const rows = which === 'all' ? (this.#cold?.all() ?? []) : this.#coldDirty;
    this.#coldDirty = [];
    const parts: Buffer[] = [];
    let part: Buffer[] = [];
    for (const row of rows) {
      part.push(row);
      if (part.length < rowsPerPart) continue;
      parts.push(Buffer.concat(part));
      part = [];
    }
    if (part.length > 0) parts.push(Buffer.concat(part));
    return parts;
  }

  putCold(part: Buffer): void {
    for (let offset = 0; offset + this.words * 4 <= part.length; offset += this.words * 4) {
      const row = part.subarray(offset, offset + this.words * 4);
      const high = row.readUInt32LE(at.keyHigh * 4);
      const low = row.readUInt32LE(at.keyLow * 4);
      const before = this.find(high, low);
      if (before >= 0) this.#remove(before / this.words);
      this.#cold?.put(high, low, row);
    }
  }

  /** Puts packed rows back at their indices. A row that stood there had been moved out, unless it stands elsewhere by now. */
  put(part: Buffer): void {
    for (const { index, row } of unpackRows(part, this.words)) {
      const high = row[at.keyHigh]!;
      const low = row[at.keyLow]!;
      if (index >= this.limit) {
        this.#cold?.put(high, low, Buffer.from(row.slice().buffer));
        continue;
      }
      const before = this.find(high, low);
      if (before >= 0) this.#remove(before / this.words);
      this.#cold?.take(high, low);
      if (index < this.size && this.#isLive(index)) this.#moveOut(index);
      while (index >= this.size) this.#grow();
      this.u32.set(row, index * this.words);
      this.#insert(index);
    }
  }

  /** Makes room for as many rows as are to come. */
  clear(rows = 0): void {
    this.size = 0;
    this.#hand = 0;
    this.#table.fill(0);
    this.#dirty.fill(0);
    this.#cold?.clear();
    this.#coldDirty = [];
    if (rows * this.words > this.u32.length) this.#allocate(Math.min(this.limit, rows));
  }

  /** Where the next eviction looks first. */
  get hand(): number {
    return this.#hand;
  }

  set hand(index: number) {
    this.#hand = index;
  }

  #grow(): void {
    if ((this.size + 1) * this.words > this.u32.length)
      this.#allocate(Math.min(this.limit, Math.ceil(this.size * growth)));
    this.size++;
  }

  #allocate(rows: number): void {
    const buffer = new ArrayBuffer(Math.max(rows, 1) * this.words * 4);
    const u32 = new Uint32Array(buffer);
    if (this.u32) u32.set(this.u32.subarray(0, this.size * this.words));
    this.u32 = u32;
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.u8 = new Uint8Array(buffer);
    const dirty = new Uint8Array(rows);
    dirty.set(this.#dirty);
    this.#dirty = dirty;
    let entries = 2048;
    while (entries < rows * tableFactor) entries *= 2;
    if (entries === this.#table.length) return;
    this.#table = new Int32Array(entries);
    this.#mask = entries - 1;
    for (let i = 0; i < this.size; i++) this.#insert(i);
  }

  #insert(index: number): void {
    const row = index * this.words;
    let slot = (this.u32[row + at.keyLow]! ^ (this.u32[row + at.keyHigh]! >>> 7)) & this.#mask;
    while (this.#table[slot] !== 0) slot = (slot + 1) & this.#mask;
    this.#table[slot] = index + 1;
  }

  /** Second chance without bits: of eight rows under the hand, the one not seen for the longest goes. */
  #evict(): number {
    let coldest = -1;
    let oldest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 8; i++) {
      const index = this.#hand;
      this.#hand = (this.#hand + 1) % this.size;
      const seen = this.f64[(index * this.words + at.lastTs) / 2]!;
      if (seen < oldest) {
        oldest = seen;
        coldest = index;
      }
    }
    this.evicted++;
    if (this.#cold !== null && this.#dirty[coldest] === 1) this.#coldDirty.push(this.#copy(coldest));
    this.#moveOut(coldest);
    return coldest;
  }

  #moveOut(index: number): void {
    const row = index * this.words;
    this.#cold?.put(this.u32[row + at.keyHigh]!, this.u32[row + at.keyLow]!, this.#copy(index));
    this.#remove(index);
  }

  #copy(index: number): Buffer {
    return Buffer.from(this.u8.subarray(index * this.words * 4, (index + 1) * this.words * 4));
  }

  /** Whether the identity whose row stands there is found there. */
  #isLive(index: number): boolean {
    const row = index * this.words;
    return this.find(this.u32[row + at.keyHigh]!, this.u32[row + at.keyLow]!) === row;
  }

  /** Deletion by shifting back, so that searches never meet tombstones. */
  #remove(index: number): void {
    const home = (i: number): number => {
      const row = i * this.words;
      return (this.u32[row + at.keyLow]! ^ (this.u32[row + at.keyHigh]! >>> 7)) & this.#mask;
    };
    let hole = home(index);
    while (this.#table[hole] !== index + 1) {
      if (this.#table[hole] === 0) return;
      hole = (hole + 1) & this.#mask;
    }
    for (let slot = (hole + 1) & this.#mask; this.#table[slot] !== 0; slot = (slot + 1) & this.#mask) {
      const from = home(this.#table[slot]! - 1);
      const between = hole <= slot ? from > hole && from <= slot : from > hole || from <= slot;
      if (between) continue;
      this.#table[hole] = this.#table[slot]!;
      hole = slot;
    }
    this.#table[hole] = 0;
  }
}
