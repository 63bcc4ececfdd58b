import { type Address, emptyAddress, lastOf, readAddress, type Span } from './address.ts';
import type { AddressRanges } from './address-ranges.ts';
import { packCountry } from './enrich.ts';

/** What stands behind the addresses of a row: the number of a network, or the code of a country. */
export type RangeKind = 'asn' | 'country';

const newline = 10;
const quote = 34;
const comma = 44;
const slash = 47;

/**
 * Rows of a range database into `ranges`: `first,last,value,...` or `network/bits,value,...`, fields quoted or not, a header or none.
 * Takes the file in pieces, so that it is never in memory as a whole. Rows that are none of these are counted and passed over.
 */
export class RangeCsv {
  readonly #ranges: AddressRanges;
  readonly #kind: RangeKind;
  readonly #isLeftOut: (first: Address) => boolean;
  readonly #first = emptyAddress();
  readonly #last = emptyAddress();
  #rest: Buffer = Buffer.alloc(0);
  /** The field that is looked at. */
  readonly #field: Span = { bytes: this.#rest, from: 0, to: 0 };
  rows = 0;
  /** Rows that gave no range; a header is one. */
  passedOver = 0;

  /** `isLeftOut`: whether a range that begins with this address is none. */
  constructor(ranges: AddressRanges, kind: RangeKind, isLeftOut: (first: Address) => boolean = () => false) {
    this.#ranges = ranges;
    this.#kind = kind;
    this.#isLeftOut = isLeftOut;
  }

  /** The piece may be overwritten afterwards. */
  push(piece: Buffer): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let at = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, at)) {
      this.#row(bytes, at, end);
      at = end + 1;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
  }

  end(): void {
    if (this.#rest.length > 0) this.#row(this.#rest, 0, this.#rest.length);
    this.#rest = Buffer.alloc(0);
  }

  #row(bytes: Buffer, from: number, to: number): void {
    this.rows++;
    this.#field.bytes = bytes;
    let next = this.#nextField(from, to);
    const bits = this.#network();
    let good = readAddress(this.#field, this.#first);
    next = this.#nextField(next, to);
    if (bits >= 0) good &&= lastOf(this.#first, bits, this.#last);
    else {
      good &&= readAddress(this.#field, this.#last);
      this.#nextField(next, to);
    }
    const value = good && !this.#isLeftOut(this.#first) ? this.#value() : 0;
    if (value === 0 || !this.#ranges.add(this.#first, this.#last, value)) this.passedOver++;
  }

  /** Finds the field that begins at `from`, without quotes; where the next one begins. */
  #nextField(from: number, to: number): number {
    const bytes = this.#field.bytes;
    const quoted = bytes[from] === quote;
    let at = quoted ? from + 1 : from;
    this.#field.from = at;
    const stop = quoted ? quote : comma;
    while (at < to && bytes[at] !== stop && bytes[at] !== 13) at++;
    this.#field.to = at;
    return quoted ? at + 2 : at + 1;
  }

  /** Cuts the field before its `/`: the bits after it, -1 when it has none. */
  #network(): number {
    for (let i = this.#field.to - 1; i >= this.#field.from && i >= this.#field.to - 4; i--) {
      if (this.#field.bytes[i] !== slash) continue;
      const bits = this.#digits(i + 1, this.#field.to);
      this.#field.to = i;
      return bits;
    }
    return -1;
  }

  /** 0 for none. Private and documentation ranges have network 0 in some databases: nobody's is the right answer. */
  #value(): number {
    const bytes = this.#field.bytes;
    if (this.#kind === 'country') {
      return this.#field.to - this.#field.from === 2
        ? packCountry(bytes[this.#field.from]!, bytes[this.#field.from + 1]!)
        : 0;
    }
    const hasPrefix =
      (bytes[this.#field.from]! | 32) === 97 && (bytes[this.#field.from + 1]! | 32) === 115; /* AS13335 */
    const number = this.#digits(this.#field.from + (hasPrefix ? 2 : 0), this.#field.to);
    return number <= 0xffffffff ? Math.max(0, number) : 0;
  }

  #digits(from: number, to: number): number {
    let number = from < to ? 0 : -1;
    for (let i = from; i < to; i++) {
      const digit = this.#field.bytes[i]! - 48;
      if (!(digit >= 0 && digit <= 9)) return -1;
      number = number * 10 + digit;
    }
    return number;
  }
}
