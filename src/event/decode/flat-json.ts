import { byteMemo, firstBytes, hashSeed, hashWord, type Stretch } from './byte-memo.ts';

/** Whether the texts under a name come again (then what is made of them is remembered), or hardly ever, or are of no interest. */
export type FlatUse = 'repeating' | 'unique' | 'ignored';

/** One field name that has been met. `tag` is what the owner of the reader makes of a name, once. */
export type FlatKey<T> = {
  readonly name: string;
  readonly tag: T;
  readonly use: FlatUse;
  /** Its number in the memo. */
  readonly number: number;
  /** `"name":` in words of four bytes, the last one filled up with zeros. */
  readonly words: Int32Array;
  readonly length: number;
  seenIn: number;
  /** The name that came behind it in the last record: most likely it does so again. */
  next: FlatKey<T> | undefined;
};

export type FlatOwner<T> = {
  readonly use: (tag: T) => FlatUse;
  /** What becomes the value; a function of name and value alone, because for repeating texts and lists it is asked once. */
  readonly make: (tag: T, value: unknown) => unknown;
};

/** Names remembered; a source with more of them is read by JSON.parse. */
const keysMax = 512;
/** Larger inputs are read by JSON.parse. */
const bytesMax = 4 * 1024 * 1024;
const quote = 34;
const comma = 44;
const closingBracket = 93;
/** Behind the input there are zeros, which end whatever is being read. */
const padding = 8;

/** Ten to the power of the index: with up to 15 digits before it, a quotient by one of these is rounded once, as it must be (Clinger 1990). */
const powersOfTen = Array.from({ length: 16 }, (_, i) => Number(`1e${i}`));

/**
 * The high bit of the lowest byte of the word that may not stand for itself inside a JSON string (quote, backslash, control, not ASCII) is set,
 * and none below it. Four bytes at a time, by the carries of a subtraction (Warren, Hacker's Delight, 6-1).
 */
function specialIn(word: number): number {
  const quotes = word ^ 0x22222222;
  const backslashes = word ^ 0x5c5c5c5c;
  const found = ((quotes - 0x01010101) & ~quotes) | ((backslashes - 0x01010101) & ~backslashes);
  return (found | (word - 0x20202020) | word) & 0x80808080;
}

/** A string from its opening quote on, hashed on the way. The place behind it, or -1. */
function readText(into: Stretch, start: number): number {
  const { view } = into;
  let at = start + 1;
  let hash = hashSeed;
  let word = view.getInt32(at, true);
  let special = specialIn(word);
  while (special === 0) {
    hash = hashWord(hash, word);
    at += 4;
    word = view.getInt32(at, true);
    special = specialIn(word);
  }
  const rest = (31 - Math.clz32(special & -special)) >> 3;
  into.hash = hashWord(hash, firstBytes(word, rest));
  into.at = start + 1;
  into.length = at + rest - start - 1;
  return ((word >>> (rest << 3)) & 255) === quote ? at + rest + 1 : -1;
}

function skipBlanks(bytes: Uint8Array, start: number): number {
  let at = start;
  for (let code = bytes[at]!; code <= 32; code = bytes[++at]!)
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) break;
  return at;
}

function isHere({ words, length }: FlatKey<unknown>, view: DataView, at: number): boolean {
  const last = length >> 2;
  for (let i = 0; i < last; i++) if (words[i] !== view.getInt32(at + (i << 2), true)) return false;
  return words[last] === firstBytes(view.getInt32(at + (last << 2), true), length & 3);
}

function wordsOf(text: string): Int32Array {
  const bytes = Buffer.from(`${text}\0\0\0\0`, 'latin1');
  return Int32Array.from({ length: (text.length >> 2) + 1 }, (_, i) => bytes.readInt32LE(i * 4)).map((word, i) =>
    firstBytesOf(word, text.length - i * 4),
  );
}

function firstBytesOf(word: number, count: number): number {
  return count >= 4 ? word : firstBytes(word, count);
}

/**
 * Reads what nearly all records are: one flat JSON object in ASCII, of strings without escapes, short numbers, true, false, null and lists
 * of strings. It says false to anything else, broken records included, and the caller asks JSON.parse; so it never has to be right
 * about the rest of JSON, and what it does take it takes exactly as JSON.parse would. Quick, because it makes no object, expects the names
 * in the order of the previous record, and makes a text only of what it has not met before. Reused: `keys` and `values` hold for the
 * newest record, up to `size`. Inside, a place of -1 means that this is not for us.
 */
