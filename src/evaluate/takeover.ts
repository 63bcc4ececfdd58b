import { seededRandom } from '../core/random.ts';
import { identityKey } from '../identity/identity-key.ts';
import type { FindingScores } from './outcome.ts';
import { meanOf, median } from './ranking.ts';
import type { Table } from './table.ts';
import { digits } from './table.ts';
import type { Incident, Traffic } from './traffic.ts';

/** A recorded event, of which only who, when and its id matter here. */
export type Recorded = Readonly<Record<string, unknown>> & {
  readonly ts: number;
  readonly event_id: string;
  readonly subject: string;
};

/** Learning under attack: streams of real people in which somebody is somebody else from some time on, for good. */
export type Takeovers = {
  readonly events: readonly Recorded[];
  readonly incidents: readonly Incident[];
  readonly from: number;
};

/** Calls of each takeover that are looked at, in blocks. */
const stolenCalls = 500;
const blockCalls = 100;
/** What a victim must have shown of itself before. */
const pastCalls = 100;

/**
 * Each person with enough calls becomes, for the last 500 of them, another: a victim, whose own calls end there. Donors and victims are paired in the order of
 * their names, which are hashes.
 */
export function takeoversForGood(events: readonly Recorded[]): Takeovers {
  const bySubject = groupBySubject(events);
  const subjects = [...bySubject.keys()].sort();
  const used = new Set<string>();
  const renamed = new Map<string, string>();
  const endOf = new Map<string, number>();
  const incidents: Incident[] = [];
  for (const donor of subjects) {
    const stolen = bySubject.get(donor)!.slice(-stolenCalls);
    if (bySubject.get(donor)!.length < stolenCalls || used.has(donor)) continue;
    const first = stolen[0]!.ts;
    const victim = subjects.find((subject) => {
      const own = bySubject.get(subject)!;
      return (
        subject !== donor && !used.has(subject) && own.length < stolenCalls && (own[pastCalls]?.ts ?? Infinity) < first
      );
    });
    if (victim === undefined) continue;
    used.add(donor).add(victim);
    endOf.set(victim, first);
    for (const { event_id } of stolen) renamed.set(event_id, victim);
    incidents.push(incidentOf(victim, stolen));
  }
  const kept = events.filter(({ subject, ts }) => ts < (endOf.get(subject) ?? Infinity));
  const from = Math.min(...incidents.map(({ first_ts }) => first_ts));
  return {
    events: kept.map((event) => ({ ...event, subject: renamed.get(event.event_id) ?? event.subject })),
    incidents,
    from,
  };
}

/**
 * From the moment when 60 % of the events have passed, a twentieth of the people who are known by then (two at least) go on under each other's names, for up
 * to 500 calls; then the name is heard no more.
 */
export function swaps(events: readonly Recorded[], seed: number): Takeovers {
  const from = events[Math.floor(events.length * 0.6)]!.ts;
  const counts = [...groupBySubject(events)].map(([subject, own]) => {
    const before = own.filter(({ ts }) => ts < from).length;
    return { subject, before, after: own.length - before };
  });
  // The set's own scorer wants 60 calls before it judges, and windows of 20.
  const known = counts.filter(({ before, after }) => before >= 60 && after >= 20).map(({ subject }) => subject);
  const random = seededRandom(seed);
  const chosen = known
    .sort()
    .map((subject) => ({ subject, place: random.next() }))
    .sort((a, b) => a.place - b.place)
    .slice(0, Math.max(2, Math.round(known.length / 20)))
    .map(({ subject }) => subject);
  const next = new Map(chosen.map((subject, i) => [subject, chosen[(i + 1) % chosen.length]!]));
  const swapped = events.map((event) =>
    event.ts < from ? event : { ...event, subject: next.get(event.subject) ?? event.subject },
  );
  const bySubject = groupBySubject(swapped.filter(({ ts }) => ts >= from));
  const incidents = chosen.map((subject) => incidentOf(subject, bySubject.get(subject)!.slice(0, stolenCalls)));
  const surplus = new Set(chosen.flatMap((subject) => bySubject.get(subject)!.slice(stolenCalls)));
  return { events: swapped.filter((event) => !surplus.has(event)), incidents, from };
}

