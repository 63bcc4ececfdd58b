/**
 * An IP address as two numbers: `high` and `low` are the two halves of the first 64 bits of an IPv6 address, `low` alone is an IPv4
 * address. The second 64 bits name a device in its own network, and say nothing about whose network that is.
 */
export type Address = { family: 4 | 6; high: number; low: number };

/** Inside networks that belong to nobody: 10/8, 172.16/12 and 192.168/16 (RFC 1918). */
export function isPrivate({ family, low }: Address): boolean {
  return family === 4 && (low >>> 24 === 10 || low >>> 20 === 0xac1 || low >>> 16 === 0xc0a8);
}

/** A piece of text: `bytes` from `from` up to and without `to`. */
export type Span = { bytes: Uint8Array; from: number; to: number };

export function emptyAddress(): Address {
  return { family: 4, high: 0, low: 0 };
}

const dot = 46;
const colon = 58;
const groups = new Uint16Array(8);

/**
 * Reads dotted IPv4 (or its decimal value, as some databases write it) or IPv6, IPv4-mapped ones as IPv4.
 * False for anything else; `into` is then undefined. Bytes, because a database is read at half a million addresses per start.
 */
export function readAddress({ bytes, from, to }: Span, into: Address): boolean {
  // An IPv6 address has a colon after at most four digits.
  for (let i = from; i < to && i < from + 5; i++)
    if (bytes[i] === colon) return setV6(readGroups(bytes, from, to), into);
  const low = readV4(bytes, from, to);
  into.family = 4;
  into.high = 0;
  into.low = low;
  return low >= 0;
}

/** -1 when it is none. */
function readV4(bytes: Uint8Array, from: number, to: number): number {
  if (to <= from || to - from > 15) return -1;
  let address = 0;
  let part = -1;
  let dots = 0;
  for (let i = from; i < to; i++) {
    const code = bytes[i]!;
    if (code === dot) {
      if (part < 0 || part > 255 || ++dots > 3) return -1;
      address = address * 256 + part;
      part = -1;
    } else if (code >= 48 && code <= 57) part = (part < 0 ? 0 : part * 10) + code - 48;
    else return -1;
  }
  if (dots === 0) return part <= 0xffffffff ? part : -1;
  return dots === 3 && part >= 0 && part <= 255 ? address * 256 + part : -1;
}

/** From the first of the eight `groups`, if there are eight. */
function setV6(count: number, into: Address): boolean {
  if (count !== 8) return false;
  into.family = 6;
  into.high = ((groups[0]! << 16) | groups[1]!) >>> 0;
  into.low = ((groups[2]! << 16) | groups[3]!) >>> 0;
  if (into.high === 0 && into.low === 0 && groups[4] === 0 && groups[5] === 0xffff) {
    into.family = 4;
    into.low = ((groups[6]! << 16) | groups[7]!) >>> 0;
  }
  return true;
}

/** The eight groups of an IPv6 address into `groups`; how many there were with `::` filled, so 8 when it is one. */
function readGroups(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  let gap = -1;
  let at = from;
  if (bytes[at] === colon) {
    if (bytes[at + 1] !== colon) return -1;
    gap = 0;
    at += 2;
  }
  while (at < to) {
    let group = 0;
    const start = at;
    for (; at < to && bytes[at] !== colon; at++) {
      if (bytes[at] === dot) return appendV4(bytes, { start, to, count, gap });
      const digit = hexDigit(bytes[at]!);
      if (digit < 0 || at - start > 3) return -1;
      group = group * 16 + digit;
    }
    if (at === start || count > 7) return -1;
    groups[count++] = group;
    if (at >= to) break;
    at++;
    if (bytes[at] === colon && at < to) {
      if (gap >= 0) return -1;
      gap = count;
      at++;
    } else if (at >= to) return -1;
  }
  return fillGap(count, gap);
}

/** An address that ends in dotted form, as `::ffff:192.0.2.1`. */
function appendV4(
  bytes: Uint8Array,
  { start, to, count, gap }: { start: number; to: number; count: number; gap: number },
): number {
  const tail = readV4(bytes, start, to);
  if (tail < 0 || count > 6) return -1;
  groups[count] = tail >>> 16;
  groups[count + 1] = tail & 0xffff;
  return fillGap(count + 2, gap);
}

function fillGap(count: number, gap: number): number {
  if (gap < 0) return count;
  if (count > 7) return -1;
  groups.copyWithin(gap + 8 - count, gap, count);
  groups.fill(0, gap, gap + 8 - count);
  return 8;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = (code | 32) - 87;
  return letter >= 10 && letter <= 15 ? letter : -1;
}

/** The last address of a network, of IPv6 its first 64 bits. False when the bits are too many. */
export function lastOf(first: Address, bits: number, into: Address): boolean {
  if (bits > (first.family === 4 ? 32 : 128)) return false;
  into.family = first.family;
  const lowBits = first.family === 4 ? bits : Math.max(0, bits - 32);
  into.high = first.family === 4 || bits >= 32 ? first.high : (first.high | (0xffffffff >>> bits)) >>> 0;
  into.low = lowBits >= 32 ? first.low : (first.low | (0xffffffff >>> lowBits)) >>> 0;
  return true;
}
