/** Milliseconds since 1970 (UTC). Inner code takes event time; only the edges ask a clock. */
export type EpochMs = number;

export type Clock = { readonly now: () => EpochMs };

export const systemClock: Clock = { now: () => Date.now() };

/** Whether a value from outside is a time that a Date can hold. */
export function isTime(value: unknown): value is EpochMs {
  return typeof value === 'number' && Math.abs(value) <= 8.64e15;
}
