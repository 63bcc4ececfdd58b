import { createHash } from 'node:crypto';

/**
 * A 64-bit, non-cryptographic hash of a string as two unsigned 32-bit halves (cyrb53's mixing, both lanes kept whole).
 * For tables and slots only: an attacker can find collisions, so nothing that grants or denies may rest on it alone.
 */
export function hash64(text: string, seed = 0): { readonly high: number; readonly low: number } {
  let high = 0xdeadbeef ^ seed;
  let low = 0x41c6ce57 ^ seed;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return { high: high >>> 0, low: low >>> 0 };
}

/** A 32-bit hash of a string (FNV-1a, then mixed); for the same purposes as `hash64`, and with the same limits. */
export function hash32(text: string): number {
  return hashEnd(hashMore(hashStart, text));
}

/** `hash32` in steps, so that the hash of a text put together from others needs no such text: start, more, more, end. */
export const hashStart = 0x811c9dc5 | 0;

export function hashMore(state: number, text: string, end = text.length): number {
  let hash = state;
  for (let i = 0; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

export function hashEnd(state: number): number {
  let hash = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** An identifier derived from a claim: the same parts give the same id, in every process, for ever. 24 hex digits (96 bits of SHA-256). */
export function derivedId(prefix: string, parts: readonly (string | number)[]): string {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24);
  return `${prefix}_${digest}`;
}
