import type { Finding, Severity } from '../finding/finding.ts';
import { severities } from '../finding/finding.ts';
import { type Ranking, rankByClass } from './ranking.ts';
import { dayMs, type Incident, type Scores, type Traffic } from './traffic.ts';

/** A finding in its final state, with the number of the event that named it first. */
export type Raised = { readonly finding: Finding; readonly at: number };

/** What Gait said of a stream: scores, and the findings it raised at a budget (per 1,000 identities and day). */
export type FindingScores = Scores & {
  readonly budget: number;
  readonly raised: readonly Raised[];
};

/** A finding may come this long after the last call of an incident and still be its. */
const graceMs = 3_600_000;
/** Reasons of a finding that a reader is sure to see. */
const reasonsSeen = 3;
/** Gait closes a finding after three quiet days; a peer's alerts of one identity are taken together by the same rule. */
const quietDays = 3;

export type IncidentOutcome = {
  readonly incident: Incident;
  /** A finding was raised by it. */
  readonly found: boolean;
  /** Or one of its identities had a finding that reaches from before, or into, its time. */
  readonly covered: boolean;
  /** Calls of the incident until the finding, the one that raised it included, and time; NaN when not found. */
  readonly delayEvents: number;
  readonly delayMs: number;
  /** The first finding's top three reasons hold an expected one. */
  readonly reasonsRight: boolean;
  /** The highest of its findings. */
  readonly severity: Severity | null;
};

const missed = {
  found: false,
  covered: false,
  delayEvents: Number.NaN,
  delayMs: Number.NaN,
  reasonsRight: false,
  severity: null,
};

/**
 * A finding is of an incident when it names one of its identities, was raised between its first call and an hour after its last, and by one of its
 * calls or with one among its examples. One that was open before, for another reason, only covers it.
 */
export function incidentOutcomes(traffic: Traffic, scores: FindingScores): IncidentOutcome[] {
  const byIdentity = new Map<string, Raised[]>();
  for (const each of scores.raised) {
    const others = byIdentity.get(each.finding.identity);
    if (others === undefined) byIdentity.set(each.finding.identity, [each]);
    else others.push(each);
  }
  const calls = callsByIncident(traffic);
  return traffic.incidents.map((incident, i) => {
    const ids = new Set(incident.ids);
    const named = incident.identities.flatMap((identity) => byIdentity.get(identity) ?? []);
    const own = named
      .filter(({ finding, at }) => {
        const ts = traffic.ts[at]!;
        const within = ts >= incident.first_ts && ts <= incident.last_ts + graceMs;
        return within && (traffic.incidentOf[at] === i || finding.event_ids.some((id) => ids.has(id)));
      })
      .sort((a, b) => a.at - b.at);
    if (own.length === 0)
      return { incident, ...missed, covered: named.some(({ finding }) => overlaps(incident, finding)) };
    const reasons = own[0]!.finding.reasons.slice(0, reasonsSeen);
    const severity = Math.max(...own.map(({ finding }) => severities.indexOf(finding.severity)));
    return {
      incident,
      found: true,
      covered: true,
      ...delay(traffic, incident, { calls: calls[i]!, at: own[0]!.at }),
      reasonsRight: reasons.some(({ feature }) => incident.expected.some((prefix) => feature.startsWith(prefix))),
      severity: severities[severity]!,
    };
  });
}

