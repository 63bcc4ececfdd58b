import { type Address, emptyAddress, lastOf } from './address.ts';
import type { AddressRanges } from './address-ranges.ts';
import { packCountry } from './enrich.ts';
import type { RangeKind } from './range-csv.ts';

const marker = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
/** Maps in maps and pointers to pointers: real databases have five, and a broken one ends here. */
const depthMax = 32;

type Decoded = { readonly value: unknown; readonly end: number };
type Fields = Readonly<Record<string, unknown>>;

/**
 * A database in MaxMind's format (specification 2.0) into `ranges`: a binary tree over the bits of an address, whose leaves point to records.
 * IPv4 stands below ::/96; other places of the tree that lead to the same node (6to4 and the like) are left out, and so is what lies deeper
 * than 64 bits. Gives the number of networks and of those without a usable value. Throws when it is no such database.
 */
export function readMmdb(file: Buffer, kind: RangeKind, ranges: AddressRanges): { rows: number; passedOver: number } {
  const start = file.lastIndexOf(marker);
  if (start < 0) throw new Error('is no MaxMind database');
  const about = decode(file.subarray(start + marker.length), 0, 0).value as Fields;
  const tree = new Tree(file, about);
  const values = new Map<number, number>();
  const valueAt = (at: number): number => {
    let value = values.get(at);
    if (value === undefined) {
      value = valueIn(decode(tree.data, at, 0).value, kind);
      values.set(at, value);
    }
    return value;
  };
  let rows = 0;
  let passedOver = 0;
  tree.walk((first, last, at) => {
    rows++;
    const value = valueAt(at);
    if (value === 0 || !ranges.add(first, last, value)) passedOver++;
  });
  return { rows, passedOver };
}

type Leaf = (first: Address, last: Address, dataAt: number) => void;

class Tree {
  readonly data: Buffer;
  readonly #file: Buffer;
  readonly #nodes: number;
  readonly #recordBits: number;
  readonly #hasV6: boolean;
  readonly #first = emptyAddress();
  readonly #last = emptyAddress();
  #v4 = 0;
  /** A tree visits each node once; one with a circle would never end. */
  #left: number;

  constructor(file: Buffer, { node_count: nodes, record_size: bits, ip_version: version }: Fields) {
    if (typeof nodes !== 'number' || !(bits === 24 || bits === 28 || bits === 32)) throw new Error('has no metadata');
    const treeBytes = (nodes * bits) / 4;
    if (treeBytes + 16 > file.length) throw new Error('is cut');
    this.data = file.subarray(treeBytes + 16);
    this.#file = file;
    this.#nodes = nodes;
    this.#recordBits = bits;
    this.#hasV6 = version === 6;
    this.#left = 2 * nodes;
  }

