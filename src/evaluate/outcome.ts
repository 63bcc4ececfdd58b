import type { Finding, Severity } from '../finding/finding.ts';
import { severities } from '../finding/finding.ts';
import { type Ranking, rankByClass } from './ranking.ts';
import { dayMs, type Incident, type Scores, type Traffic } from './traffic.ts';

/** A finding in its final state, with the number of the event that named it first. */
export type Raised = { readonly finding: Finding; readonly at: number };

/** A finding may come this long after the last call of an incident and still be its. */
const graceMs = 3_600_000;
/** Reasons of a finding that a reader is sure to see. */
const reasonsSeen = 3;
/** Gait closes a finding after three quiet days; a peer's alerts of one identity are taken together by the same rule. */
const quietDays = 3;

export type IncidentOutcome = {
  readonly incident: Incident;
  readonly found: boolean;
  /** Calls of the incident until the finding, the one that raised it included, and time; NaN when not found. */
  readonly delayEvents: number;
  readonly delayMs: number;
  /** The first finding's top three reasons hold an expected one. */
  readonly reasonsRight: boolean;
  /** The highest of its findings. */
  readonly severity: Severity | null;
};

const missed = { found: false, delayEvents: Number.NaN, delayMs: Number.NaN, reasonsRight: false, severity: null };

/**
 * A finding is of an incident when it names one of its identities, was raised between its first call and an hour after its last, and by one of its
 * calls or with one among its examples. One that was open before, for another reason, does not count.
 */
export function incidentOutcomes(traffic: Traffic, raised: readonly Raised[]): IncidentOutcome[] {
  const byIdentity = new Map<string, Raised[]>();
  for (const each of raised) {
    const others = byIdentity.get(each.finding.identity);
    if (others === undefined) byIdentity.set(each.finding.identity, [each]);
    else others.push(each);
  }
  const calls = callsByIncident(traffic);
  return traffic.incidents.map((incident, i) => {
    const ids = new Set(incident.ids);
    const own = incident.identities
      .flatMap((identity) => byIdentity.get(identity) ?? [])
      .filter(({ finding, at }) => {
        const ts = traffic.ts[at]!;
        const within = ts >= incident.first_ts && ts <= incident.last_ts + graceMs;
        return within && (traffic.incidentOf[at] === i || finding.event_ids.some((id) => ids.has(id)));
      })
      .sort((a, b) => a.at - b.at);
    if (own.length === 0) return { incident, ...missed };
    const reasons = own[0]!.finding.reasons.slice(0, reasonsSeen);
    const severity = Math.max(...own.map(({ finding }) => severities.indexOf(finding.severity)));
    return {
      incident,
      found: true,
      ...delay(traffic, incident, { calls: calls[i]!, at: own[0]!.at }),
      reasonsRight: reasons.some(({ feature }) => incident.expected.some((prefix) => feature.startsWith(prefix))),
      severity: severities[severity]!,
    };
  });
}

function delay(traffic: Traffic, incident: Incident, of: { calls: readonly number[]; at: number }) {
  return {
    delayEvents: of.calls.filter((call) => call <= of.at).length,
    delayMs: traffic.ts[of.at]! - incident.first_ts,
  };
}

function callsByIncident(traffic: Traffic): number[][] {
  const calls: number[][] = traffic.incidents.map(() => []);
  for (const [i, incident] of traffic.incidentOf.entries()) if (incident >= 0) calls[incident]!.push(i);
  return calls;
}

/** What is spent on identities that no attack touches, after the stream's first day. */
export type Spending = {
  readonly falseFindings: number;
  /** Days (UTC) on which such an identity was active, summed over identities. */
  readonly identityDays: number;
};

/** Null for a stream that has no second day. */
export function per1000Days({ falseFindings, identityDays }: Spending): number | null {
  return identityDays === 0 ? null : (1000 * falseFindings) / identityDays;
}

/** Per innocent identity and day after the first: the highest score, looked up by one number for both. */
class InnocentDays {
  readonly #innocents: ReadonlySet<number>;
  readonly #from: number;
  readonly #traffic: Traffic;

  constructor(traffic: Traffic) {
    this.#traffic = traffic;
    this.#innocents = traffic.innocents();
    this.#from = (traffic.ts[0] ?? 0) + dayMs;
  }

