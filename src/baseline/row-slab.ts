import { at, rowBytes, rowWords } from './row-layout.ts';

/** Table entries per row: a third of them stay empty, so that a search ends after one or two looks. */
const tableFactor = 1.5;
const packedBytes = rowBytes + 4;

/**
 * Fixed-size rows in one ArrayBuffer, found through an open-addressing table by the 64-bit hash of the identity key.
 * At the limit the coldest of a few looked-at rows is forgotten and its row reused; `evicted` counts them.
 */
export class RowSlab {
  readonly limit: number;
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

  constructor(limit: number) {
    this.limit = limit;
    this.#allocate(Math.min(limit, 1024));
  }

  /** Bytes held by rows and table. */
  get bytes(): number {
    return this.u32.byteLength + this.#table.byteLength;
  }

  /** Word offset of the identity's row, or -1. */
  find(high: number, low: number): number {
    let slot = (low ^ (high >>> 7)) & this.#mask;
    for (;;) {
      const entry = this.#table[slot]!;
      if (entry === 0) return -1;
      const row = (entry - 1) * rowWords;
      if (this.u32[row + at.keyLow] === low && this.u32[row + at.keyHigh] === high) return row;
      slot = (slot + 1) & this.#mask;
    }
  }

  /** Word offset of a new, zeroed row for an identity that `find` did not find. Offsets of other rows stay valid. */
  create(high: number, low: number): number {
    let index = this.size;
    if (this.size >= this.limit) index = this.#evict();
    else {
      if ((this.size + 1) * rowWords > this.u32.length)
        this.#allocate(Math.min(this.limit, Math.ceil(this.size * 1.25)));
      this.size++;
    }
    const row = index * rowWords;
    this.u32.fill(0, row, row + rowWords);
    this.u32[row + at.keyHigh] = high;
    this.u32[row + at.keyLow] = low;
    this.#insert(index);
    return row;
  }

  markDirty(row: number): void {
    this.#dirty[row / rowWords] = 1;
  }

  /**
   * Copies of rows, each behind its index, at most `rowsPerPart` in a part: those changed since the last call, or all.
   * Nothing is dirty afterwards. Indices travel too, so that a restored slab evicts the same rows as the one it replaces.
   */
  take(which: 'dirty' | 'all', rowsPerPart: number): Buffer[] {
    const parts: Buffer[] = [];
    let part: number[] = [];
    for (let index = 0; index < this.size; index++) {
      if (which === 'dirty' && this.#dirty[index] === 0) continue;
      part.push(index);
      if (part.length < rowsPerPart) continue;
      parts.push(this.#pack(part));
      part = [];
    }
    if (part.length > 0) parts.push(this.#pack(part));
    this.#dirty.fill(0);
    return parts;
  }

  /** Puts packed rows back at their indices, over whatever was there. */
  put(part: Buffer): void {
    for (let offset = 0; offset + packedBytes <= part.length; offset += packedBytes) {
      const index = part.readUInt32LE(offset);
      if (index >= this.limit) continue;
      if (index < this.size) this.#remove(index);
      while (index >= this.size) {
        if ((this.size + 1) * rowWords > this.u32.length)
          this.#allocate(Math.min(this.limit, Math.ceil(this.size * 1.25)));
        this.size++;
      }
      this.u8.set(part.subarray(offset + 4, offset + packedBytes), index * rowBytes);
      this.#insert(index);
    }
  }

  clear(): void {
    this.size = 0;
    this.#hand = 0;
    this.#table.fill(0);
    this.#dirty.fill(0);
  }

  /** Where the next eviction looks first. */
  get hand(): number {
    return this.#hand;
  }

  set hand(index: number) {
    this.#hand = index;
  }

  #pack(indices: readonly number[]): Buffer {
    const part = Buffer.allocUnsafe(indices.length * packedBytes);
    indices.forEach((index, i) => {
      part.writeUInt32LE(index, i * packedBytes);
      part.set(this.u8.subarray(index * rowBytes, (index + 1) * rowBytes), i * packedBytes + 4);
    });
    return part;
  }

  #allocate(rows: number): void {
    const buffer = new ArrayBuffer(Math.max(rows, 1) * rowBytes);
    const u32 = new Uint32Array(buffer);
    if (this.u32) u32.set(this.u32);
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
    const row = index * rowWords;
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
      const seen = this.f64[(index * rowWords + at.lastTs) / 2]!;
      if (seen < oldest) {
        oldest = seen;
        coldest = index;
      }
    }
    this.#remove(coldest);
    this.evicted++;
    return coldest;
  }

  /** Deletion by shifting back, so that searches never meet tombstones. */
  #remove(index: number): void {
    const home = (i: number): number => {
      const row = i * rowWords;
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
