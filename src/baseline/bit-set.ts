/** Sets of hashed values as four words of bits: 128 bits hold up to about 600 different values. */
export const setWords = 4;
const setBits = setWords * 32;

/** Which bit of a set a value takes. */
export function setPlace(value: number): number {
  return (Math.imul(value ^ (value >>> 16), 0x9e3779b1) >>> 0) % setBits;
}

export function bitsOf(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** How many different values a set of so many bits stands for (linear counting, Whang et al. 1990). */
export function distinct(bits: number): number {
  return setBits * Math.log(setBits / Math.max(0.5, setBits - bits));
}