  /** Undefined for an event that spends nothing of the budget. */
  key(index: number): number | undefined {
    const ts = this.#traffic.ts[index]!;
    const who = this.#traffic.identityOf[index]!;
    return ts < this.#from || !this.#innocents.has(who) ? undefined : who * 100_000 + Math.floor(ts / dayMs);
  }

  highest(score: (index: number) => number): Map<number, number> {
    const days = new Map<number, number>();
    for (let i = 0; i < this.#traffic.size; i++) {
      const key = this.key(i);
      if (key !== undefined) days.set(key, Math.max(days.get(key) ?? Number.NEGATIVE_INFINITY, score(i)));
    }
    return days;
  }
}

export function spending(traffic: Traffic, raised: readonly Raised[]): Spending {
  const days = new InnocentDays(traffic);
  const falseFindings = raised.filter(({ at }) => days.key(at) !== undefined).length;
  return { falseFindings, identityDays: days.highest(() => 0).size };
}

/**
 * The lowest threshold at which a peer's alerts (scores above it) make no more than `falseMax` false findings. Days of one identity with at most two
 * quiet ones between them are one finding, as Gait's own.
 */
export function thresholdFor(traffic: Traffic, scores: Scores, falseMax: number): number {
  const highest = new InnocentDays(traffic).highest((i) => scores.state[i]!);
  const alerting = new Set<number>();
  let findings = 0;
  for (const [day, score] of [...highest].sort((a, b) => b[1] - a[1])) {
    const near = (step: number): boolean =>
      Array.from({ length: quietDays }, (_, i) => day + step * (i + 1)).some((each) => alerting.has(each));
    findings += 1 - Number(near(-1)) - Number(near(1));
    if (findings > falseMax) return score;
    alerting.add(day);
  }
  return Number.NEGATIVE_INFINITY;
}

/** The same for a peer: an incident is found by its first call that scores above the threshold, when that score was known. */
export function peerOutcomes(traffic: Traffic, scores: PeerScores, threshold: number): IncidentOutcome[] {
  return callsByIncident(traffic).map((calls, i) => {
    const incident = traffic.incidents[i]!;
    const at = Math.min(...calls.flatMap((call) => (scores.state[call]! > threshold ? [scores.knownAt[call]!] : [])));
    if (!Number.isFinite(at)) return { incident, ...missed };
    return { incident, ...missed, found: true, ...delay(traffic, incident, { calls, at }) };
  });
}

export type PeerScores = Scores & {
  /** The number of the event with which the score came to be: the last of its window. */
  readonly knownAt: Int32Array;
};

export type Rankings = {
  readonly events: Ranking;
  /** Highest state of an identity's day; an attack when any of its events is one. */
  readonly days: Ranking;
  readonly byFamily: ReadonlyMap<string, { readonly events: Ranking; readonly days: Ranking }>;
};

export function rankings(traffic: Traffic, scores: Scores): Rankings {
  const attacks = traffic.incidents.filter(({ kind }) => kind === 'attack');
  const families = [...new Set(attacks.map(({ family }) => family))].sort();
  const classOfEvent = Int32Array.from(traffic.ts, (_, i) =>
    traffic.isAttack(i) ? families.indexOf(traffic.incidents[traffic.incidentOf[i]!]!.family) + 1 : 0,
  );
  const days = new Map<number, { score: number; class: number }>();
  for (let i = 0; i < traffic.size; i++) {
    const key = traffic.identityOf[i]! * 100_000 + Math.floor(traffic.ts[i]! / dayMs);
    const known = days.get(key);
    const score = Math.max(known?.score ?? Number.NEGATIVE_INFINITY, scores.state[i]!);
    days.set(key, { score, class: known?.class || classOfEvent[i]! });
  }
  const all = [...days.values()];
  const events = rankByClass(scores.event, classOfEvent, families.length);
  const byDay = rankByClass(
    Float64Array.from(all, ({ score }) => score),
    Int32Array.from(all, (day) => day.class),
    families.length,
  );
  return {
    events: events[0]!,
    days: byDay[0]!,
    byFamily: new Map(families.map((family, i) => [family, { events: events[i + 1]!, days: byDay[i + 1]! }])),
  };
}
