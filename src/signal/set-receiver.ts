import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { derivedId } from '../core/hash.ts';
import { type Claims, createTokenVerifier, readUnverified, type TokenFault } from '../core/jose.ts';
import { atIssuer, foreignIssuerOf, identityKey } from '../identity/identity-key.ts';
import type { Notice } from '../policy/notice.ts';
import { verificationType } from './set.ts';

export type SetSource = {
  readonly name: string;
  readonly issuer: string;
  readonly jwksUri: string;
  readonly audiences: readonly string[];
  readonly subjectIssuer?: string | undefined;
  /** Of the people's tokens. */
  readonly tokenIssuer?: string | undefined;
  readonly tenant?: string | undefined;
  readonly authorization?: string | undefined;
};

export type SetReceiverOptions = {
  readonly sources: readonly SetSource[];
  /** Whose people have bare keys; undefined: everybody. */
  readonly homeIssuer?: string | undefined;
  readonly clock: Clock;
  /** Resolves when the notices are durable; only then is the token acknowledged. */
  readonly tell: (notices: readonly Notice[]) => Promise<void>;
};

/** RFC 8935, 2.3 and 2.4. `unavailable`: the issuer's keys could not be had, so the sender should come again. */
export type SetAnswer =
  | { readonly kind: 'accepted' | 'unavailable' }
  | { readonly kind: 'refused'; readonly err: SetError; readonly description: string };
type SetError =
  | 'invalid_request'
  | 'invalid_key'
  | 'invalid_issuer'
  | 'invalid_audience'
  | 'authentication_failed'
  | 'access_denied';

export type SetReceiver = (token: string, authorization: string | undefined) => Promise<SetAnswer>;

const caep = 'https://schemas.openid.net/secevent/caep/event-type/';
const noticeOfEvent: Readonly<Record<string, 'session-established' | 'credential-changed' | 'session-ended'>> = {
  [`${caep}session-established`]: 'session-established',
  [`${caep}credential-change`]: 'credential-changed',
  [`${caep}session-revoked`]: 'session-ended',
};

const errorOfFault: Readonly<Record<Exclude<TokenFault, 'unavailable'>, SetError>> = {
  malformed: 'invalid_request',
  'unknown-key': 'invalid_key',
  signature: 'authentication_failed',
  type: 'invalid_request',
  issuer: 'invalid_issuer',
  audience: 'invalid_audience',
  time: 'invalid_request',
};

/** Ids of tokens that were taken. One older than that is told once more, under the same notice id, which the shard knows. */
const seenMax = 100_000;

const refused = (err: SetError, description: string): SetAnswer => ({ kind: 'refused', err, description });

/**
 * Takes security event tokens that an identity provider pushes (RFC 8935) and tells the shards what they say. Believed is only a token
 * that a configured issuer signed for us, and only about its own people. An event or a subject that means nothing to us is taken
 * and passed over, as SSF 1.0 wants it; whether we know somebody is no business of the sender's.
 */
export function createSetReceiver({ sources, homeIssuer, clock, tell }: SetReceiverOptions): SetReceiver {
  const known = new Map(
    sources.map((source) => {
      const { issuer, jwksUri, audiences } = source;
      const verifier = createTokenVerifier({ issuer, jwksUri, audiences, clock, typ: 'secevent+jwt' });
      return [issuer, { source, verifier }] as const;
    }),
  );
  const seen = new Set<string>();
  return async (token, authorization) => {
    const unverified = readUnverified(token);
    if (unverified === undefined) return refused('invalid_request', 'the body is no security event token');
    const from = known.get(String(unverified.iss));
    if (from === undefined) return refused('invalid_issuer', 'this issuer is not known here');
    if (!isAuthorized(from.source, authorization)) return refused('access_denied', 'the Authorization header is wrong');
    const verified = await from.verifier.verify(token);
    if (verified.kind === 'refused') {
      if (verified.fault === 'unavailable') return { kind: 'unavailable' };
      return refused(errorOfFault[verified.fault], `the token was refused: ${verified.fault}`);
    }
    const { claims } = verified;
    const { jti, iat, events } = claims;
    if (typeof jti !== 'string' || typeof iat !== 'number' || !isObject(events)) {
      return refused('invalid_request', 'jti, iat and events are needed');
    }
    const id = JSON.stringify([from.source.issuer, jti]);
    if (seen.has(id)) return { kind: 'accepted' };
    const notices = Object.entries(events).flatMap(([type, event]) =>
      noticesOf({
        source: from.source,
        homeIssuer,
        claims,
        type,
        event: isObject(event) ? event : {},
        now: clock.now(),
      }),
    );
    if (
      !isObject(claims.sub_id) &&
      !Object.values(events).some((event) => isObject(event) && isObject(event.subject))
    ) {
      return refused('invalid_request', 'sub_id is needed');
    }
    if (notices.length > 0) await tell(notices);
    seen.add(id);
    if (seen.size > seenMax) seen.delete(seen.values().next().value ?? '');
    return { kind: 'accepted' };
  };
}

type Said = {
  source: SetSource;
  homeIssuer: string | undefined;
  claims: Claims;
  type: string;
  event: Claims;
  now: number;
};

function noticesOf({ source, homeIssuer, claims, type, event, now }: Said): readonly Notice[] {
  const notice = type === verificationType ? undefined : noticeOfEvent[type];
  const about = notice && subjectOf(claims.sub_id ?? event.subject, source);
  if (notice === undefined || about === undefined) return [];
  const { event_timestamp: at } = event;
  const happened = typeof at === 'number' && at > 0 ? at : Number(claims.iat);
  const issuer = source.tokenIssuer ?? source.subjectIssuer ?? source.issuer;
  return [
    {
      notice,
      notice_id: derivedId('ntc', [source.issuer, String(claims.jti), type]),
      identity: atIssuer(identityKey('user', source.tenant ?? null, about.user), foreignIssuerOf(issuer, homeIssuer)),
      session_id: about.session,
      // Nobody speaks for the future: what has not happened yet would explain what comes.
      at: Math.max(0, Math.min(now, Math.floor(happened * 1000))),
      by: source.name,
      reason: `${type.slice(type.lastIndexOf('/') + 1)} from ${source.name}`,
    },
  ];
}

/** What Keycloak (26.7) calls the session when all of somebody's were ended. */
const allSessions = 'ALL';

/** RFC 9493 and SSF 1.0, 3.3: the person, and the session if one is named. Undefined for whom we have no word. */
function subjectOf(subject: unknown, source: SetSource): { user: string; session: string | null } | undefined {
  if (!isObject(subject)) return undefined;
  const user = userOf(isObject(subject.user) ? subject.user : subject, source);
  const named = isObject(subject.session) && typeof subject.session.id === 'string' ? subject.session.id : allSessions;
  const session = named === allSessions ? null : named;
  if (user === undefined || user.length > 1024 || (session?.length ?? 0) > 1024) return undefined;
  return { user, session };
}

function userOf({ format, iss, sub, email }: Claims, source: SetSource): string | undefined {
  if (format === 'email' && typeof email === 'string') return email;
  const isItsOwn = iss === (source.subjectIssuer ?? source.issuer);
  return format === 'iss_sub' && isItsOwn && typeof sub === 'string' ? sub : undefined;
}

function isAuthorized({ authorization }: SetSource, presented = ''): boolean {
  if (authorization === undefined) return true;
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(authorization), digest(presented));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
