/**
 * One field name that has been met. `tag` is what the owner of the reader makes of a name, once.
 */
export type FlatKey<T> = { readonly name: string; readonly tag: T; readonly codes: Uint8Array; seenIn: number };

/** Names remembered; a source with more of them is read by JSON.parse. */
const keysMax = 512;
const quote = 34;
const comma = 44;
const closingBracket = 93;

/** Bytes that stand for themselves inside a JSON string: ASCII but for controls, the quote and the backslash. */
const isPlain = Uint8Array.from({ length: 256 }, (_, code) =>
  Number(code >= 32 && code < 127 && code !== 34 && code !== 92),
);

/**
 * Reads what nearly all records are: one flat JSON object in ASCII, of strings without escapes, short numbers, true, false, null and lists
 * of strings. `read` says false to anything else, broken records included, and the caller asks JSON.parse; so it never has to be right
 * about the rest of JSON, and what it does take it takes exactly as JSON.parse would. Three times as quick, because it makes no object and
 * expects the names of the previous record in the same order. Reused: `keys` and `values` hold for the newest record, up to `size`.
 */
export class FlatJson<T> {
  readonly keys: FlatKey<T>[] = [];
  readonly values: unknown[] = [];
  size = 0;
  readonly #known = new Map<string, FlatKey<T>>();
  readonly #tag: (name: string) => T;
  #bytes: Uint8Array = new Uint8Array(0);
  #text = '';
  #at = 0;
  #record = 0;
  #value: unknown = null;

  constructor(tag: (name: string) => T) {
    this.#tag = tag;
  }

  read(bytes: Buffer): boolean {
    this.size = 0;
    if (bytes[0] !== 123 /* { */) return false;
    this.#bytes = bytes;
    this.#text = bytes.toString('latin1');
    this.#at = 1;
    this.#record++;
    this.#skipBlanks();
    if (bytes[this.#at] !== 125 /* } */ && !this.#fields()) return false;
    this.#at++;
    this.#skipBlanks();
    return this.#at === bytes.length;
  }

  #fields(): boolean {
    const bytes = this.#bytes;
    for (;;) {
      this.#skipBlanks();
      const key = this.#key();
      if (key === undefined || key.seenIn === this.#record) return false;
      key.seenIn = this.#record;
      this.#skipBlanks();
      if (bytes[this.#at] !== 58 /* : */) return false;
      this.#at++;
      this.#skipBlanks();
      if (!this.#readValue()) return false;
      this.keys[this.size] = key;
      this.values[this.size++] = this.#value;
      this.#skipBlanks();
      if (bytes[this.#at] !== comma) return bytes[this.#at] === 125;
      this.#at++;
    }
  }

  #skipBlanks(): void {
    for (;;) {
      const code = this.#bytes[this.#at];
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      this.#at++;
    }
  }

  /** The name that stands here; first tried is the one that stood at this place in the previous record. */
  #key(): FlatKey<T> | undefined {
    const bytes = this.#bytes;
    if (bytes[this.#at] !== quote) return undefined;
    const start = this.#at + 1;
    const expected = this.keys[this.size];
    if (expected !== undefined) {
      const { codes } = expected;
      let i = 0;
      while (i < codes.length && bytes[start + i] === codes[i]) i++;
      if (i === codes.length && bytes[start + i] === quote) {
        this.#at = start + i + 1;
        return expected;
      }
    }
    if (!this.#readString()) return undefined;
    const name = this.#value as string;
    let key = this.#known.get(name);
    if (key === undefined && this.#known.size < keysMax) {
      key = { name, tag: this.#tag(name), codes: Uint8Array.from(Buffer.from(name, 'latin1')), seenIn: -1 };
      this.#known.set(name, key);
    }
    return key;
  }

  #readValue(): boolean {
    const code = this.#bytes[this.#at]!;
    if (code === quote) return this.#readString();
    if (code === 45 /* - */ || (code >= 48 && code <= 57)) return this.#readNumber();
    if (code === 91 /* [ */) return this.#readList();
    if (code === 116) return this.#readWord('true', true);
    if (code === 102) return this.#readWord('false', false);
    return code === 110 && this.#readWord('null', null);
  }

  #readString(): boolean {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    let at = start;
    while (isPlain[bytes[at]!] === 1) at++;
    if (bytes[at] !== quote) return false;
    this.#value = this.#text.slice(start, at);
    this.#at = at + 1;
    return true;
  }

  /** Up to 15 digits are exact in a double, and so is a power of ten: their quotient is rounded once, as it must be (Clinger 1990). */
  #readNumber(): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    const isNegative = bytes[at] === 45;
    if (isNegative) at++;
    const start = at;
    let number = 0;
    let digit = bytes[at]! - 48;
    for (; digit >= 0 && digit <= 9; digit = bytes[++at]! - 48) number = number * 10 + digit;
    const whole = at - start;
    if (whole === 0 || (whole > 1 && bytes[start] === 48)) return false;
    let decimals = 0;
    if (bytes[at] === 46 /* . */) {
      digit = bytes[++at]! - 48;
      for (; digit >= 0 && digit <= 9; digit = bytes[++at]! - 48, decimals++) number = number * 10 + digit;
      if (decimals === 0) return false;
    }
    if (whole + decimals > 15 || (bytes[at]! | 32) === 101 /* e */) return false;
    if (decimals > 0) number /= 10 ** decimals;
    this.#value = isNegative ? -number : number;
    this.#at = at;
    return true;
  }

  #readList(): boolean {
    const bytes = this.#bytes;
    const items: string[] = [];
    this.#at++;
    this.#skipBlanks();
    while (bytes[this.#at] !== closingBracket) {
      if (bytes[this.#at] !== quote || !this.#readString()) return false;
      items.push(this.#value as string);
      this.#skipBlanks();
      if (bytes[this.#at] === closingBracket) break;
      if (bytes[this.#at] !== comma) return false;
      this.#at++;
      this.#skipBlanks();
      if (bytes[this.#at] === closingBracket) return false;
    }
    this.#at++;
    this.#value = items;
    return true;
  }

  #readWord(word: string, value: boolean | null): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    this.#value = value;
    return true;
  }
}
