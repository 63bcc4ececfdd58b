import type { Clock } from '../core/clock.ts';
import { type DecisionField, fillPlaces } from '../core/place.ts';
import type { Post, PostRequest, PostResult } from '../core/post.ts';
import { identityId, identityIssuer } from '../identity/identity-key.ts';
import type { Action, Decision } from '../policy/decision.ts';
import type { SignalTarget } from './deliver.ts';

export type HttpActionOptions = {
  readonly name: string;
  /** The decisions that call it. */
  readonly on: readonly Action[];
  readonly scope?: Decision['scope'] | undefined;
  /** Whose people it ends sessions of, where that is not the home issuer. */
  readonly foreignIssuer?: string | undefined;
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `{{field}}`, each of which stays inside one segment of the path, or one value of the query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON with `{{field}}` inside its strings; undefined for none. */
  readonly body?: string | undefined;
  /** Status codes that mean it is done. */
  readonly success: readonly number[];
};

/**
 * A call to an identity provider that ends what a decision is about. Values are percent-encoded in an address and escaped in JSON, so
 * that an id that an attacker chose stays one segment or one string. The templates were checked with the configuration.
 */
export function createHttpAction(options: HttpActionOptions): SignalTarget {
  const { name, on, scope, foreignIssuer, method, url, headers, body = '', success } = options;
  return {
    name,
    request: (decision) => {
      // Names of people at one provider are somebody else's at another.
      const isOfIssuer = identityIssuer(decision.identity) === foreignIssuer;
      const isMeant = on.includes(decision.action) && (scope ?? decision.scope) === decision.scope && isOfIssuer;
      // An extended decision would end what its owner has begun since.
      if (!isMeant || !['made', 'escalated'].includes(decision.change)) return undefined;
      const values = valuesOf(decision);
      const lacking = new Set<DecisionField>();
      const fill = (template: string, write: (value: string) => string): string =>
        fillPlaces(template, (field) => {
          const value = values[field];
          if (!value) lacking.add(field);
          return write(value ?? '');
        });
      // A lone surrogate has no encoding: it becomes U+FFFD, and names nobody.
      const target = fill(url, (value) => encodeURIComponent(value.replace(/\p{Cs}/gu, '\ufffd')));
      const filled = fill(body, (value) => JSON.stringify(value).slice(1, -1));
      if (lacking.size > 0) return { lacks: `the decision has no ${[...lacking].join(', ')}` };
      if (climbs(target)) return { lacks: 'an id of dots cannot stand in an address' };
      return { method, url: target, body: filled, success, headers: { 'user-agent': 'gait', ...headers } };
    },
  };
}

function valuesOf(decision: Decision): Readonly<Record<DecisionField, string | null | undefined>> {
  const { session_id, token_id, decision_id, incident_id, risk_level, rule, why } = decision;
  const subject = decision.identity_kind === 'user' ? identityId(decision.identity) : undefined;
  const tenant = decision.tenant === '-' ? null : decision.tenant;
  return { subject, session_id, token_id, tenant, decision_id, incident_id, risk_level, rule, why };
}

/** Whether a segment of the path would be taken for a step (RFC 3986, 5.2.4): dots are not encoded, and encoding them would not help. */
function climbs(target: string): boolean {
  const [path = ''] = target.split('?');
  return path.split('/').some((segment) => /^\.{1,2}$/.test(segment));
}

export type ClientCredentials = {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** More form fields, such as `scope` or `audience`. */
  readonly extra: Readonly<Record<string, string>>;
};

/** A token is replaced this long before it ends. */
const earlyMs = 30_000;
const tokenLifeMaxSeconds = 86_400;
const tokenBytesMax = 64 * 1024;

/**
 * Posts with an access token of the client credentials grant (RFC 6749, 4.4), fetched when it is needed and kept until it ends. When one
 * that was kept is refused (401), the call is made again with a new one, once. The secret and the token reach no message.
 */
export function withClientCredentials(post: Post, credentials: ClientCredentials, clock: Clock): Post {
  const { url, clientId, clientSecret, extra } = credentials;
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, ...extra };
  const body = new URLSearchParams(form).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
  let held: Grant | undefined;

  /** Why there is none; it is tried again, for a secret that is being replaced must not lose a revocation. */
  const fetchToken = async (signal: AbortSignal): Promise<PostResult | undefined> => {
    const granted = await post({ url, headers, body, answerBytesMax: tokenBytesMax }, signal);
    held = granted.kind === 'delivered' ? readGrant(granted.answer, clock.now()) : undefined;
    const { status, retryAfterMs } = granted;
    const detail = `no access token: ${status === null ? granted.detail : `HTTP ${status}`}`;
    return held === undefined ? { kind: 'failed', status, detail, retryAfterMs } : undefined;
  };
  const send = (request: PostRequest, signal: AbortSignal): Promise<PostResult> =>
    post({ ...request, headers: { ...request.headers, authorization: `Bearer ${held?.token}` } }, signal);

  return async (request, signal) => {
    const wasKept = held !== undefined && clock.now() < held.until;
    const failure = wasKept ? undefined : await fetchToken(signal);
    if (failure !== undefined) return failure;
    const result = await send(request, signal);
    if (result.status !== 401) return result;
    held = undefined;
    if (!wasKept) return result;
    return (await fetchToken(signal)) ?? send(request, signal);
  };
}

type Grant = { readonly token: string; readonly until: number };

function readGrant(answer: string | undefined, now: number): Grant | undefined {
  try {
    const { access_token, expires_in } = JSON.parse(answer ?? '') as Readonly<Record<string, unknown>>;
    if (typeof access_token !== 'string' || !/^[\x21-\x7e]+$/.test(access_token)) return undefined;
    // Only recommended by RFC 6749, 5.1: without it a token is used for one call.
    const seconds = Math.min(tokenLifeMaxSeconds, Number(expires_in) || 0);
    return { token: access_token, until: now + seconds * 1000 - earlyMs };
  } catch {
    return undefined;
  }
}
