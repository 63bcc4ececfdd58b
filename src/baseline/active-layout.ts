import { shareKinds } from './call-shares.ts';
import { detectors } from './row-layout.ts';
import { seriesWords } from './series.ts';

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

const counter = (count: number): { readonly at: number; readonly words: number } => ({ at: take(count), words: count });

/** Windows over which things are tallied, ms: long enough for a burst, and for what is slow but not patient. */
export const tallyWindowsMs = [600_000, 86_400_000] as const;
/** What is tallied, by family. */
export const tallies = {
  objects: ['distinct', 'others', 'first_touch', 'neighbours'],
  change: ['writes', 'deletes', 'changed_objects'],
  probing: ['functions', 'refused', 'missing'],
  egress: ['bytes', 'rows', 'sensitive'],
  rhythm: ['busy_slots', 'even_gaps'],
} as const;
export type TallyFamily = keyof typeof tallies;
export const tallyFamilies = Object.keys(tallies) as readonly TallyFamily[];
export const tallyCount = tallyFamilies.reduce((sum, family) => sum + tallies[family].length, 0);

export const activeAt = {
  /** Day number, and what of each detector was put into words that day, on a logarithmic scale, one byte each. */
  worded: take(1 + Math.ceil(detectors.length / 4)),
  /** Per window: its number, and how many have finished. */
  windows: take(tallyWindowsMs.length * 2),
  /** Per window and tally: count so far, and of finished windows in which there was one: mean and variance of its logarithm, and how many. */
  tallies: take(tallyWindowsMs.length * tallyCount * 4),
  /** Today's calls, and those of them of each kind; then earlier days', faded. */
  shares: take(2 * (1 + shareKinds.length)),
  /** Nats carried over from the days before: of each tally, then of calls. */
  carried: take(tallyCount + 1),
  /** Per window: linear counters of distinct objects and of distinct functions (Whang et al., 1990). */
  objectsSeen: [counter(16), counter(48)],
  functionsSeen: [counter(4), counter(8)],
  changedSeen: [counter(16), counter(48)],
  /** Objects ever touched, in two generations of a Bloom filter, and how many bits the young one has had set. */
  known: take(128),
  knownFill: take(1),
  /** Decayed touches of known, free and foreign objects. */
  touches: take(3),
  /** The last object that was a number, and the area in which. */
  lastNumber: take(2),
  /** Nats that speak for counting through objects; and the area of something created since then. */
  counting: take(2),
  /** Five-minute slots of the day in which something was called. */
  slots: take(9),
  /** Length of the last gap between calls, ms. */
  lastGap: take(1),
  /** The last four tokens and their contexts, and what was odd about tokens today. */
  tokens: take(36),
  tokenDay: take(6),
  /** Where the identity was last: latitude, longitude, seconds since 1970, network, then radius and country in 16 bits each. */
  place: take(5),
  /** TLS fingerprints. */
  tls: take(2),
  /** Rights: the last combination, and a set of all. */
  rights: take(5),
  /** Day since 1970, and what its first uses of functions say of another role, nats. */
  takenUp: take(2),
  /** What is new today, and today's number. */
  patterns: take(6),
  /** Own transitions and the session's progress. */
  sequence: take(48),
  /** What the identity did as a source of others' calls. */
  source: take(16),
  /** Gaps between calls: mean, variance and weight; and of the quick ones of late nats, calls and ms. */
  tempo: take(6),
  /** Nats that speak for larger answers than usual in the session. */
  larger: take(1),
  /** Calls per five minutes. */
  series: take(seriesWords),
} as const;

export const activeWords = words + (words % 2);
export const activeBytes = activeWords * 4;
