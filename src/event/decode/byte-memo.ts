/** A stretch of bytes as its reader met it; `hash` is `hashWord` over its words, the last one filled up with zeros. */
export type Stretch = { view: DataView; at: number; length: number; hash: number };

/** Whoever makes texts of equal hash costs himself his places and nobody more than these comparisons. */
const probesMax = 4;
/** Longer texts are seldom seen twice. */
const lengthBits = 10;
const lengthMax = 2 ** lengthBits - 1;
/** A name and a length share 31 bits. */
const namesMax = 2 ** (31 - lengthBits) - 1;

export const hashSeed = 0x2545f491;

/** One more word of four bytes. Collisions can be made; the memo compares all bytes before it believes a hash. */
export function hashWord(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

/** The `count` (0 to 3) first bytes of a word that was read with the lowest byte first. */
export function firstBytes(word: number, count: number): number {
  return word & ((1 << (count << 3)) - 1);
}

/**
 * What has been made of a stretch of bytes under a name, so that the same bytes under the same name need not be looked at again: nearly all
 * texts of an event have been there before. At most `valuesMax` (a power of two) are kept, under 128 bytes each on average; at either limit all
 * are forgotten, for it is only a shortcut. Names are numbers, given out by `newName`.
 */
export class ByteMemo {
  /** Per slot: hash with the name mixed in, length and name, place of the bytes among the words, number of the value (0: free). */
  readonly #slots: Int32Array;
  readonly #words: Int32Array;
  readonly #slotMask: number;
  readonly #values: unknown[] = [undefined];
  #wordsUsed = 0;
  #names = 0;

  constructor(valuesMax: number) {
    this.#slots = new Int32Array(valuesMax * 2 * 4);
    this.#slotMask = valuesMax * 2 - 1;
    this.#words = new Int32Array(valuesMax * 32);
  }

  /** 0 when all are given out. */
  newName(): number {
    return this.#names < namesMax ? ++this.#names : 0;
  }

  /** The number under which `value` gives what is known; 0 when nothing is. */
  find(stretch: Stretch, name: number): number {
    if (stretch.length > lengthMax) return 0;
    const slots = this.#slots;
    const slotMask = this.#slotMask;
    const hash = stretch.hash ^ Math.imul(name, 0x85ebca6b);
    const lengthAndName = (name << lengthBits) | stretch.length;
    for (let probe = 0; probe < probesMax; probe++) {
      const slot = ((hash + probe) & slotMask) << 2;
      const value = slots[slot + 3]!;
      if (value === 0) return 0;
      if (slots[slot] === hash && slots[slot + 1] === lengthAndName && this.#isSame(stretch, slots[slot + 2]!))
        return value;
    }
    return 0;
  }

  value(number: number): unknown {
    return this.#values[number];
  }

  add(stretch: Stretch, name: number, value: unknown): void {
    const { view, at, length } = stretch;
    if (length > lengthMax) return;
    const wholeWords = length >> 2;
    const isFull = this.#values.length * 2 > this.#slotMask || this.#wordsUsed + wholeWords >= this.#words.length;
    if (isFull) this.#clear();
    const place = this.#wordsUsed;
    for (let i = 0; i < wholeWords; i++) this.#words[place + i] = view.getInt32(at + (i << 2), true);
    this.#words[place + wholeWords] = firstBytes(view.getInt32(at + (wholeWords << 2), true), length & 3);
    this.#wordsUsed += wholeWords + 1;
    const hash = stretch.hash ^ Math.imul(name, 0x85ebca6b);
    let probe = 0;
    while (probe < probesMax && this.#slots[(((hash + probe) & this.#slotMask) << 2) + 3] !== 0) probe++;
    const slot = ((hash + (probe % probesMax)) & this.#slotMask) << 2;
    this.#slots[slot] = hash;
    this.#slots[slot + 1] = (name << lengthBits) | length;
    this.#slots[slot + 2] = place;
    this.#slots[slot + 3] = this.#values.push(value) - 1;
  }

  #isSame({ view, at, length }: Stretch, place: number): boolean {
    const words = this.#words;
    const wholeWords = length >> 2;
    for (let i = 0; i < wholeWords; i++) if (words[place + i] !== view.getInt32(at + (i << 2), true)) return false;
    return words[place + wholeWords] === firstBytes(view.getInt32(at + (wholeWords << 2), true), length & 3);
  }

  #clear(): void {
    this.#slots.fill(0);
    this.#values.length = 1;
    this.#wordsUsed = 0;
  }
}

/** What decoders and readers of lines share: at the limit 8 MB of bytes, 2 MB of slots, and the values. */
export const byteMemo = new ByteMemo(65_536);
