import type { Observed } from '../feature/family.ts';
import type { Contribution } from '../score/batch.ts';
import type { Reason } from './finding.ts';

/** Events kept as examples, and features kept as reasons. */
const examplesMax = 10;
const reasonsMax = 24;

type Example = { readonly event_id: string; readonly ts: number; readonly surprise: number };
type Tally = { nats: number; most: number; observed: Observed; peers: string };

/** What has gathered about an identity since it began to look odd: enough to explain a finding when there is one. Plain data. */
export type CaseFile = {
  firstSeen: number;
  lastSeen: number;
  count: number;
  /** Odd calls that were answered with success: the outcome decides between a probe and a breach. */
  succeeded: number;
  surprise: number;
  examples: Example[];
  tallies: Record<string, Tally>;
};

export function openCase(ts: number): CaseFile {
  return {
    firstSeen: ts,
    lastSeen: ts,
    count: 0,
    succeeded: 0,
    surprise: 0,
    examples: [],
    tallies: Object.create(null),
  };
}

export type OddEvent = Example & {
  readonly success: boolean;
  readonly contributions: readonly Contribution[];
  /** Whether the case goes on: one in ten of anybody's calls is a little odd, and a claim does not live on those. */
  readonly keepsOpen: boolean;
};

export function addToCase(file: CaseFile, event: OddEvent): void {
  if (file.count === 0) file.firstSeen = event.ts;
  file.count++;
  if (event.success) file.succeeded++;
  if (event.keepsOpen && event.ts > file.lastSeen) file.lastSeen = event.ts;
  if (event.surprise > file.surprise) file.surprise = event.surprise;
  keepExample(file.examples, { event_id: event.event_id, ts: event.ts, surprise: event.surprise });
  for (const { feature, nats, observed, peers } of event.contributions) {
    const tally = file.tallies[feature];
    if (tally === undefined) {
      if (Object.keys(file.tallies).length < reasonsMax) file.tallies[feature] = { nats, most: nats, observed, peers };
      continue;
    }
    tally.nats += nats;
    if (nats < tally.most) continue;
    tally.most = nats;
    tally.observed = observed;
    tally.peers = peers;
  }
}

function keepExample(examples: Example[], example: Example): void {
  examples.push(example);
  if (examples.length <= examplesMax) return;
  let least = 0;
  for (let i = 1; i < examples.length; i++) if (examples[i]!.surprise < examples[least]!.surprise) least = i;
  examples.splice(least, 1);
}

/** What a feature is about: its family, save that a large answer and much data in all are one fact. */
function subjectOf(feature: string): string {
  const family = feature.slice(0, feature.indexOf('.'));
  return family === 'volume' ? 'egress' : family;
}

/**
 * First the feature of `prefer` that said most, which is what is claimed; then the strongest of every other subject, for three sides of one fact say less
 * than three facts; then the rest. Shares are of all that was said.
 */
export function reasonsOf(file: CaseFile, prefer: (feature: string) => boolean): Reason[] {
  const total = Object.values(file.tallies).reduce((sum, { nats }) => sum + nats, 0);
  const all = Object.entries(file.tallies).sort(([a, x], [b, y]) => y.nats - x.nats || (a < b ? -1 : 1));
  const claimed = all.find(([feature]) => prefer(feature));
  const told = new Set<string>(claimed === undefined ? [] : [subjectOf(claimed[0])]);
  const others = all.filter((each) => each !== claimed);
  const facts = others.filter(([feature]) => !told.has(subjectOf(feature)) && told.add(subjectOf(feature)));
  return [...(claimed === undefined ? [] : [claimed]), ...facts, ...others.filter((each) => !facts.includes(each))]
    .slice(0, 5)
    .map(([feature, { nats, observed, peers }]) => ({
      feature,
      observed: observed.observed,
      expected: observed.expected,
      low: observed.low,
      high: observed.high,
      share: Math.round((nats / total) * 1000) / 1000,
      level: observed.level,
      peer_group: peers,
      sample_size: observed.sampleSize,
      text: observed.text,
    }));
}

/** The feature of this family that said most. */
export function strongestOf(file: CaseFile, prefix: string): string | undefined {
  let best: string | undefined;
  for (const [feature, { nats }] of Object.entries(file.tallies)) {
    if (feature.startsWith(prefix) && nats > (best === undefined ? 0 : file.tallies[best]!.nats)) best = feature;
  }
  return best;
}