export class FlatJson<T> {
  readonly keys: FlatKey<T>[] = [];
  readonly values: unknown[] = [];
  size = 0;
  readonly #known = new Map<string, FlatKey<T>>();
  readonly #tag: (name: string) => T;
  readonly #owner: FlatOwner<T>;
  #input: Buffer = Buffer.alloc(0);
  #bytes = new Uint8Array(16 * 1024);
  /** The text or list that was read last; `view` is over all bytes. */
  readonly #stretch: Stretch = { view: new DataView(this.#bytes.buffer), at: 0, length: 0, hash: 0 };
  /** First byte and length of the items of the list that was read last. */
  readonly #items: number[] = [];
  #itemCount = 0;
  #first: FlatKey<T> | undefined;
  #start = 0;
  #end = 0;
  /** All of the record, once a part of it is wanted: making one text and cutting it costs as much as making one text of a part. */
  #text: string | undefined;
  #record = 0;
  #number = 0;

  constructor(tag: (name: string) => T, owner: FlatOwner<T> = { use: () => 'unique', make: (_tag, value) => value }) {
    this.#tag = tag;
    this.#owner = owner;
  }

  /** One record. */
  read(bytes: Buffer): boolean {
    return this.load(bytes) && this.readAt(0, bytes.length);
  }

  /** Takes the input over, for `readAt`; false when it is too large. */
  load(input: Buffer): boolean {
    const { length } = input;
    if (length > bytesMax) return false;
    if (length + padding > this.#bytes.length) {
      this.#bytes = new Uint8Array(2 * length + padding);
      this.#stretch.view = new DataView(this.#bytes.buffer);
    }
    this.#bytes.set(input);
    for (let i = length; i < length + padding; i++) this.#bytes[i] = 0;
    this.#input = input;
    return true;
  }

  /** The record that takes all of these bytes of the input. */
  readAt(start: number, end: number): boolean {
    const bytes = this.#bytes;
    this.size = 0;
    this.#start = start;
    this.#end = end;
    this.#text = undefined;
    this.#record++;
    if (bytes[start] !== 123 /* { */) return false;
    let at = skipBlanks(bytes, start + 1);
    if (bytes[at] !== 125 /* } */) at = this.#fields(at);
    if (at < 0) return false;
    at++;
    return at === end || (at < end && skipBlanks(bytes, at) === end);
  }

  /** The place of the closing brace. */
  #fields(start: number): number {
    const bytes = this.#bytes;
    const { view } = this.#stretch;
    let at = start;
    let expected = this.#first;
    let previous: FlatKey<T> | undefined;
    for (;;) {
      let key = expected;
      if (key !== undefined && isHere(key, view, at)) at += key.length;
      else {
        key = this.#keyAt(at);
        at = key === undefined ? -1 : this.#behindColon(at);
        if (key === undefined || at < 0) return -1;
        if (previous === undefined) this.#first = key;
        else previous.next = key;
      }
      if (key.seenIn === this.#record) return -1;
      key.seenIn = this.#record;
      if (bytes[at]! <= 32) at = skipBlanks(bytes, at);
      at = this.#readValue(key, at);
      if (at < 0) return -1;
      if (this.keys[this.size] !== key) this.keys[this.size] = key;
      this.size++;
      if (bytes[at]! <= 32) at = skipBlanks(bytes, at);
      if (bytes[at] !== comma) return bytes[at] === 125 ? at : -1;
      at++;
      if (bytes[at]! <= 32) at = skipBlanks(bytes, at);
      previous = key;
      expected = key.next;
    }
  }

  /** The name that stands there. */
  #keyAt(start: number): FlatKey<T> | undefined {
    const stretch = this.#stretch;
    if (this.#bytes[start] !== quote || readText(stretch, start) < 0) return undefined;
    const name = this.#own(stretch.at, stretch.length);
    let key = this.#known.get(name);
    if (key === undefined && this.#known.size < keysMax) {
      const tag = this.#tag(name);
      const words = wordsOf(`"${name}":`);
      const number = byteMemo.newName();
      const wanted = this.#owner.use(tag);
      const use = wanted === 'repeating' && number === 0 ? 'unique' : wanted;
      key = { name, tag, use, number, words, length: name.length + 3, seenIn: -1, next: undefined };
      this.#known.set(name, key);
    }
    return key;
  }

  /** Behind the colon that follows the name that stands there. */
  #behindColon(start: number): number {
    const at = skipBlanks(this.#bytes, readText(this.#stretch, start));
    return this.#bytes[at] === 58 /* : */ ? at + 1 : -1;
  }

