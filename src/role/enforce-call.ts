import type { Config } from '../config/config.ts';
import { RecentMap } from '../core/recent-map.ts';
import { assignCredentials, readAuthorization } from '../event/decode/credentials.ts';
import { assign, type assignIfEmpty, type Draft, newDraft } from '../event/draft.ts';
import type { Redactor } from '../event/redact.ts';
import { emptyEvent, type TrafficEvent } from '../event/traffic-event.ts';
import type { EnforcementQuestion } from '../http/parts.ts';
import { identityKey } from '../identity/identity-key.ts';
import { type Resolution, resolveIdentity } from '../identity/resolve.ts';
import type { IdentityKey } from '../identity/resolved-event.ts';
import { type Caller, callerNamed } from '../policy/decision-table.ts';

/** A call that an enforcement point asks about, read as ingest will read its line in the gateway's log: same fields, same chain, same key. */
export type AskedCall = {
  readonly event: TrafficEvent;
  readonly resolution: Resolution;
  /** As it came, for verification; null without one. */
  readonly bearer: string | null;
  /** How it was presented, which is how another is asked for (RFC 9449, 7.1). */
  readonly scheme: 'Bearer' | 'DPoP';
  /** Whether the identity is beyond doubt without its token being verified: a key, a certificate, an address, the gateway's own word. */
  readonly isEvident: boolean;
  readonly caller: Caller;
};

export type ReadCall = (question: EnforcementQuestion) => AskedCall | null;

const fieldCharsMax = 2048;
/** Readings that are kept, and characters that one may be read from: of a longer one each is made anew. */
const readingsMax = 4096;
const readingCharsMax = 4096;
/** Which field of the event names an identity that a token can claim. */
const claimed = { user: 'subject', client: 'client_id', session: 'session_id' } as const;
const ofClaims = [
  ['subject', 'sub'],
  ['issuer', 'iss'],
  ['session_id', 'sid'],
  ['token_id', 'jti'],
  ['client_id', 'azp'],
  ['acr', 'acr'],
  ['auth_time', 'auth_time'],
  ['token_iat', 'iat'],
  ['token_exp', 'exp'],
] as const;

export function createCallReader(options: { readonly config: Config; readonly redactor: Redactor }): ReadCall {
  const { redactor } = options;
  const { enforce, ingest } = options.config;
  const chain = enforce.identityChain ?? ingest.identityChain;
  const trusted = Object.entries(enforce.trustedHeaders) as [keyof typeof enforce.trustedHeaders, string][];
  const draft = newDraft(redactor, fieldCharsMax);
  const read: ReadCall = (question) => {
    const { headers, verifiedClaims } = question;
    draft.event = emptyEvent();
    for (const [field, name] of trusted) assignQuietly(draft, field, one(headers[name]));
    for (const [field, name] of verifiedClaims === null ? [] : ofClaims)
      assignQuietly(draft, field, verifiedClaims?.[name]);
    const { event } = draft;
    const said = { user: event.subject, client: event.client_id, session: event.session_id };
    assignQuietly(
      draft,
      'client_ip',
      question.clientIp ?? clientIp(one(headers[enforce.clientIpHeader]), enforce.proxies),
    );
    assignQuietly(draft, 'api_key', one(headers[enforce.apiKeyHeader]));
    assignCredentials(draft, headers);
    event.tenant ??= enforce.tenant ?? null;
    const resolution = resolveIdentity(event, chain, ingest.homeIssuer);
    if (resolution === null) return null;
    const [scheme, credentials] = readAuthorization(one(headers.authorization) ?? '');
    const bearer = (scheme === 'bearer' || scheme === 'dpop') && !/\s/.test(credentials) ? credentials : null;
    const kind = resolution.identity_kind as keyof typeof claimed;
    const isClaim = kind in claimed && said[kind] === null && !(kind === 'session' && bearer === null);
    return {
      event,
      resolution,
      bearer,
      scheme: scheme === 'dpop' ? 'DPoP' : 'Bearer',
      isEvident: !isClaim,
      caller: callerNamed({
        identity: resolution.identity,
        tenant: event.tenant,
        sessionId: event.session_id,
        tokenId: event.token_id,
        clientIp: event.client_ip,
        shown: shownBeside(resolution, { event, headers, redactor }),
      }),
    };
  };
  const { clientIpHeader, apiKeyHeader } = enforce;
  return remembering(read, [clientIpHeader, apiKeyHeader, 'cookie', ...trusted.map(([, name]) => name)]);
}

