/** A record cut out of a file or a request body, not yet parsed. */
export type RawRecord = {
  /** The whole record; only its beginning when `size` is larger (the record was beyond the limit). */
  readonly bytes: Buffer;
  /** In bytes. */
  readonly size: number;
  /** The line on which it starts, from 1. */
  readonly line: number;
  /** Its place among the records that start on that line, from 0. */
  readonly index: number;
  /** Of its first byte, from the start of the input. */
  readonly byteOffset: number;
};

/** What is kept of a record beyond the limit. */
const keptOfTooLarge = 4096;

const newline = 10;
const quote = 34;
const comma = 44;
const openBracket = 91;
const backslash = 92;
const closeBracket = 93;
const openBrace = 123;
const closeBrace = 125;

/**
 * Cuts a stream of bytes into records: one per line (NDJSON), or, when the input is a document (a JSON array, a CloudTrail file with `Records`,
 * pretty-printed objects one after another), one per element. Holds at most one record of `recordBytesMax` and never the document. Broken
 * records come out like any other; it is the decoder that says so. Chunks are referred to, not copied: do not change them afterwards.
 */
export class RecordSplitter {
  readonly #recordBytesMax: number;
  #cutter: Cutter | null = null;
  /** What came before the form of the input was clear. */
  #head: Buffer = Buffer.alloc(0);

  constructor(recordBytesMax: number) {
    this.#recordBytesMax = recordBytesMax;
  }

  *push(chunk: Buffer): Generator<RawRecord> {
    if (this.#cutter !== null) return yield* this.#cutter.push(chunk);
    this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
    const isClear = firstLine(this.#head).isComplete || this.#head.length > this.#recordBytesMax;
    if (isClear) yield* this.#begin();
  }

  /** The rest, when the input has ended. */
  *end(): Generator<RawRecord> {
    if (this.#cutter === null) yield* this.#begin();
    yield* this.#cutter!.end();
  }

  *#begin(): Generator<RawRecord> {
    const part = new Part(this.#recordBytesMax);
    this.#cutter = isDocument(this.#head) ? new DocumentCutter(part) : new LineCutter(part);
    const head = this.#head;
    this.#head = Buffer.alloc(0);
    yield* this.#cutter.push(head);
  }
}

type Cutter = {
  readonly push: (chunk: Buffer) => Generator<RawRecord>;
  readonly end: () => Generator<RawRecord>;
};

/** The first line that is not blank. */
function firstLine(head: Buffer): { readonly text: string; readonly isComplete: boolean } {
  let start = 0;
  while (start < head.length && isBlank(head[start]!)) start++;
  const end = head.indexOf(newline, start);
  return {
    text: head.toString('latin1', start, end < 0 ? head.length : end).trimEnd(),
    isComplete: end >= 0 && start < head.length,
  };
}

/**
 * A document says so at its beginning: `{"Records": [`, a bracket alone on its line, or an array that does not end on its first line. Everything
 * else is lines, so that a broken line costs one record and not the rest of the file.
 */
function isDocument(head: Buffer): boolean {
  const { text } = firstLine(head);
  if (text === '{' || text === '[' || isRecordsOpening(head)) return true;
  return text.startsWith('[') && !endsBalanced(text);
}

function isRecordsOpening(head: Buffer): boolean {
  return /^\s*\{\s*"Records"\s*:\s*\[/.test(head.toString('utf8', 0, 1024).replace(/^\ufeff/, ''));
}

function endsBalanced(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === backslash) i++;
      else if (code === quote) inString = false;
    } else if (code === quote) inString = true;
    else if (code === openBrace || code === openBracket) depth++;
    else if (code === closeBrace || code === closeBracket) depth--;
  }
  return depth === 0 && !inString;
}

/** Space, tab, line end, or a byte of the UTF-8 byte order mark. */
function isBlank(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13) || byte === 0xef || byte === 0xbb || byte === 0xbf;
}

/** The record being collected, over the chunks it spans; beyond the limit only counted. */
class Part {
  readonly max: number;
  size = 0;
  #pieces: Buffer[] = [];

  constructor(max: number) {
    this.max = max;
  }

  add(piece: Buffer): void {
    const before = this.size;
    this.size += piece.length;
    if (this.size <= this.max) this.#pieces.push(piece);
    else if (before <= this.max)
      this.#pieces = [Buffer.concat([...this.#pieces, piece.subarray(0, keptOfTooLarge)]).subarray(0, keptOfTooLarge)];
  }

  take(): { readonly bytes: Buffer; readonly size: number } {
    const taken = {
      bytes: this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces),
      size: this.size,
    };
    this.#pieces = [];
    this.size = 0;
    return taken;
  }
}

class LineCutter implements Cutter {
  readonly #part: Part;
  #line = 1;
  #byteOffset = 0;

  constructor(part: Part) {
    this.#part = part;
  }

  *push(chunk: Buffer): Generator<RawRecord> {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      this.#part.add(chunk.subarray(start, end));
      start = end + 1;
      yield* this.#take(1);
      this.#line++;
    }
    if (start < chunk.length) this.#part.add(chunk.subarray(start));
  }

  *end(): Generator<RawRecord> {
    yield* this.#take(0);
  }

  *#take(lineEnd: 0 | 1): Generator<RawRecord> {
    const { bytes, size } = this.#part.take();
    const byteOffset = this.#byteOffset;
    this.#byteOffset += size + lineEnd;
    if (!bytes.every(isBlank)) yield { bytes, size, line: this.#line, index: 0, byteOffset };
  }
}

