import { identityKey } from '../identity/identity-key.ts';
import type { Raised } from './outcome.ts';
import type { Item } from './ranking.ts';
import type { Incident, Scores, Traffic } from './traffic.ts';

/** Events of one identity that are judged together, and those it must have had before; as the set's own scorer does. */
const windowEvents = 20;
const historyMin = 60;
const monthMs = 30 * 86_400_000;

export type Takeover = {
  readonly incident: string;
  readonly victim: string;
  readonly first_ts: number;
  readonly last_ts: number;
  readonly ids: readonly string[];
};

export function takeoverIncidents(takeovers: readonly Takeover[]): Incident[] {
  return takeovers.map(({ victim, ...takeover }) => ({
    ...takeover,
    recipe: 'takeover',
    family: 'takeover',
    kind: 'attack',
    pace: 'slow',
    identities: [identityKey('user', null, victim)],
    expected: [],
  }));
}

/**
 * Windows that are an attack when at least half of their events are, and left out when fewer but some are. Their mean surprise, and their
 * highest evidence. Windows that end before `from` are left out, and so is who was not known then: a model frozen at that time has nothing to say of him.
 */
export function windowItems(traffic: Traffic, scores: Scores, from = 0): { surprise: Item[]; evidence: Item[] } {
  const recent = new Map<number, { count: number; before: number; readonly window: number[] }>();
  const surprise: Item[] = [];
  const evidence: Item[] = [];
  for (let i = 0; i < traffic.size; i++) {
    const who = traffic.identityOf[i]!;
    const state = recent.get(who) ?? { count: 0, before: 0, window: [] };
    recent.set(who, state);
    state.window.push(i);
    if (state.window.length > windowEvents) state.window.shift();
    if (traffic.ts[i]! < from) state.before++;
    if (state.count++ < historyMin || traffic.ts[i]! < from || (from > 0 && state.before < historyMin)) continue;
    const stolen = state.window.filter((index) => traffic.incidentOf[index]! >= 0).length;
    if (stolen > 0 && stolen < windowEvents / 2) continue;
    const of = { attack: stolen > 0, incident: String(traffic.incidentOf[i]!) };
    const sum = state.window.reduce((total, index) => total + scores.event[index]!, 0);
    surprise.push({ ...of, score: sum / windowEvents });
    evidence.push({ ...of, score: Math.max(...state.window.map((index) => scores.state[index]!)) });
  }
  return { surprise, evidence };
}

export type TakeoverFindings = {
  /** Takeovers during which a finding of the victim was raised. */
  readonly raised: number;
  readonly total: number;
  readonly false: number;
  /** Per 1,000 active identities per 30 days. */
  readonly falseRate: number;
};

/** A finding is true when it overlaps a takeover of its identity; all others are false, those of other times of the same identity included. */
export function takeoverFindings(traffic: Traffic, findings: readonly Raised[]): TakeoverFindings {
  const raised = new Set<string>();
  let wrong = 0;
  for (const { finding, at } of findings) {
    const hits = traffic.incidents.filter(
      ({ identities, first_ts, last_ts }) =>
        identities[0] === finding.identity && finding.first_seen <= last_ts && finding.last_seen >= first_ts,
    );
    if (hits.length === 0) wrong++;
    const ts = traffic.ts[at]!;
    for (const hit of hits) if (ts >= hit.first_ts && ts <= hit.last_ts) raised.add(hit.incident);
  }
  const months = new Set(traffic.ts.map((ts, i) => traffic.identityOf[i]! * 100_000 + Math.floor(ts / monthMs))).size;
  return { raised: raised.size, total: findings.length, false: wrong, falseRate: (wrong / months) * 1000 };
}
