/**
 * Evidence is a memory of about this many events: what went before fades. Short, because a stolen credential is used at once; with 20, 30
 * and 50 the separation of takeovers was the same or worse, and findings came later (docs/evaluation.md).
 */
const memoryEvents = 10;
/** One event counts for at most this many nats: one call alone convicts nobody of not being itself. */
const eventMax = 10;

/** What an identity is like is half known after this many events: until then, not being like it says little. */
const acquaintance = 16;
/** Suspicion that nothing adds to is halved in a week. */
const halfLifeMs = 7 * 86_400_000;

/** What is left of the evidence when the next event comes, after a gap. */
export function faded(gapMs: number): number {
  return (1 - 1 / memoryEvents) * 2 ** (-gapMs / halfLifeMs);
}

/**
 * Low and slow: by how many nats the last events were more surprising than expected, given what is left of those before (`left`) and the identity's
 * history in events. An ordinary event's -ln p is 1 on average, so the sum stays around zero for an identity that is itself, however varied it
 * is; ten events of p = 0.05 of a well-known one bring it to 13.
 */
export function accumulate(left: number, pValue: number, history: number): number {
  const nats = Math.min(eventMax, -Math.log(pValue)) - 1;
  return left + (nats * history) / (history + acquaintance);
}

/**
 * How much is learned from an event: all of it while it is ordinary (p >= 0.01), next to nothing from p = 0.0001 on, and next to nothing
 * while a finding about the identity is open or it goes on being odd. Never nothing: what is really the identity's new habit is learned in the end.
 */
export function learningWeight(pValue: number, gated: boolean): number {
  if (gated) return gatedWeight;
  const weight = Math.max(learningFloor, Math.min(1, 1 + (Math.log10(pValue) + 2) / 2));
  // In whole 1024ths, so that sums do not depend on the order in which they are made.
  return Math.round(weight * 1024) / 1024;
}

const learningFloor = 20 / 1024;
/** Of five hundred events of whoever took an identity over, less than one is learned. */
const gatedWeight = 1 / 1024;