  #readValue(key: FlatKey<T>, start: number): number {
    const code = this.#bytes[start]!;
    let at: number;
    if (code === quote) {
      at = readText(this.#stretch, start);
      if (at >= 0) this.values[this.size] = this.#valueOf(key, false);
    } else if (code === 91 /* [ */) {
      at = this.#readList(start);
      if (at >= 0) this.values[this.size] = this.#valueOf(key, true);
    } else if (code === 45 /* - */ || (code >= 48 && code <= 57)) {
      at = this.#readNumber(start);
      if (at >= 0 && key.use !== 'ignored') this.values[this.size] = this.#owner.make(key.tag, this.#number);
    } else at = this.#readWord(key, start);
    return at;
  }

  /** The value of the text or list that was just read. */
  #valueOf(key: FlatKey<T>, isList: boolean): unknown {
    const stretch = this.#stretch;
    const { make } = this.#owner;
    if (key.use === 'ignored') return null;
    if (key.use === 'unique') return make(key.tag, isList ? this.#list(false) : this.#cut(stretch.at, stretch.length));
    const known = byteMemo.find(stretch, key.number);
    if (known > 0) return byteMemo.value(known);
    const value = make(key.tag, isList ? this.#list(true) : this.#own(stretch.at, stretch.length));
    byteMemo.add(stretch, key.number, value);
    return value;
  }

  #list(isKept: boolean): string[] {
    const list: string[] = [];
    for (let i = 0; i < this.#itemCount; i += 2) {
      const at = this.#items[i]!;
      const length = this.#items[i + 1]!;
      list.push(isKept ? this.#own(at, length) : this.#cut(at, length));
    }
    return list;
  }

  /** A text that is kept and so must not hold on to the whole record. */
  #own(at: number, length: number): string {
    return this.#input.toString('latin1', at, at + length);
  }

  #cut(at: number, length: number): string {
    this.#text ??= this.#input.toString('latin1', this.#start, this.#end);
    return this.#text.slice(at - this.#start, at - this.#start + length);
  }

  #readNumber(from: number): number {
    const bytes = this.#bytes;
    let at = from;
    const isNegative = bytes[at] === 45;
    if (isNegative) at++;
    const start = at;
    let number = 0;
    let digit = bytes[at]! - 48;
    for (; digit >= 0 && digit <= 9; digit = bytes[++at]! - 48) number = number * 10 + digit;
    const whole = at - start;
    if (whole === 0 || (whole > 1 && bytes[start] === 48)) return -1;
    let decimals = 0;
    if (bytes[at] === 46 /* . */) {
      digit = bytes[++at]! - 48;
      for (; digit >= 0 && digit <= 9; digit = bytes[++at]! - 48, decimals++) number = number * 10 + digit;
      if (decimals === 0) return -1;
    }
    if (whole + decimals > 15 || (bytes[at]! | 32) === 101 /* e */) return -1;
    if (decimals > 0) number /= powersOfTen[decimals]!;
    this.#number = isNegative ? -number : number;
    return at;
  }

  #readList(start: number): number {
    const bytes = this.#bytes;
    const stretch = this.#stretch;
    const items = this.#items;
    let hash = hashSeed;
    this.#itemCount = 0;
    let at = skipBlanks(bytes, start + 1);
    while (bytes[at] !== closingBracket) {
      at = bytes[at] === quote ? readText(stretch, at) : -1;
      if (at < 0) return -1;
      hash = hashWord(hash, stretch.hash);
      items[this.#itemCount++] = stretch.at;
      items[this.#itemCount++] = stretch.length;
      at = skipBlanks(bytes, at);
      if (bytes[at] === closingBracket) break;
      if (bytes[at] !== comma) return -1;
      at = skipBlanks(bytes, at + 1);
      if (bytes[at] === closingBracket) return -1;
    }
    stretch.at = start;
    stretch.length = at + 1 - start;
    stretch.hash = hash;
    return at + 1;
  }

  #readWord(key: FlatKey<T>, start: number): number {
    const { view } = this.#stretch;
    const word = view.getInt32(start, true);
    let value: boolean | null;
    if (word === 0x65757274 /* true */) value = true;
    else if (word === 0x6c6c756e /* null */) value = null;
    else if (word === 0x736c6166 /* fals */ && this.#bytes[start + 4] === 101 /* e */) value = false;
    else return -1;
    this.values[this.size] = key.use === 'ignored' ? null : this.#owner.make(key.tag, value);
    return start + (value === false ? 5 : 4);
  }
}