function overlaps(incident: Incident, span: { readonly first_seen: number; readonly last_seen: number }): boolean {
  return span.first_seen <= incident.last_ts && span.last_seen >= incident.first_ts;
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

/** What is spent on identities that no attack touches, after the stream's first day; of a stream that has no second day, in all of it. */
export type Spending = Spent & {
  /** Of this, what falls to identities that no look-alike names either: whoever does nothing unusual. Null where it is not told apart. */
  readonly ordinary: Spent | null;
};

type Spent = {
  readonly falseFindings: number;
  /** Days (UTC) on which such an identity was active, summed over identities. */
  readonly identityDays: number;
};

/** Null where nobody is innocent. */
export function per1000Days({ falseFindings, identityDays }: Spent): number | null {
  return identityDays === 0 ? null : (1000 * falseFindings) / identityDays;
}

/** Per innocent identity and day that counts: the highest score, looked up by one number for both. */
class InnocentDays {
  readonly #innocents: ReadonlySet<number>;
  readonly #from: number;
  readonly #traffic: Traffic;

  constructor(traffic: Traffic, innocents = traffic.innocents()) {
    this.#traffic = traffic;
    this.#innocents = innocents;
    const start = traffic.ts[0] ?? 0;
    this.#from = (traffic.ts.at(-1) ?? 0) < start + dayMs ? start : start + dayMs;
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
  const ordinary = spentOn(new InnocentDays(traffic, traffic.ordinary()), raised);
  return { ...spentOn(new InnocentDays(traffic), raised), ordinary };
}

function spentOn(days: InnocentDays, raised: readonly Raised[]): Spent {
  const falseFindings = raised.filter(({ at }) => days.key(at) !== undefined).length;
  return { falseFindings, identityDays: days.highest(() => 0).size };
}

/** What falls to the others: those whose days hold something innocent that looks like an attack. */
export function onLookAlikes({ falseFindings, identityDays, ordinary }: Spending): Spent | null {
  if (ordinary === null || ordinary.identityDays === identityDays) return null;
  return {
    falseFindings: falseFindings - ordinary.falseFindings,
    identityDays: identityDays - ordinary.identityDays,
  };
}

/**
 * A peer's alerts are scores above a threshold. Innocent identity-days from the highest score down, each with the false findings that a threshold
 * just below it makes: days of one identity with at most two quiet ones between them are one finding, as Gait's own.
 */
function* alertingDays(
  traffic: Traffic,
  scores: Scores,
): Generator<{ readonly score: number; readonly findings: number }> {
  const highest = new InnocentDays(traffic).highest((i) => scores.state[i]!);
  const alerting = new Set<number>();
  let findings = 0;
  for (const [day, score] of [...highest].sort((a, b) => b[1] - a[1])) {
    const steps = Array.from({ length: quietDays }, (_, i) => i + 1);
    const before = steps.find((step) => alerting.has(day - step));
    const after = steps.find((step) => alerting.has(day + step));
    findings += 1 - Number(before !== undefined) - Number(after !== undefined);
    // Both neighbours were one finding already.
    if (before !== undefined && after !== undefined && before + after <= quietDays) findings++;
    alerting.add(day);
    yield { score, findings };
  }
}

/** The lowest threshold at which a peer makes no more than `falseMax` false findings: the best for it that can be had. */
export function thresholdFor(traffic: Traffic, scores: Scores, falseMax: number): number {
  for (const { score, findings } of alertingDays(traffic, scores)) if (findings > falseMax) return score;
  return Number.NEGATIVE_INFINITY;
}

/** What a peer spends at a threshold of its own. */
export function peerSpending(traffic: Traffic, scores: Scores, threshold: number): Spending {
  let falseFindings = 0;
  for (const { score, findings } of alertingDays(traffic, scores)) if (score > threshold) falseFindings = findings;
  return { ...spending(traffic, []), falseFindings, ordinary: null };
}

/** A peer's alerts of one identity with fewer than three quiet days between them. `at` is the event with which the first score was known. */
type PeerFinding = { readonly first: number; readonly at: number; readonly first_seen: number; last_seen: number };

/** The same for a peer: its finding is of an incident that its first alert is a call of. */
export function peerOutcomes(traffic: Traffic, scores: PeerScores, threshold: number): IncidentOutcome[] {
  const byIdentity = new Map<string, PeerFinding[]>();
  for (let i = 0; i < traffic.size; i++) {
    if (scores.state[i]! <= threshold) continue;
    const identity = traffic.identities[traffic.identityOf[i]!]!;
    const ts = traffic.ts[i]!;
    const findings = byIdentity.get(identity) ?? [];
    byIdentity.set(identity, findings);
    const open = findings.at(-1);
    if (open !== undefined && ts - open.last_seen < quietDays * dayMs) open.last_seen = ts;
    else findings.push({ first: i, at: scores.knownAt[i]!, first_seen: ts, last_seen: ts });
  }
  const calls = callsByIncident(traffic);
  return traffic.incidents.map((incident, i) => {
    const named = incident.identities.flatMap((identity) => byIdentity.get(identity) ?? []);
    const covered = named.some((finding) => overlaps(incident, finding));
    const own = named.find(({ first }) => traffic.incidentOf[first] === i);
    if (own === undefined) return { incident, ...missed, covered };
    return { incident, ...missed, found: true, covered, ...delay(traffic, incident, { calls: calls[i]!, at: own.at }) };
  });
}

export type PeerScores = Scores & {
  /** The number of the event with which the score came to be: the last of its window. */
  readonly knownAt: Int32Array;
};

export type RankedBy = {
  /** By how odd the event is by itself. */
  readonly events: Ranking;
  /** Events again, by how suspicious the identity is with them: what a window says of its calls, and so what windows are to be compared with. */
  readonly states: Ranking;
  /** Highest state of an identity's day; an attack when any of its events is one. */
  readonly days: Ranking;
};

export type Rankings = RankedBy & { readonly byFamily: ReadonlyMap<string, RankedBy> };

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
  const states = rankByClass(scores.state, classOfEvent, families.length);
  const byDay = rankByClass(
    Float64Array.from(all, ({ score }) => score),
    Int32Array.from(all, (day) => day.class),
    families.length,
  );
  const rankedBy = (i: number): RankedBy => ({ events: events[i]!, states: states[i]!, days: byDay[i]! });
  return { ...rankedBy(0), byFamily: new Map(families.map((family, i) => [family, rankedBy(i + 1)])) };
}
