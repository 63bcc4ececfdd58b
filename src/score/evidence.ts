/** Exponent of the bet against the null hypothesis: small bets on everything, large ones on tiny p-values. */
const exponent = 0.5;
/**
 * Evidence is a memory of about this many events: what went before fades. Short, because a stolen credential is used at once; with 20, 30
 * and 50 the separation of takeovers was the same or worse, and findings came later (docs/evaluation.md).
 */
const memoryEvents = 10;
/** And it never exceeds this, nats: an identity returns to normal in a bounded number of normal events. */
const evidenceMax = 60;

/** ln of the e-value κ·p^(κ-1) (Vovk and Wang, 2021): p = 0.001 bets 2.76 nats against "this is the identity", p = 0.5 gives back 0.35. */
export function bet(pValue: number): number {
  return Math.log(exponent) + (exponent - 1) * Math.log(pValue);
}

/** Low and slow: bets are added to what has gathered, which fades and never falls below zero (Page's CUSUM, 1954, with a leak). */
export function accumulate(evidence: number, pValue: number): number {
  return Math.min(evidenceMax, Math.max(0, evidence * fading + bet(pValue)));
}

/** What is left of a share of the evidence after one event. */
export const fading = 1 - 1 / memoryEvents;

/**
 * How much is learned from an event: all of it while it is ordinary (p >= 0.01), next to nothing from p = 0.0001 on, and next to nothing
 * while a finding about the identity is open. Never nothing: what is really the identity's new habit is learned in the end.
 */
export function learningWeight(pValue: number, gated: boolean): number {
  if (gated) return learningFloor;
  const weight = Math.max(learningFloor, Math.min(1, 1 + (Math.log10(pValue) + 2) / 2));
  // In whole 1024ths, so that sums do not depend on the order in which they are made.
  return Math.round(weight * 1024) / 1024;
}

const learningFloor = 20 / 1024;
