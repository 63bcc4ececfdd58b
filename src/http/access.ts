import { hash, timingSafeEqual } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { isLoopback, type KeyRole } from '../config/config-schema.ts';
import { type Headers, HttpError, type Route } from './route.ts';
import { checkOwnPage, type Sessions } from './session.ts';

type ApiKey = { readonly name: string; readonly digest: Buffer; readonly roles: readonly KeyRole[] };

/** Who calls where no key is asked for. */
export const localCaller = 'local';

/** Decides from the headers alone, before a body is read; throws 401 or 403. Returns the name of the key. */
export type Gate = (
  route: Pick<Route, 'access' | 'method' | 'isEnforcement' | 'isLapi' | 'isClickHouse'>,
  headers: Headers,
) => string;

/**
 * With keys, every route but the public ones asks for one. Without (so on loopback only) every route is open, and what guards it is that the
 * request must be meant for this machine: a `Host` of loopback, which a page that rebound its own name to 127.0.0.1 does not have, and no
 * writing on behalf of another site's page.
 */
export function createGate(http: Config['http'], sessions?: Sessions): Gate {
  const keys = http.keys.map(({ name, sha256, roles }) => ({ name, digest: Buffer.from(sha256, 'hex'), roles }));
  return keys.length === 0 ? checkLocal : (route, headers) => checkKey({ keys, sessions }, route, headers);
}

function checkLocal(route: Parameters<Gate>[0], headers: Headers): string {
  const host = one(headers.host) ?? '';
  if (!isLoopback(hostName(host))) {
    const message = 'without API keys this service answers only to a loopback address in the Host header';
    throw new HttpError(403, 'host-not-allowed', { message });
  }
  // Of a question about a call, method and origin are those of the call.
  const origin = route.isEnforcement ? undefined : one(headers.origin);
  if (route.method !== 'GET' && origin !== undefined && origin !== `http://${host}`) {
    throw new HttpError(403, 'origin-not-allowed', { message: 'a page of another site may not write here' });
  }
  return localCaller;
}

/** `[::1]:4420`, `localhost:4420` and `127.0.0.1` without what is not the name. */
function hostName(host: string): string {
  return /^\[([0-9a-f:]+)\](:\d+)?$/i.exec(host)?.[1] ?? host.replace(/:\d+$/, '').toLowerCase();
}

type Known = { readonly keys: readonly ApiKey[]; readonly sessions: Sessions | undefined };

function checkKey({ keys, sessions }: Known, route: Parameters<Gate>[0], headers: Headers): string {
  if (route.access === 'public') return localCaller;
  const shown = presented(route, headers);
  // The cookies of a call that is asked about are that call's own.
  const session = shown === undefined && !route.isEnforcement ? sessions?.find(headers) : undefined;
  const key = session === undefined ? keyOf(keys, shown) : keys.find(({ name }) => name === session);
  if (session !== undefined && route.method !== 'GET') checkOwnPage(headers);
  if (key === undefined && route.isLapi) throw new HttpError(403, 'forbidden', { message: 'access forbidden' });
  if (key === undefined) {
    const where = route.isEnforcement ? 'X-Gait-Key' : 'Authorization: Bearer, or X-Api-Key';
    const message = route.isClickHouse
      ? 'Code: 516. DB::Exception: an API key is needed: X-ClickHouse-Key, the password of HTTP Basic, or Authorization: Bearer (AUTHENTICATION_FAILED)'
      : `an API key is needed: ${where}`;
    throw new HttpError(401, 'unauthenticated', { message, headers: { 'www-authenticate': 'Bearer realm="gait"' } });
  }
  const wanted = route.access;
  if (!key.roles.some((role) => role === 'admin' || wanted.includes(role))) {
    throw new HttpError(403, 'forbidden', { message: `this needs a key with the role ${wanted.join(' or ')}` });
  }
  return key.name;
}

function presented(route: Parameters<Gate>[0], headers: Headers): string | undefined {
  // The other headers are those of the call that is asked about.
  if (route.isEnforcement) return one(headers['x-gait-key']);
  const [scheme = '', credentials = ''] = (one(headers.authorization) ?? '').split(' ', 2);
  if (scheme.toLowerCase() === 'bearer') return credentials;
  if (route.isClickHouse && scheme.toLowerCase() === 'basic') {
    return Buffer.from(credentials, 'base64').toString('utf8').split(':').slice(1).join(':');
  }
  return one(headers['x-api-key']) ?? (route.isClickHouse ? one(headers['x-clickhouse-key']) : undefined);
}

/** Digests are compared, all of them and in constant time, so that neither the time nor a near miss says anything about a key. */
function keyOf(keys: readonly ApiKey[], presented: string | undefined): ApiKey | undefined {
  const digest = hash('sha256', presented ?? '', 'buffer');
  let found: ApiKey | undefined;
  for (const known of keys) if (timingSafeEqual(known.digest, digest)) found = known;
  return presented === undefined ? undefined : found;
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