/**
 * A client shows the same credentials from the same address with each of its calls, and to read a token takes longer than all the rest of an
 * answer. `names`: the headers beside `authorization` that a reading depends on.
 */
function remembering(read: ReadCall, names: readonly string[]): ReadCall {
  const readings = new RecentMap<{ readonly authorization: string; readonly call: AskedCall | null }>(readingsMax);
  return (question) => {
    const { authorization = '' } = question.headers;
    const beside = textBeside(question, names);
    if (beside === null || typeof authorization !== 'string') return read(question);
    if (authorization.length + beside.length > readingCharsMax) return read(question);
    // Tokens differ in their signatures: to find one by its end, and then to compare it, spares hashing all of it.
    const key = beside + authorization.slice(-32);
    const known = readings.get(key);
    if (known?.authorization === authorization) return known.call;
    const call = read(question);
    readings.set(key, { authorization, call });
    return call;
  };
}

/** The rest of what a reading depends on. Lengths stand before values, so that no caller can write what looks like another's. */
function textBeside({ headers, verifiedClaims, clientIp }: EnforcementQuestion, names: readonly string[]) {
  if (verifiedClaims !== null) return null;
  let text = clientIp === null ? '|' : `${clientIp.length}:${clientIp}|`;
  for (const name of names) {
    const value = headers[name];
    if (typeof value === 'string') text += `${value.length}:${value}`;
    else if (value !== undefined) return null;
    text += '|';
  }
  return text;
}

type Shown = {
  readonly event: TrafficEvent;
  readonly headers: EnforcementQuestion['headers'];
  readonly redactor: Redactor;
};

/**
 * An API that knows its callers by a key, a certificate or a cookie does not look at a token that comes along, and anybody can make one up
 * to be called something else.
 */
function shownBeside({ identity_kind: kind }: Resolution, { event, headers, redactor }: Shown): readonly IdentityKey[] {
  const { tenant, api_key, mtls_subject, session_id } = event;
  const shown: IdentityKey[] = [];
  if (api_key !== null && kind !== 'api-key') shown.push(identityKey('api-key', tenant, api_key));
  if (mtls_subject !== null && kind !== 'mtls') shown.push(identityKey('mtls', tenant, mtls_subject));
  const session = session_id === null ? null : redactor.session(one(headers.cookie) ?? '');
  if (session !== null && session !== session_id) shown.push(identityKey('session', tenant, session));
  return shown;
}

/** As the API behind will read it, or `/public/..%2Fadmin` would pass where `/admin` is closed. */
export function pathMeantBy(path: string): string {
  const decoded = path.replace(/%([0-7][0-9a-f])/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  const segments: string[] = [];
  for (const segment of decoded.split(/[/\\]/)) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  const end = /[/\\]\.{0,2}$/.test(decoded) && segments.length > 0 ? '/' : '';
  return `/${segments.join('/')}${end}`;
}

/** The address that the nearest of our own proxies saw: what stands further left in the list is the caller's word. */
function clientIp(list: string | undefined, proxies: number): string | undefined {
  if (list === undefined) return undefined;
  return list
    .split(',')
    .at(-1 - proxies)
    ?.trim();
}

/** What a caller sent in a wrong form is as good as not sent. */
function assignQuietly(draft: Draft, field: Parameters<typeof assignIfEmpty>[1], value: unknown): void {
  assign(draft, field, value);
  draft.problem = null;
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
