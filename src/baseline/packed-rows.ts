/**
 * How rows travel: each as its index in the slab, one bit for each of its words, and those words that are not zero, for most of a row is zeros
 * (nine tenths of the second tier's). All in 32-bit words of the machine, which is little-endian.
 */

/** A part is closed when it has come to this many bytes: with one more row it is still a record that every log takes. */
const partBytesMax = 400_000;

export class RowPacker {
  readonly #words: number;
  readonly #groups: number;
  readonly #rowsPerPart: number;
  readonly #out: Uint32Array;
  readonly #parts: Buffer[] = [];
  #rows = 0;
  #size = 0;

  /** `words` in a row. */
  constructor(words: number, rowsPerPart: number) {
    this.#words = words;
    this.#groups = Math.ceil(words / 32);
    this.#rowsPerPart = rowsPerPart;
    this.#out = new Uint32Array(partBytesMax / 4 + 1 + this.#groups + words);
  }

  /** The slab's row of that index. */
  add(slab: Uint32Array, index: number): void {
    const out = this.#out;
    const start = index * this.#words;
    let bitsAt = this.#size;
    let at = bitsAt + 1 + this.#groups;
    out[bitsAt++] = index;
    for (let first = 0; first < this.#words; first += 32) {
      const count = Math.min(32, this.#words - first);
      let bits = 0;
      for (let i = 0; i < count; i++) {
        const word = slab[start + first + i]!;
        if (word === 0) continue;
        bits |= 1 << i;
        out[at++] = word;
      }
      out[bitsAt++] = bits;
    }
    this.#size = at;
    if (++this.#rows >= this.#rowsPerPart || at * 4 >= partBytesMax) this.#close();
  }

  take(): Buffer[] {
    if (this.#rows > 0) this.#close();
    return this.#parts;
  }

  #close(): void {
    this.#parts.push(Buffer.from(this.#out.slice(0, this.#size).buffer));
    this.#rows = 0;
    this.#size = 0;
  }
}

/** The rows of a part, each with its index; the same object each time, so nothing may keep it. */
export function* unpackRows(
  part: Buffer,
  words: number,
): Iterable<{ readonly index: number; readonly row: Uint32Array }> {
  const packed = new Uint32Array(part.length >> 2);
  // Aligned: what a log gives back begins anywhere.
  Buffer.from(packed.buffer).set(part.subarray(0, packed.byteLength));
  const groups = Math.ceil(words / 32);
  const read = { index: 0, row: new Uint32Array(words) };
  for (let at = 0; at < packed.length; ) {
    read.index = packed[at]!;
    let bitsAt = at + 1;
    at = bitsAt + groups;
    read.row.fill(0);
    for (let first = 0; first < words; first += 32) {
      for (let bits = packed[bitsAt++]!; bits !== 0; bits &= bits - 1) {
        read.row[first + 31 - Math.clz32(bits & -bits)] = packed[at++]!;
      }
    }
    yield read;
  }
}