  walk(leaf: Leaf): void {
    for (let depth = 0; this.#hasV6 && depth < 96 && this.#v4 < this.#nodes; depth++) {
      this.#v4 = this.#record(this.#v4, 0);
    }
    this.#descend({ node: this.#v4, depth: 0, family: 4, high: 0, low: 0 }, leaf);
    if (this.#hasV6) this.#descend({ node: 0, depth: 0, family: 6, high: 0, low: 0 }, leaf);
  }

  #descend(at: Address & { readonly node: number; readonly depth: number }, leaf: Leaf): void {
    const { node, depth, family, high, low } = at;
    if (node === this.#nodes) return;
    const bits = family === 4 ? 32 : 64;
    if (node > this.#nodes) {
      Object.assign(this.#first, { family, high, low });
      lastOf(this.#first, depth, this.#last);
      leaf(this.#first, this.#last, node - this.#nodes - 16);
      return;
    }
    if (depth === bits || (family === 6 && depth > 0 && node === this.#v4)) return;
    if (this.#left-- <= 0) throw new Error('has a circle in its tree');
    for (const bit of [0, 1] as const) {
      const isHigh = family === 6 && depth < 32;
      const mask = bit === 0 ? 0 : (1 << (31 - (depth % 32))) >>> 0;
      const next = { high: isHigh ? (high | mask) >>> 0 : high, low: isHigh ? low : (low | mask) >>> 0 };
      this.#descend({ node: this.#record(node, bit), depth: depth + 1, family, ...next }, leaf);
    }
  }

  /** The left (0) or right (1) record of a node. Of 28 bits the upper four stand together in the byte between them. */
  #record(node: number, side: 0 | 1): number {
    const at = (node * this.#recordBits) / 4;
    if (this.#recordBits === 32) return this.#file.readUInt32BE(at + side * 4);
    if (this.#recordBits === 24) return this.#file.readUIntBE(at + side * 3, 3);
    const middle = this.#file[at + 3]!;
    return side === 0
      ? this.#file.readUIntBE(at, 3) + (middle >>> 4) * 2 ** 24
      : this.#file.readUIntBE(at + 4, 3) + (middle & 15) * 2 ** 24;
  }
}

/** The names of MaxMind, which DB-IP shares, and the flat ones of other makers. 0 for none. */
function valueIn(record: unknown, kind: RangeKind): number {
  const fields = fieldsOf(record);
  if (kind === 'asn') {
    const asn = Number(fields.autonomous_system_number ?? fields.asn);
    return Number.isInteger(asn) && asn > 0 && asn <= 0xffffffff ? asn : 0;
  }
  const code = fieldsOf(fields.country).iso_code ?? fields.country_code ?? fields.country;
  return typeof code === 'string' && code.length === 2 ? packCountry(code.charCodeAt(0), code.charCodeAt(1)) : 0;
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

/** One value of the data section, and where the next one begins. */
function decode(data: Buffer, at: number, depth: number): Decoded {
  if (depth > depthMax) throw new Error('has data without an end');
  const control = data.readUInt8(at);
  let type = control >>> 5;
  if (type === 1) return decodePointer(data, at, depth);
  let next = at + 1;
  if (type === 0) type = data.readUInt8(next++) + 7;
  let size = control & 31;
  if (size >= 29) {
    const bytes = size - 28;
    size = [29, 285, 65_821][bytes - 1]! + data.readUIntBE(next, bytes);
    next += bytes;
  }
  if (type === 7 || type === 11) return decodeMany(data, { at: next, size, isMap: type === 7 }, depth);
  if (type === 14) return { value: size !== 0, end: next };
  const end = next + size;
  if (type === 2) return { value: data.toString('utf8', next, end), end };
  const isWhole = type === 5 || type === 6;
  // Everything else (coordinates, byte strings, wide numbers) is passed over.
  return { value: isWhole ? (size === 0 ? 0 : data.readUIntBE(next, size)) : null, end };
}

function decodePointer(data: Buffer, at: number, depth: number): Decoded {
  const control = data.readUInt8(at);
  const bytes = ((control >>> 3) & 3) + 1;
  const tail = data.readUIntBE(at + 1, bytes);
  const target = bytes === 4 ? tail : (control & 7) * 2 ** (8 * bytes) + tail + [0, 2048, 526_336][bytes - 1]!;
  return { value: decode(data, target, depth + 1).value, end: at + 1 + bytes };
}

function decodeMany(
  data: Buffer,
  { at, size, isMap }: { readonly at: number; readonly size: number; readonly isMap: boolean },
  depth: number,
): Decoded {
  const fields = new Map<unknown, unknown>();
  let next = at;
  for (let i = 0; i < size; i++) {
    const key: Decoded = isMap ? decode(data, next, depth + 1) : { value: i, end: next };
    const item = decode(data, key.end, depth + 1);
    fields.set(key.value, item.value);
    next = item.end;
  }
  return { value: Object.fromEntries(fields as Map<string, unknown>), end: next };
}
