/**
 * Baseline: what is normal for an identity. In: observations of released events. Out: predictions, before learning from the event.
 * One identity is one row of fixed size inside an ArrayBuffer; all of a shard's rows are one slab. A row never holds a string,
 * and it holds nothing that cannot be decayed, so it neither grows nor goes stale.
 *
 * Offsets are in 32-bit words from the start of the row.
 */

/** Categorical dimensions and how many of an identity's values are remembered; the rarest gives way. */
export const dimensions = [
  { name: 'function', slots: 16 },
  { name: 'area', slots: 8 },
  { name: 'object_type', slots: 5 },
  { name: 'method', slots: 4 },
  { name: 'status', slots: 5 },
  { name: 'network', slots: 6 },
  { name: 'country', slots: 3 },
  { name: 'client', slots: 6 },
  { name: 'application', slots: 4 },
  { name: 'time_zone', slots: 3 },
] as const;

export type DimensionName = (typeof dimensions)[number]['name'];
export const dimensionCount = dimensions.length;

export function dimensionIndex(name: DimensionName): number {
  return dimensions.findIndex((d) => d.name === name);
}

/** Window lengths of the rate baselines, ms. */
export const rateWindowsMs = [60_000, 3_600_000, 86_400_000] as const;
/** Numeric measures of one call; the logarithm of each is taken as normal. */
export const measures = ['response_bytes', 'request_bytes'] as const;
/** The families of features, in the order of the deviation vector. */
export const families = [
  'rate',
  'novelty',
  'context',
  'calendar',
  'errors',
  'volume',
  'objects',
  'change',
  'probing',
  'egress',
  'rhythm',
  'token',
  'reach',
  'patterns',
  'source',
  'sequence',
] as const;
export type FamilyName = (typeof families)[number];
/** Families whose statistics are log-likelihood ratios of one question (is this the identity or somebody else?): they add up, and gather. */
export const behaviourFamilies = ['novelty', 'context', 'calendar'] as const satisfies readonly FamilyName[];
/** What raises findings: gathered odd behaviour, and every other family by itself. */
export type DetectorName = 'behaviour' | Exclude<FamilyName, (typeof behaviourFamilies)[number]>;
const isBehaviour: ReadonlySet<FamilyName> = new Set(behaviourFamilies);
export const detectors = [
  'behaviour',
  ...families.filter((name) => !isBehaviour.has(name)),
] as unknown as readonly DetectorName[];
/** Whose past a prediction rests on. */
export type BaselineLevel = 'self' | 'peers' | 'everyone';
/** Kinds of unsuccessful answers that are counted over a short memory, after the total. */
export const outcomes = ['total', 'denied', 'missing', 'failed'] as const;

let words = 0;
const take = (count: number): number => {
  const at = words;
  words += count;
  return at;
};

export const at = {
  keyHigh: take(1),
  keyLow: take(1),
  /** Float64 at an even word: the newest event's time, ms. */
  lastTs: take(2),
  /** Seconds since 1970. */
  firstSeen: take(1),
  events: take(1),
  /** Seconds since 1970 until which hardly anything is learned, because a finding is open. */
  gatedUntil: take(1),
  /** Per dimension: its slots, each a 16-bit value hash and a 16-bit count. */
  slots: dimensions.map((d) => take(d.slots)),
  /** Per dimension: share of recent events whose value was new to the identity. */
  novelty: take(dimensions.length),
  /** 24 hours of the day and 7 days of the week, one byte each, halved when one is full. */
  calendar: take(8),
  /** Per window: number, count so far, then mean, variance and weight of the logarithm of finished windows' counts. */
  rate: take(rateWindowsMs.length * 5),
  /** Per measure: mean and variance of the logarithm, and weight. */
  measure: take(measures.length * 3),
  /** Decayed counts over the last minutes. */
  outcome: take(outcomes.length),
  /** Behaviour's accumulated evidence, nats, and what novelty, context and calendar added to it. */
  evidence: take(1),
  evidenceShares: take(3),
  /** By how many nats a run of the identity's calls was odder than its own may be; the day (since 1970) when that was too much, and how many calls there were since, in 16 bits each. */
  doubt: take(1),
  doubted: take(1),
  /** Day number since 1970, and each detector's highest statistic of that day in quarters of a nat, one byte each; then what of behaviour's was counted on an earlier day, and the circle with which it is compared. */
  day: take(1),
  peaks: take(Math.ceil((detectors.length + 2) / 4)),
  /** What such peaks usually come to, in eighths of a nat: a byte for each detector that has a usual (`baseline/peaks.ts`). */
  usual: take(Math.ceil((detectors.length - 2) / 4)),
} as const;

export const rowWords = words + (words % 2);
export const rowBytes = rowWords * 4;
