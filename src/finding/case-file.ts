import type { Observed } from '../feature/family.ts';
import type { Contribution } from '../score/contribution.ts';
import type { Cause, Reason } from './finding.ts';
import { counting } from './words.ts';

/** Events kept as examples, and features kept as reasons. */
const examplesMax = 10;
const reasonsMax = 24;
const valuesMax = 16;

type Example = {
  readonly event_id: string;
  readonly ts: number;
  readonly surprise: number;
  readonly route: string;
  readonly clientIp: string | null;
};
/** `most`: in one event. `values`: what was observed of a feature that tells where somebody comes from, or with what. */
export type Tally = { nats: number; most: number; observed: Observed; peers: string; values?: string[] };

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
  const { event_id, ts, surprise, route, clientIp } = event;
  keepExample(file.examples, { event_id, ts, surprise, route, clientIp });
  for (const contribution of event.contributions) addToTally(file.tallies, contribution);
}

function addToTally(tallies: CaseFile['tallies'], { feature, nats, observed, peers }: Contribution): void {
  const values = isOfValues(feature) ? [String(observed.observed)] : undefined;
  const tally = tallies[feature];
  if (tally === undefined) {
    if (!makeRoom(tallies, nats)) return;
    tallies[feature] = { nats, most: nats, observed, peers, ...(values && { values }) };
    return;
  }
  tally.nats += nats;
  // Of more than so many it is no longer told which: a person who looks at it has not seen the others.
  if (values && tally.values && tally.values.length < valuesMax && !tally.values.includes(values[0]!))
    tally.values.push(values[0]!);
  if (nats < tally.most) return;
  tally.most = nats;
  tally.observed = observed;
  tally.peers = peers;
}

/** Of a case that is full the least said gives way to what says more: what is claimed late needs its reason as well. */
function makeRoom(tallies: CaseFile['tallies'], nats: number): boolean {
  const all = Object.entries(tallies);
  if (all.length < reasonsMax) return true;
  const [feature, least] = all.reduce((one, other) => (other[1].nats < one[1].nats ? other : one));
  if (least.nats >= nats) return false;
  delete tallies[feature];
  return true;
}

/** Features of which it matters what was observed, and not only how odd it was: another country is another story. */
function isOfValues(feature: string): boolean {
  return feature.startsWith('context.');
}

function keepExample(examples: Example[], example: Example): void {
  examples.push(example);
  if (examples.length <= examplesMax) return;
  let least = 0;
  for (let i = 1; i < examples.length; i++) if (examples[i]!.surprise < examples[least]!.surprise) least = i;
  examples.splice(least, 1);
}

/**
 * The question that a feature answers: its family's, save that all who count how much there is answer one, and that somebody was away for long is
 * another than what is new today.
 */
function questionOf(feature: string): string {
  const family = feature.slice(0, feature.indexOf('.'));
  if (counting.has(family)) return 'how much';
  return feature === 'patterns.dormant' ? feature : family;
}

/**
 * First the feature of `prefer` that said most, which is what is claimed; then the strongest answer to every other question, for three answers to one say
 * less than answers to three; then the rest. Shares are of all that was said.
 */
export function reasonsOf(file: CaseFile, prefer: (feature: string) => boolean): Reason[] {
  const total = Object.values(file.tallies).reduce((sum, { nats }) => sum + nats, 0);
  const all = Object.entries(file.tallies).sort(([a, x], [b, y]) => y.nats - x.nats || (a < b ? -1 : 1));
  const claimed = all.find(([feature]) => prefer(feature));
  const told = new Set<string>(claimed === undefined ? [] : [questionOf(claimed[0])]);
  const others = all.filter((each) => each !== claimed);
  const facts = others.filter(([feature]) => !told.has(questionOf(feature)) && told.add(questionOf(feature)));
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

/** All that was said, but for what `isOthers` says of a family that it belongs to another claim. Rounded up, to be read and to be stored. */
export function causeOf(file: CaseFile, isOthers: (family: string) => boolean): Cause {
  const own = Object.entries(file.tallies).filter(([feature]) => !isOthers(feature.slice(0, feature.indexOf('.'))));
  own.sort(([a, x], [b, y]) => y.most - x.most || (a < b ? -1 : 1));
  return Object.fromEntries(
    own.map(([feature, { most, values }]) => [
      feature,
      { nats: Math.ceil(most * 100) / 100, ...(values && { values: [...values] }) },
    ]),
  );
}

/** The feature of this family that said most. */
export function strongestOf(file: CaseFile, prefix: string): string | undefined {
  let best: string | undefined;
  for (const [feature, { nats }] of Object.entries(file.tallies)) {
    if (feature.startsWith(prefix) && nats > (best === undefined ? 0 : file.tallies[best]!.nats)) best = feature;
  }
  return best;
}
