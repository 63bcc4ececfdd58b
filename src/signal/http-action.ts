import type { Clock } from '../core/clock.ts';
import { GaitError } from '../core/errors.ts';
import { checkTarget, type Post, type PostRequest } from '../core/post.ts';
import type { Action, Decision } from '../policy/decision.ts';
import { idOf } from './set.ts';

export type HttpActionOptions = {
  readonly name: string;
  /** The decisions that call it. */
  readonly on: readonly Action[];
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `{{field}}`, each of which becomes one segment of the path, or one value of the query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON with `{{field}}` inside its strings; undefined for none. */
  readonly body?: string | undefined;
  readonly allowInsecure: boolean;
};

export type ClientCredentials = {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** More form fields, such as `scope` or `audience`. */
  readonly extra: Readonly<Record<string, string>>;
  readonly allowInsecure: boolean;
};

export type HttpAction = {
  readonly name: string;
  /** Undefined: not about this decision, or the decision lacks what the action names. */
  readonly request: (decision: Decision) => PostRequest | undefined;
  /** What a decision lacks that the action is about. */
  readonly lack: (decision: Decision) => string | undefined;
};

const fields = [
  'subject',
  'session_id',
  'token_id',
  'tenant',
  'decision_id',
  'incident_id',
  'risk_level',
  'rule',
  'why',
] as const;
type Field = (typeof fields)[number];
const place = /\{\{\s*([a-z_]+)\s*\}\}/g;

/**
 * A call to an identity provider that ends what a decision is about. Values are percent-encoded in an address and escaped in JSON, so
 * that an id that an attacker chose stays one segment or one string. Fails with CONFIG_INVALID for a template with an unknown
 * field, with one in the host, or whose body is no JSON.
 */
export function createHttpAction(options: HttpActionOptions): HttpAction {
  const { name, on, method, url, headers, body, allowInsecure } = options;
  checkTarget(url.replace(place, 'x'), allowInsecure);
  const origin = new URL(url.replace(place, 'x')).origin;
  const isWrong = [...`${url}${body ?? ''}`.matchAll(place)].some(([, field]) => !fields.includes(field as Field));
  if (isWrong || !url.startsWith(origin)) {
    throw new GaitError('CONFIG_INVALID', `action ${name}: {{…}} may hold ${fields.join(', ')}, and not in the host`);
  }
  if (body !== undefined) mustBeJson(name, body.replace(place, 'x'));
  const isMeant = ({ action, change }: Decision): boolean =>
    on.includes(action) && (change === 'made' || change === 'escalated');
  const lack = (decision: Decision): string | undefined => {
    const values = valuesOf(decision);
    return lacking(url, values, encodeSegment) ?? lacking(body ?? '', values, encodeText);
  };
  return {
    name,
    request: (decision) => {
      if (!isMeant(decision) || lack(decision) !== undefined) return undefined;
      const values = valuesOf(decision);
      return {
        method,
        url: fill(url, values, encodeSegment),
        headers: { 'user-agent': 'gait', ...headers },
        body: fill(body ?? '', values, encodeText),
      };
    },
    lack: (decision) => (isMeant(decision) ? lack(decision) : undefined),
  };
}

function mustBeJson(name: string, body: string): void {
  try {
    JSON.parse(body);
  } catch {
    throw new GaitError('CONFIG_INVALID', `action ${name}: the body is not JSON with {{…}} inside its strings`);
  }
}

type Values = Readonly<Record<Field, string | null>>;
/** Undefined for a value that cannot stand in that place. */
type Encode = (value: string) => string | undefined;

function valuesOf(decision: Decision): Values {
  const { session_id, token_id, tenant, decision_id, incident_id, risk_level, rule, why } = decision;
  const subject = decision.identity_kind === 'user' ? (idOf(decision.identity) ?? null) : null;
  return { subject, session_id, token_id, tenant, decision_id, incident_id, risk_level, rule, why };
}

function lacking(template: string, values: Values, encode: Encode): Field | undefined {
  const named = [...template.matchAll(place)].map(([, field]) => field as Field);
  return named.find((field) => !values[field] || encode(values[field]) === undefined);
}

function fill(template: string, values: Values, encode: Encode): string {
  return template.replace(place, (_, field: Field) => encode(values[field] ?? '') ?? '');
}

/** `.` and `..` stay what they are when percent-encoded, so they are refused; so are lone surrogates, which have no encoding. */
const encodeSegment: Encode = (value) => {
  if (/^\.{1,2}$/.test(value)) return undefined;
  try {
    return encodeURIComponent(value);
  } catch {
    return undefined;
  }
};

const encodeText: Encode = (value) => JSON.stringify(value).slice(1, -1);

/** A token is replaced this long before it ends. */
const earlyMs = 30_000;
const tokenBytesMax = 64 * 1024;

/**
 * Posts with an access token of the client credentials grant (RFC 6749, 4.4), fetched when it is needed and kept until it ends. One that is
 * refused (401) is forgotten and the call tried again with a new one. The secret and the token reach no message.
 */
export function withClientCredentials(post: Post, credentials: ClientCredentials, clock: Clock): Post {
  checkTarget(credentials.url, credentials.allowInsecure);
  const { url, clientId, clientSecret, extra } = credentials;
  let held: { token: string; until: number } | undefined;
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, ...extra };
  return async (request, signal) => {
    if (held === undefined || clock.now() >= held.until) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
      const body = new URLSearchParams(form).toString();
      const granted = await post({ url, headers, body, answerBytesMax: tokenBytesMax }, signal);
      held = granted.kind === 'delivered' ? readGrant(granted.answer, clock.now()) : undefined;
      const detail = `no access token: ${granted.status === null ? granted.detail : `HTTP ${granted.status}`}`;
      if (held === undefined)
        return { kind: 'failed', status: granted.status, detail, retryAfterMs: granted.retryAfterMs };
    }
    const authorized = { ...request, headers: { ...request.headers, authorization: `Bearer ${held.token}` } };
    const result = await post(authorized, signal);
    if (result.status !== 401) return result;
    held = undefined;
    return { ...result, kind: 'failed' };
  };
}

function readGrant(answer: string | undefined, now: number): { token: string; until: number } | undefined {
  try {
    const { access_token, expires_in = 60 } = JSON.parse(answer ?? '') as {
      access_token?: unknown;
      expires_in?: number;
    };
    if (typeof access_token !== 'string' || !/^[\x21-\x7e]+$/.test(access_token)) return undefined;
    return { token: access_token, until: now + Math.max(0, Number(expires_in) * 1000 - earlyMs) };
  } catch {
    return undefined;
  }
}
