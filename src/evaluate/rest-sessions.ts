import { identityKey } from '../identity/identity-key.ts';
import type { Item } from './ranking.ts';
import type { Incident, Scores, Traffic } from './traffic.ts';

/** A session of the recorded set: what its middleware counted. */
export type Session = {
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

export function parseSessions(csv: string): Session[] {
  const [, ...rows] = csv.trim().split('\n');
  return rows.map((row) => {
    const [id, endMs, client, durationMs, requests, posts, logins, status4xx, , attackClass] = row.split(',');
    return {
      id: id!,
      client: addressOf(client!),
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

/**
 * The recorded addresses were replaced by hashes (`c-` and hexadecimal digits); 28 bits of them make an address of the block
 * that is reserved (240.0.0.0/4), so nobody's, in no network and no country.
 */
function addressOf(client: string): string {
  const hash = Number.parseInt(client.slice(2, 10), 16);
  return [240 + (hash >>> 28), (hash >>> 16) & 255, (hash >>> 8) & 255, hash & 255].join('.');
}

/**
 * Canonical events, in order of time: each session spread over its duration, attacks among them from the first. Without chance; the mapping is told in
 * pipelines/evaluate/sets/rest-sessions/README.md.
 */
export function sessionEvents(sessions: readonly Session[]): Readonly<Record<string, unknown>>[] {
  return sessions.flatMap(eventsOf).sort((a, b) => a.ts - b.ts);
}

function eventsOf({ id, client, endMs, durationMs, requests, posts, logins, status4xx }: Session) {
  let posted = 0;
  let got = 0;
  return Array.from({ length: requests }, (_, i) => {
    // The i-th of n requests is a POST when the share of POSTs reaches its next whole number there.
    const isPost = Math.floor(((i + 1) * posts) / requests) > posted;
    const rank = isPost ? posted++ : posts + got++;
    const login = isPost && rank < logins;
    return {
      ts: Math.round(endMs - durationMs * (1 - (i + 1) / requests)),
      event_id: `${id}/${i}`,
      client_ip: client,
      method: isPost ? 'POST' : 'GET',
      path: login ? '/login' : '/',
      status: rank >= status4xx ? 200 : login ? 401 : isPost ? 400 : 404,
    };
  });
}

/** A session of an attack tool is an incident. Its kind of attack is all that is known, so no reasons are expected of it. */
export function sessionIncidents(sessions: readonly Session[]): Incident[] {
  return sessions.flatMap((session) =>
    session.attackClass === 'normal'
      ? []
      : {
          incident: session.id,
          recipe: session.attackClass,
          family: session.attackClass,
          kind: 'attack',
          pace: 'fast',
          identities: [identityKey('address', null, session.client)],
          first_ts: session.endMs - session.durationMs,
          last_ts: session.endMs,
          ids: Array.from({ length: session.requests }, (_, i) => `${session.id}/${i}`),
          expected: [],
        },
  );
}

/** A session's mean surprise, and the highest evidence that its address reached in it. */
export function sessionItems(sessions: readonly Session[], traffic: Traffic, scores: Scores) {
  const surprise: Item[] = [];
  const evidence: Item[] = [];
  for (const session of sessions) {
    const of = { attack: session.attackClass !== 'normal', incident: session.id };
    const indexes = Array.from({ length: session.requests }, (_, i) => traffic.indexOf(`${session.id}/${i}`)!);
    const sum = indexes.reduce((total, index) => total + scores.event[index]!, 0);
    surprise.push({ ...of, score: sum / indexes.length });
    evidence.push({ ...of, score: indexes.reduce((most, index) => Math.max(most, scores.state[index]!), -1) });
  }
  return { surprise, evidence };
}
