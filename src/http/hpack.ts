/** A block that cannot be read: whatever comes after it on the connection cannot be read either. */
export class HpackError extends Error {}

/** A name and its value, as characters that are their bytes. */
export type Field = readonly [name: string, value: string];

/** RFC 7541, appendix A: names, with what is said of them most. The first has the number 1. */
const fixed: readonly Field[] =
  `:authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204|:status=206|:status=304
:status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate|accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|authorization
cache-control|content-disposition|content-encoding|content-language|content-length|content-location|content-range|content-type|cookie|date|etag|expect|expires|from|host
if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh
retry-after|server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate`
    .split(/[|\n]/)
    .map((text) => [text.split('=', 1)[0]!, text.slice(text.split('=', 1)[0]!.length + 1)]);

/** What is added to the bytes of a field that a table holds (RFC 7541, 4.1). */
const fieldBytes = 32;
/** SETTINGS_HEADER_TABLE_SIZE, which is never announced to be anything else. */
const tableBytesMax = 4096;
/** More than any length or number can be that is right here. */
const numberMax = 1 << 24;

/** Reads blocks of header fields (RFC 7541); one for each connection, which reads them all and in order. */
export class HpackDecoder {
  /** Oldest first. */
  readonly #table: Field[] = [];
  #tableBytes = 0;
  #tableLimit = tableBytesMax;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Goes up with each change of the table, after which the same bytes mean something else. */
  changes = 0;

  /** Fields in order; null when they are more than `bytesMax` (a name, its value and 32 each), though all are read. Throws a HpackError. */
  decode(block: Buffer, bytesMax: number): Field[] | null {
    this.#block = block;
    this.#at = 0;
    const fields: Field[] = [];
    let bytes = 0;
    while (this.#at < block.length) {
      const field = this.#next(bytes === 0);
      if (field === null) continue;
      bytes += sizeOf(field);
      if (bytes <= bytesMax) fields.push(field);
    }
    return bytes <= bytesMax ? fields : null;
  }

  /** Null for a change of the table's size, which may only come before all fields. */
  #next(isFirst: boolean): Field | null {
    const first = this.#block[this.#at]!;
    if (first & 0x80) return this.#field(this.#number(7));
    if (first & 0x40) return this.#keep(this.#literal(6));
    if (!(first & 0x20)) return this.#literal(4);
    const limit = this.#number(5);
    if (!isFirst || limit > tableBytesMax) throw new HpackError('the size of the table cannot change so');
    this.#tableLimit = limit;
    this.#makeRoom(0);
    return null;
  }

  #literal(prefixBits: number): Field {
    const index = this.#number(prefixBits);
    const name = index === 0 ? this.#text() : this.#field(index)[0];
    return [name, this.#text()];
  }

  #field(index: number): Field {
    const field = index <= fixed.length ? fixed[index - 1] : this.#table[this.#table.length + fixed.length - index];
    if (field === undefined) throw new HpackError('no field has this number');
    return field;
  }

  /** A field larger than the table empties it. */
  #keep(field: Field): Field {
    const bytes = sizeOf(field);
    this.#makeRoom(bytes);
    if (bytes > this.#tableLimit) return field;
    this.#table.push(field);
    this.#tableBytes += bytes;
    return field;
  }

  #makeRoom(bytes: number): void {
    this.changes++;
    while (this.#table.length > 0 && this.#tableBytes + bytes > this.#tableLimit) {
      this.#tableBytes -= sizeOf(this.#table.shift()!);
    }
  }

  /** RFC 7541, 5.1. */
  #number(prefixBits: number): number {
    const prefix = (1 << prefixBits) - 1;
    let value = this.#byte() & prefix;
    if (value < prefix) return value;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (value > numberMax || shift > 28) throw new HpackError('a number is too large');
      if (!(byte & 0x80)) return value;
    }
  }

  #text(): string {
    const isHuffman = (this.#block[this.#at] ?? 0) & 0x80;
    const length = this.#number(7);
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#block.length) throw new HpackError('a text is longer than its block');
    return isHuffman ? huffmanText(this.#block, start, this.#at) : this.#block.toString('latin1', start, this.#at);
  }

  #byte(): number {
    const byte = this.#block[this.#at++];
    if (byte === undefined) throw new HpackError('the block ends within a field');
    return byte;
  }
}

function sizeOf([name, value]: Field): number {
  return name.length + value.length + fieldBytes;
}

/** Literals that no table keeps (RFC 7541, 6.2.2), so that blocks depend on nothing. Names and values are latin1. */
export function hpackBlock(fields: readonly Field[]): string {
  return fields.map(([name, value]) => `\x00${textOf(name)}${textOf(value)}`).join('');
}

function textOf(text: string): string {
  let rest = text.length - 127;
  if (rest < 0) return String.fromCharCode(text.length) + text;
  let length = '\x7f';
  for (; rest > 127; rest >>>= 7) length += String.fromCharCode((rest & 127) | 128);
  return length + String.fromCharCode(rest) + text;
}

/**
 * RFC 7541, appendix B: how many bits stand for each byte, and for the end, to the base 36. The code is canonical: shorter ones come first, and
 * of one length those of smaller bytes.
 */
const bitsOf = [
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f56565666577666567655677777fbeds',
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq',
  'u',
].join('');
const endOfText = 256;
const shortest = 5;
const longest = 30;
const bytesByCode = Array.from(bitsOf, (_, byte) => byte).sort((a, b) => bitsAt(a) - bitsAt(b) || a - b);
/** By length: its first code, how many there are, and where in `bytesByCode` the first one's byte stands. */
const codes = Array.from({ length: longest + 1 }, () => ({ first: 0, count: 0, from: 0 }));
for (let length = shortest, from = 0, first = 0; length <= longest; length++, first <<= 1) {
  const count = bytesByCode.filter((byte) => bitsAt(byte) === length).length;
  codes[length] = { first, count, from };
  from += count;
  first += count;
}

function bitsAt(byte: number): number {
  return Number.parseInt(bitsOf[byte]!, 36);
}

function huffmanText(bytes: Buffer, start: number, end: number): string {
  let text = '';
  let code = 0;
  let length = 0;
  for (let at = start; at < end; at++) {
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((bytes[at]! >> bit) & 1);
      if (++length < shortest) continue;
      const { first, count, from } = codes[length]!;
      if (code - first >= count) continue;
      const byte = bytesByCode[from + code - first]!;
      if (byte === endOfText) throw new HpackError('a text has the mark of its end in it');
      text += String.fromCharCode(byte);
      code = 0;
      length = 0;
    }
  }
  // What is left fills the last byte: less than one, and all ones as the mark of the end begins.
  if (length > 7 || code !== (1 << length) - 1) throw new HpackError('a text is not filled up with ones');
  return text;
}
