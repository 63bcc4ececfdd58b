/**
 * The second tier: rows for the identities that were seen most recently, with what needs more room than a core row has. At the limit
 * the one not seen for the longest of a few is forgotten, and begins again from what its peers do. Offsets are in 32-bit words; the first
 * four are those of a core row (key, newest event's time).
 */
let words = 4;
const take = (count: number): number => {
  const at = words;
  words += count;
  return at;
};

export const activeAt = {
  /** Tokens and their contexts. */
  token: take(48),
  /** What is new today, and today's number. */
  patterns: take(8),
  /** Own transitions and the session's progress. */
  sequence: take(48),
  /** What the identity did as a source of others' calls. */
  source: take(16),
} as const;

export const activeWords = words + (words % 2);
export const activeBytes = activeWords * 4;
