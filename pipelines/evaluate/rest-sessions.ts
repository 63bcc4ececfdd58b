import { emptyEvent } from '../../src/event/traffic-event.ts';
import { identityKey } from '../../src/identity/identity-key.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { roc, type Scored } from './roc.ts';
import { type EvaluationSet, type Measured, type Run, readSet, type Seen } from './run.ts';

type Session = {
  readonly id: string;
  readonly endMs: number;
  readonly client: string;
  readonly durationMs: number;
  readonly requests: number;
  readonly posts: number;
  readonly logins: number;
  readonly status4xx: number;
  readonly attackClass: string;
};

export const restSessions: EvaluationSet = { name: 'rest-sessions', events, measure };

function readSessions(): Session[] {
  const [, ...rows] = readSet('rest-sessions/sessions.csv').toString('utf8').trim().split('\n');
  return rows.map((row) => {
    const [id, endMs, client, durationMs, requests, posts, logins, status4xx, , attackClass] = row.split(
      ',',
    ) as string[];
    return {
      id: id!,
      client: client!,
      attackClass: attackClass!,
      endMs: Number(endMs),
      durationMs: Number(durationMs),
      requests: Math.max(Number(requests), Number(posts), Number(status4xx)),
      posts: Number(posts),
      logins: Math.min(Number(logins), Number(posts)),
      status4xx: Number(status4xx),
    };
  });
}

/** The mapping is told in sets/rest-sessions/README.md. Without chance. */
function* events(): Iterable<ResolvedEvent> {
  const all = readSessions().flatMap(eventsOf);
  yield* all.sort((a, b) => a.event.ts - b.event.ts);
}

function eventsOf(session: Session): ResolvedEvent[] {
  const { requests, posts, logins, status4xx } = session;
  let posted = 0;
  let got = 0;
  return Array.from({ length: requests }, (_, i) => {
    // The i-th of n requests is a POST when the share of POSTs reaches its next whole number there.
    const isPost = Math.floor(((i + 1) * posts) / requests) > posted;
    const rank = isPost ? posted++ : posts + got++;
    const failed = rank < status4xx;
    const login = isPost && rank < logins;
    const event = emptyEvent();
    event.ts = Math.round(session.endMs - session.durationMs * (1 - (i + 1) / requests));
    event.method = isPost ? 'POST' : 'GET';
    event.path = login ? '/login' : '/';
    event.status = failed ? (login ? 401 : isPost ? 400 : 404) : 200;
    return {
      identity: identityKey('address', null, session.client),
      identity_kind: 'address',
      claimed_identity: null,
      event_id: `${session.id}/${i}`,
      route: event.path,
      object_ids: [],
      event,
      position: null,
    };
  });
}

/** One session is one item: its mean surprise, and the highest evidence its address reached in it. */
function measure(run: Run): Measured {
  const bySession = new Map<string, Seen[]>();
  for (const seen of run.seen) {
    const id = seen.eventId.slice(0, seen.eventId.indexOf('/'));
    const others = bySession.get(id);
    if (others === undefined) bySession.set(id, [seen]);
    else others.push(seen);
  }
  const surprise: Scored[] = [];
  const evidence: Scored[] = [];
  for (const session of readSessions()) {
    const seen = bySession.get(session.id)!;
    const of = { attack: session.attackClass !== 'normal', incident: session.id };
    surprise.push({ ...of, score: seen.reduce((sum, event) => sum + event.surprise, 0) / seen.length });
    evidence.push({ ...of, score: Math.max(...seen.map((event) => event.evidence)) });
  }
  const meanSurprise = roc(surprise);
  return { meanSurprise, evidence: roc(evidence), incidents: meanSurprise.attacks, findings: null };
}
