import type { Address } from './address.ts';

/** Ranges of one family; further ones are refused. Public databases of networks and countries have a tenth of that. */
const rangesMax = 1 << 22;

/** All that ranges are: of IPv4 first, last and value; of IPv6 the upper halves of first and last, then the same three. */
export type RangeColumns = readonly Uint32Array<ArrayBuffer>[];

/**
 * Which number belongs to an address: sorted ranges in typed arrays, found by halving. 12 bytes for an IPv4 range, 20 for an IPv6 one.
 * Ranges are added in the order of their first addresses. A finer one that starts inside the range before it cuts that one short;
 * one that starts before it is out of order and refused, as the arrays would have to be sorted for it.
 */
export class AddressRanges {
  readonly #v4 = new FamilyRanges(false);
  readonly #v6 = new FamilyRanges(true);

  /** Ranges out of what `columns` gave, taken over and not copied. */
  static of(columns: RangeColumns): AddressRanges {
    const ranges = new AddressRanges();
    ranges.#v4.take(columns.slice(0, 3));
    ranges.#v6.take(columns.slice(3));
    return ranges;
  }

  /** Of the length that is used. Valid until the next range is added. */
  columns(): RangeColumns {
    return [...this.#v4.columns(), ...this.#v6.columns()];
  }

  /** Both ends included. False when the range was out of order. */
  add(first: Address, last: Address, value: number): boolean {
    if (first.family !== last.family) return false;
    return (first.family === 4 ? this.#v4 : this.#v6).add(first, last, value);
  }

  /** Gives back the room that was kept for more. */
  trim(): void {
    this.#v4.resize(this.#v4.size);
    this.#v6.resize(this.#v6.size);
  }

  /** 0 when no range holds the address. */
  find({ family, high, low }: Address): number {
    return (family === 4 ? this.#v4 : this.#v6).find(high, low);
  }

  get size(): number {
    return this.#v4.size + this.#v6.size;
  }

  get bytes(): number {
    return this.#v4.bytes + this.#v6.bytes;
  }
}

/**
 * The ranges of one family. Numbers of 64 bits are compared as two halves, because a double holds 53; a family of 32 bits keeps no
 * upper halves (`wide` is false), which are then 0.
 */
class FamilyRanges {
  readonly #wide: boolean;
  #firstHigh = new Uint32Array(0);
  #firstLow = new Uint32Array(0);
  #lastHigh = new Uint32Array(0);
  #lastLow = new Uint32Array(0);
  #values = new Uint32Array(0);
  size = 0;

  constructor(wide: boolean) {
    this.#wide = wide;
  }

  columns(): RangeColumns {
    const halves = this.#wide ? [this.#firstHigh, this.#lastHigh] : [];
    return [...halves, this.#firstLow, this.#lastLow, this.#values].map((column) => column.subarray(0, this.size));
  }

  take(columns: RangeColumns): void {
    const low = columns.slice(-3);
    if (this.#wide) [this.#firstHigh, this.#lastHigh] = [columns[0]!, columns[1]!];
    [this.#firstLow, this.#lastLow, this.#values] = [low[0]!, low[1]!, low[2]!];
    this.size = this.#values.length;
  }

  get bytes(): number {
    return this.#values.length * (this.#wide ? 20 : 12);
  }

  add(first: Address, last: Address, value: number): boolean {
    if (last.high < first.high || (last.high === first.high && last.low < first.low)) return false;
    const before = this.size - 1;
    if (before >= 0) {
      if (this.#startsAfter(before, first.high, first.low)) return false;
      if (this.#values[before] === value && this.#isNext(before, first)) return this.#extend(before, last);
      if (this.#isStart(before, first)) this.size = before;
      else if (!this.#endsBefore(before, first.high, first.low)) this.#cut(before, first);
    }
    if (this.size >= rangesMax) return false;
    if (this.size === this.#values.length) this.resize(Math.max(1 << 16, this.size * 2));
    const i = this.size++;
    this.#firstLow[i] = first.low;
    this.#lastLow[i] = last.low;
    this.#values[i] = value;
    if (this.#wide) {
      this.#firstHigh[i] = first.high;
      this.#lastHigh[i] = last.high;
    }
    return true;
  }

  /** Range `i` ends with the address before `next`. */
  #cut(i: number, next: Address): void {
    this.#lastLow[i] = next.low - 1;
    if (this.#wide) this.#lastHigh[i] = next.low === 0 ? next.high - 1 : next.high;
  }

  /** One range instead of two: databases of networks split what belongs together. */
  #extend(i: number, { high, low }: Address): true {
    this.#lastLow[i] = low;
    if (this.#wide) this.#lastHigh[i] = high;
    return true;
  }

  #isNext(i: number, { high, low }: Address): boolean {
    const next = (this.#lastLow[i]! + 1) >>> 0;
    return low === next && (!this.#wide || this.#lastHigh[i]! + (next === 0 ? 1 : 0) === high);
  }

  #isStart(i: number, { high, low }: Address): boolean {
    return this.#firstLow[i] === low && (!this.#wide || this.#firstHigh[i] === high);
  }

  #startsAfter(i: number, high: number, low: number): boolean {
    const start = this.#wide ? this.#firstHigh[i]! : 0;
    return start > high || (start === high && this.#firstLow[i]! > low);
  }

  #endsBefore(i: number, high: number, low: number): boolean {
    const end = this.#wide ? this.#lastHigh[i]! : 0;
    return end < high || (end === high && this.#lastLow[i]! < low);
  }

  resize(length: number): void {
    const resized = (old: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> => {
      const grown = new Uint32Array(length);
      grown.set(old.subarray(0, this.size));
      return grown;
    };
    this.#firstLow = resized(this.#firstLow);
    this.#lastLow = resized(this.#lastLow);
    this.#values = resized(this.#values);
    if (!this.#wide) return;
    this.#firstHigh = resized(this.#firstHigh);
    this.#lastHigh = resized(this.#lastHigh);
  }

  find(high: number, low: number): number {
    let from = 0;
    let to = this.size;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#startsAfter(middle, high, low)) to = middle;
      else from = middle + 1;
    }
    return from === 0 || this.#endsBefore(from - 1, high, low) ? 0 : this.#values[from - 1]!;
  }
}
