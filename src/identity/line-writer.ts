const bytesAtFirst = 256 * 1024;
const quote = 34;

/** ASCII that stands for itself, four bytes to a word, so that it can be put down a word at a time. */
export type Words = { readonly words: Int32Array; readonly length: number };

export function wordsOf(bytes: Buffer): Words {
  const { length } = bytes;
  const padded = Buffer.alloc((length + 3) & ~3);
  bytes.copy(padded);
  return { words: Int32Array.from({ length: padded.length >> 2 }, (_, i) => padded.readInt32LE(i << 2)), length };
}

/** Texts remembered with their quotes and escapes; from this length on it is quicker to look them up than to write them. */
const rememberedMax = 4096;
const rememberedFrom = 20;
const rememberedTo = 512;

/** Puts lines of JSON together as bytes: no text is made of them that would have to be encoded again. Kept and used for the next. */
export class LineWriter {
  #bytes = Buffer.allocUnsafe(bytesAtFirst);
  #view = viewOf(this.#bytes);
  #size = 0;
  readonly #remembered = new Map<string, Words>();

  /** What was written since the last time. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#size));
    this.#size = 0;
    return taken;
  }

  /** ASCII that stands for itself. */
  plain(text: string): void {
    const bytes = this.#room(text.length);
    let at = this.#size;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.#size = at;
  }

  words({ words, length }: Words): void {
    this.#room(length);
    const view = this.#view;
    let at = this.#size;
    for (let i = 0; i < words.length; i++, at += 4) view.setInt32(at, words[i]!, true);
    this.#size += length;
  }

  /** As `string`, for a text that comes again. */
  repeated(text: string): void {
    const { length } = text;
    if (length < rememberedFrom || length > rememberedTo) {
      this.string(text);
      return;
    }
    let known = this.#remembered.get(text);
    if (known === undefined) {
      known = wordsOf(Buffer.from(JSON.stringify(text)));
      if (this.#remembered.size >= rememberedMax) this.#remembered.clear();
      this.#remembered.set(text, known);
    }
    this.words(known);
  }

  string(text: string): void {
    const { length } = text;
    const bytes = this.#room(length + 2);
    let at = this.#size;
    bytes[at++] = quote;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code < 32 || code > 126 || code === quote || code === 92) {
        this.#escaped(text);
        return;
      }
      bytes[at++] = code;
    }
    bytes[at++] = quote;
    this.#size = at;
  }

  value(value: unknown): void {
    if (typeof value === 'string') this.string(value);
    else if (typeof value === 'number') this.#number(value);
    else if (Array.isArray(value)) this.list(value as readonly string[]);
    else this.#escaped(value);
  }

  list(texts: readonly string[]): void {
    for (let i = 0; i < texts.length; i++) {
      this.plain(i === 0 ? '[' : ',');
      this.string(texts[i]!);
    }
    this.plain(texts.length === 0 ? '[]' : ']');
  }

  /** JSON's own way, where there is something to escape, and for what is rare. */
  #escaped(value: unknown): void {
    const text = JSON.stringify(value);
    this.#size += this.#room(text.length * 3).write(text, this.#size);
  }

  /** Whole numbers digit by digit from the end, in two parts that fit into 32 bits. */
  #number(value: number): void {
    if (!Number.isInteger(value) || !(value > 0 && value < 1e15)) {
      this.plain(String(value));
      return;
    }
    const high = Math.floor(value / 1e7);
    const digits = digitCount(value);
    const bytes = this.#room(digits);
    const start = this.#size;
    let at = start + digits;
    this.#size = at;
    let rest = value - high * 1e7;
    for (let i = 0; i < 7 && at > start; i++, rest = (rest / 10) | 0) bytes[--at] = 48 + (rest % 10);
    for (rest = high; at > start; rest = (rest / 10) | 0) bytes[--at] = 48 + (rest % 10);
  }

  /** Makes room for as many bytes, and for three more, since words may end behind what they hold. */
  #room(count: number): Buffer {
    if (this.#size + count + 3 > this.#bytes.length) {
      const bytes = Buffer.allocUnsafe(2 * (this.#size + count + 3));
      this.#bytes.copy(bytes, 0, 0, this.#size);
      this.#bytes = bytes;
      this.#view = viewOf(bytes);
    }
    return this.#bytes;
  }
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}

function digitCount(value: number): number {
  let count = 1;
  for (let limit = 10; value >= limit; limit *= 10) count++;
  return count;
}