/** Where a string's next quote, backslash or line end stands: most of a document is strings. */
function endOfPlain(chunk: Buffer, from: number): number {
  let at = from;
  for (; at < chunk.length; at++) {
    const byte = chunk[at];
    if (byte === quote || byte === backslash || byte === newline) break;
  }
  return at;
}

/** Follows brackets and strings byte by byte. Elements are the values at depth `#base`: 0 at the top, 1 in an array, 2 in `{"Records":[`. */
class DocumentCutter implements Cutter {
  readonly #part: Part;
  #depth = 0;
  #base = 0;
  #inString = false;
  #escaped = false;
  /** Behind `Records`: what follows in that object is not a record. */
  #inTail = false;
  #isOpen = false;
  #line = 1;
  #byteOffset = 0;
  #start = { line: 1, index: -1, byteOffset: 0 };

  constructor(part: Part) {
    this.#part = part;
  }

  *push(chunk: Buffer): Generator<RawRecord> {
    /** Where the open element begins in this chunk. */
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      if (this.#inString && !this.#escaped) at = endOfPlain(chunk, at);
      const byte = chunk[at];
      if (byte === undefined) break;
      // Nothing but quotes, commas, brackets and blanks has a meaning here; with bit 5 set, a square bracket is a curly one.
      if (this.#isOpen && !this.#inString && byte > comma && (byte | 32) !== openBrace && (byte | 32) !== closeBrace)
        continue;
      if (byte === newline) this.#line++;
      if (this.#inString && byte !== newline) {
        this.#readString(byte);
        continue;
      }
      if (this.#inString) {
        if (this.#isOpen) {
          this.#part.add(chunk.subarray(from, at));
          yield this.#take();
        }
        this.#recover();
        continue;
      }
      const wasOpen = this.#isOpen;
      const ends = this.#read(byte, at);
      if (!wasOpen && this.#isOpen) from = at;
      if (ends !== 'no') {
        this.#part.add(chunk.subarray(from, ends === 'after' ? at + 1 : at));
        yield this.#take();
      } else if (byte === openBracket && this.#isRecords(chunk, from, at)) {
        this.#part.take();
        this.#isOpen = false;
        this.#base = 2;
        // What was opened as a record is the file around the records.
        this.#start.index--;
      }
    }
    if (this.#isOpen) this.#part.add(chunk.subarray(from));
    this.#byteOffset += chunk.length;
  }

  /** An element that the input's end cuts off is given out as it is. */
  *end(): Generator<RawRecord> {
    if (this.#isOpen) yield this.#take();
  }

  /** JSON has no line end inside a string: the record was cut off, and the next one begins here. */
  #recover(): void {
    this.#inString = false;
    this.#escaped = false;
    if (this.#inTail) this.#base = 0;
    this.#inTail = false;
    this.#depth = this.#base;
  }

  #readString(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === backslash) this.#escaped = true;
    else if (byte === quote) this.#inString = false;
  }

  /** Whether the open element ends with this byte (`after`) or before it (`before`, a bare word). */
  #read(byte: number, at: number): 'no' | 'before' | 'after' {
    const endsWord = this.#isOpen && this.#depth === this.#base ? 'before' : 'no';
    if (byte === comma || isBlank(byte)) return this.#depth === this.#base ? endsWord : 'no';
    if (byte === closeBrace || byte === closeBracket) return this.#close(endsWord, at);
    if (byte === openBracket && this.#depth === 0 && !this.#isOpen) {
      this.#depth = 1;
      this.#base = 1;
      return 'no';
    }
    this.#open(at);
    if (byte === quote) this.#inString = true;
    else if (byte === openBrace || byte === openBracket) this.#depth++;
    return 'no';
  }

  #close(endsWord: 'no' | 'before', at: number): 'no' | 'before' | 'after' {
    if (this.#depth === 0) {
      // One bracket too many: a record of its own, which the decoder will refuse.
      this.#open(at);
      return 'after';
    }
    this.#depth--;
    if (this.#isOpen && this.#depth === this.#base) return 'after';
    if (this.#depth < this.#base) {
      this.#inTail = this.#base === 2;
      this.#base = 0;
    }
    if (this.#depth === 0) this.#inTail = false;
    return endsWord;
  }

  #open(at: number): void {
    if (this.#isOpen || this.#inTail) return;
    this.#isOpen = true;
    const isSameLine = this.#start.line === this.#line && this.#start.index >= 0;
    this.#start = {
      line: this.#line,
      index: isSameLine ? this.#start.index + 1 : 0,
      byteOffset: this.#byteOffset + at,
    };
  }

  /** The element so far is `{"Records":[`. */
  #isRecords(chunk: Buffer, from: number, at: number): boolean {
    if (!this.#isOpen || this.#depth !== 2 || this.#base !== 0 || this.#part.size + at - from > 256) return false;
    const before = this.#part.size === 0 ? Buffer.alloc(0) : this.#part.take().bytes;
    if (before.length > 0) this.#part.add(before);
    return isRecordsOpening(Buffer.concat([before, chunk.subarray(from, at + 1)]));
  }

  #take(): RawRecord {
    this.#isOpen = false;
    const { bytes, size } = this.#part.take();
    const { line, index, byteOffset } = this.#start;
    return { bytes, size, line, index, byteOffset };
  }
}