function groupBySubject(events: readonly Recorded[]): Map<string, Recorded[]> {
  const groups = new Map<string, Recorded[]>();
  for (const event of events) {
    const group = groups.get(event.subject);
    if (group === undefined) groups.set(event.subject, [event]);
    else group.push(event);
  }
  return groups;
}

function incidentOf(victim: string, stolen: readonly Recorded[]): Incident {
  return {
    incident: victim,
    recipe: 'takeover for good',
    family: 'takeover',
    kind: 'attack',
    pace: 'slow',
    identities: [identityKey('user', null, victim)],
    first_ts: stolen[0]!.ts,
    last_ts: stolen.at(-1)!.ts,
    ids: stolen.map(({ event_id }) => event_id),
    expected: [],
  };
}

export type Block = {
  readonly surprise: number;
  readonly usual: number;
  readonly odd: boolean;
  readonly open: boolean;
};

/**
 * Per takeover and block of a hundred stolen calls: their mean surprise against that of the victim's own last hundred, whether it is above by more than
 * two standard errors, and whether a finding of the victim was open.
 */
export function blocksOf(traffic: Traffic, scores: FindingScores): Block[][] {
  return traffic.incidents.map((incident, i) => {
    const identity = traffic.identities.indexOf(incident.identities[0]!);
    const own = [...traffic.ts.keys()].filter((index) => traffic.identityOf[index] === identity);
    const before = own.filter((index) => traffic.incidentOf[index] !== i).slice(-pastCalls);
    const stolen = own.filter((index) => traffic.incidentOf[index] === i);
    const surprise = (of: readonly number[]) => meanOf(of.map((index) => scores.event[index]!));
    const usual = surprise(before);
    return Array.from({ length: stolenCalls / blockCalls }, (_, b) => {
      const block = stolen.slice(b * blockCalls, (b + 1) * blockCalls);
      const now = surprise(block);
      const [first, last] = [traffic.ts[block[0]!]!, traffic.ts[block.at(-1)!]!];
      const open = scores.raised.some(
        ({ finding }) =>
          finding.identity === incident.identities[0] && finding.first_seen <= last && finding.last_seen >= first,
      );
      return {
        surprise: now.mean,
        usual: usual.mean,
        odd: now.mean - usual.mean > 2 * Math.hypot(now.error, usual.error),
        open,
      };
    });
  });
}

/** `frozen` is the same of a model that learned nothing of the stolen calls. */
export function blockTable(takeovers: readonly Block[][], frozen: readonly Block[][]): Table {
  const count = (of: readonly Block[][], holds: (blocks: readonly Block[]) => boolean): string =>
    `${of.filter(holds).length} of ${of.length}`;
  return {
    title: 'An identity taken over for good: its next 500 calls (source-activity, one person continued by another)',
    columns: [
      ...['stolen calls', 'mean surprise (median)', "the victim's own", 'still odd', 'finding open', 'either'],
      'odd where nothing is learned of them',
    ],
    rows: Array.from({ length: stolenCalls / blockCalls }, (_, b) => [
      `${b * blockCalls + 1} to ${(b + 1) * blockCalls}`,
      digits(median(takeovers.map((blocks) => blocks[b]!.surprise)), 3),
      digits(median(takeovers.map((blocks) => blocks[b]!.usual)), 3),
      count(takeovers, (blocks) => blocks[b]!.odd),
      count(takeovers, (blocks) => blocks[b]!.open),
      count(takeovers, (blocks) => blocks[b]!.odd || blocks[b]!.open),
      count(frozen, (blocks) => blocks[b]!.odd),
    ]),
  };
}
