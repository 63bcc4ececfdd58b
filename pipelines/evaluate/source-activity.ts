import { gunzipSync } from 'node:zlib';
import { emptyEvent, type TrafficEvent } from '../../src/event/traffic-event.ts';
import { identityKey } from '../../src/identity/identity-key.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { roc, type Scored } from './roc.ts';
import { type EvaluationSet, type Measured, type Run, readSet } from './run.ts';

/** Events of one identity that are judged together, and those it must have had before. */
const windowEvents = 20;
const historyMin = 60;
const monthMs = 30 * 86_400_000;

type Takeover = {
  readonly incident: string;
  readonly victim: string;
  readonly first_ts: number;
  readonly last_ts: number;
  readonly ids: readonly string[];
};

export const sourceActivity: EvaluationSet = { name: 'source-activity', events, measure };

const keyOf = (subject: string) => identityKey('user', null, subject);

function lines<T>(text: string): T[] {
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]));
}

function readEvents(): TrafficEvent[] {
  return lines<TrafficEvent>(gunzipSync(readSet('source-activity/events.ndjson.gz')).toString('utf8'));
}

function* events(): Iterable<ResolvedEvent> {
  for (const recorded of readEvents()) {
    yield {
      identity: keyOf(recorded.subject!),
      identity_kind: 'user',
      claimed_identity: null,
      event_id: recorded.event_id!,
      route: recorded.route!,
      object_ids: [],
      event: { ...emptyEvent(), ...recorded },
      position: null,
    };
  }
}

function measure(run: Run): Measured {
  const takeovers = lines<Takeover>(readSet('source-activity/labels.ndjson').toString('utf8'));
  const incidentOf = new Map(
    takeovers.flatMap((takeover) => takeover.ids.map((id) => [id, takeover.incident] as const)),
  );
  const subjectOf = new Map(readEvents().map((event) => [event.event_id!, event.subject!]));
  const recent = new Map<
    string,
    { count: number; window: { surprise: number; evidence: number; incident?: string | undefined }[] }
  >();
  const surprise: Scored[] = [];
  const evidence: Scored[] = [];
  for (const seen of run.seen) {
    const subject = subjectOf.get(seen.eventId)!;
    const state = recent.get(subject) ?? { count: 0, window: [] };
    recent.set(subject, state);
    const incident = incidentOf.get(seen.eventId);
    state.window.push({ surprise: seen.surprise, evidence: seen.evidence, incident });
    if (state.window.length > windowEvents) state.window.shift();
    if (state.count++ < historyMin) continue;
    const stolen = state.window.filter((event) => event.incident !== undefined).length;
    if (stolen > 0 && stolen < windowEvents / 2) continue;
    const of = { attack: stolen > 0, incident: incident ?? '' };
    const mean = state.window.reduce((sum, event) => sum + event.surprise, 0) / windowEvents;
    surprise.push({ ...of, score: mean });
    evidence.push({ ...of, score: Math.max(...state.window.map((event) => event.evidence)) });
  }
  const findings = measureFindings(run, takeovers, activeMonths(run, subjectOf));
  return { meanSurprise: roc(surprise), evidence: roc(evidence), incidents: takeovers.length, findings };
}

/** Identities active in a month, summed over the months. */
function activeMonths(run: Run, subjectOf: ReadonlyMap<string, string>): number {
  return new Set(run.seen.map(({ eventId, ts }) => `${subjectOf.get(eventId)} ${Math.floor(ts / monthMs)}`)).size;
}

/** A finding is true when it overlaps a takeover of its identity; a takeover is raised when a finding begins within it. */
function measureFindings(run: Run, takeovers: readonly Takeover[], months: number): Measured['findings'] {
  const raised = new Set<string>();
  let wrong = 0;
  for (const { finding, raisedAt } of run.findings) {
    const hits = takeovers.filter(
      (takeover) =>
        keyOf(takeover.victim) === finding.identity &&
        finding.first_seen <= takeover.last_ts &&
        finding.last_seen >= takeover.first_ts,
    );
    if (hits.length === 0) wrong++;
    for (const hit of hits) if (raisedAt >= hit.first_ts && raisedAt <= hit.last_ts) raised.add(hit.incident);
  }
  return { raised: raised.size, total: run.findings.length, false: wrong, falseRate: (wrong / months) * 1000 };
}
