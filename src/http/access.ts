import { createHash, timingSafeEqual } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { isLoopback, type KeyRole } from '../config/config-schema.ts';
import { type Headers, HttpError, type Route } from './route.ts';

type ApiKey = { readonly digest: Buffer; readonly roles: readonly KeyRole[] };

/** Decides from the headers alone, before a body is read; throws 401 or 403. */
export type Gate = (route: Route, headers: Headers) => void;

/**
 * With keys, every route but the public ones asks for one. Without (so on loopback only) every route is open, and what guards it is that the
 * request must be meant for this machine: a `Host` of loopback, which a page that rebound its own name to 127.0.0.1 does not have, and no
 * writing on behalf of another site's page.
 */
export function createGate(http: Config['http']): Gate {
  const keys = http.keys.map((key) => ({ digest: Buffer.from(key.sha256, 'hex'), roles: key.roles }));
  return keys.length === 0 ? checkLocal : (route, headers) => checkKey(keys, route, headers);
}

function checkLocal(route: Route, headers: Headers): void {
  const host = one(headers.host) ?? '';
  if (!isLoopback(hostName(host))) {
    const message = 'without API keys this service answers only to a loopback address in the Host header';
    throw new HttpError(403, 'host-not-allowed', { message });
  }
  const origin = one(headers.origin);
  if (route.method !== 'GET' && origin !== undefined && origin !== `http://${host}`) {
    throw new HttpError(403, 'origin-not-allowed', { message: 'a page of another site may not write here' });
  }
}

/** `[::1]:4420`, `localhost:4420` and `127.0.0.1` without what is not the name. */
function hostName(host: string): string {
  return /^\[([0-9a-f:]+)\](:\d+)?$/i.exec(host)?.[1] ?? host.replace(/:\d+$/, '').toLowerCase();
}

function checkKey(keys: readonly ApiKey[], route: Route, headers: Headers): void {
  if (route.access === 'public') return;
  const roles = rolesOf(keys, presented(route, headers));
  if (roles === undefined) {
    const challenge = route.browser ? 'Basic realm="gait", charset="UTF-8"' : 'Bearer realm="gait"';
    const message = 'an API key is needed: Authorization: Bearer, or X-Api-Key';
    throw new HttpError(401, 'unauthenticated', { message, headers: { 'www-authenticate': challenge } });
  }
  const wanted = route.access;
  if (!roles.some((role) => role === 'admin' || wanted.includes(role))) {
    throw new HttpError(403, 'forbidden', { message: `this needs a key with the role ${wanted.join(' or ')}` });
  }
}

function presented(route: Route, headers: Headers): string | undefined {
  const [scheme = '', credentials = ''] = (one(headers.authorization) ?? '').split(' ', 2);
  if (scheme.toLowerCase() === 'bearer') return credentials;
  // Only for pages: a browser repeats Basic credentials on its own, so nothing that writes may accept them.
  if (route.browser && scheme.toLowerCase() === 'basic') {
    return Buffer.from(credentials, 'base64').toString('utf8').split(':').slice(1).join(':');
  }
  return one(headers['x-api-key']);
}

/** Digests are compared, all of them and in constant time, so that neither the time nor a near miss says anything about a key. */
function rolesOf(keys: readonly ApiKey[], key: string | undefined): readonly KeyRole[] | undefined {
  const digest = createHash('sha256')
    .update(key ?? '')
    .digest();
  let roles: readonly KeyRole[] | undefined;
  for (const known of keys) if (timingSafeEqual(known.digest, digest)) roles = known.roles;
  return key === undefined ? undefined : roles;
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
