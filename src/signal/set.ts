import { derivedId } from '../core/hash.ts';
import type { Claims } from '../core/jose.ts';
import type { RiskLevel } from '../core/words.ts';
import { identityId, identityIssuer } from '../identity/identity-key.ts';
import type { Decision } from '../policy/decision.ts';

/** What of a receiver's configuration shapes its tokens. */
export type SetProfile = {
  readonly name: string;
  readonly audience: string;
  readonly profile: 'caep' | 'okta';
  readonly subjects: 'iss_sub' | 'email';
  readonly subjectIssuer?: string | undefined;
  readonly legacySubject: boolean;
};

type Subject = Readonly<Record<string, unknown>>;
type SetEvent = { readonly type: string; readonly claims: Claims };

const caep = 'https://schemas.openid.net/secevent/caep/event-type/';
const okta = 'https://schemas.okta.com/secevent/okta/event-type/';
export const verificationType = 'https://schemas.openid.net/secevent/ssf/event-type/verification';

export const eventTypes: Readonly<Record<SetProfile['profile'], readonly string[]>> = {
  caep: ['session-revoked', 'risk-level-change', 'assurance-level-change', 'token-claims-change'].map(
    (name) => caep + name,
  ),
  okta: [`${caep}session-revoked`, `${okta}user-risk-change`],
};

/** What tells a level. */
export const riskTypes = [`${caep}risk-level-change`, `${okta}user-risk-change`];

export type SetClaims = Claims & { readonly jti: string; readonly events: Readonly<Record<string, Claims>> };

export type SetContext = {
  readonly profile: SetProfile;
  readonly issuer: string;
  readonly streamId: string;
  /** The level that this receiver was told last, if it is known. */
  readonly toldLevel: RiskLevel | undefined;
  /** When the token is made, in seconds. */
  readonly iat: number;
};

/**
 * The security event tokens (RFC 8417, as SSF 1.0 profiles them) of one version of a decision, one event each as the CAEP
 * interoperability profile asks. The ids are derived, so that the same version makes the same tokens, after every crash.
 * Empty for a decision in shadow, and for an identity that the receiver has no name for.
 */
export function setsOf(decision: Decision, context: SetContext): readonly SetClaims[] {
  const subject = subjectOf(decision, context.profile);
  if (decision.mode !== 'enforce' || subject === undefined) return [];
  const { profile, issuer, streamId, iat } = context;
  return eventsOf(decision, context).map(({ type, claims }) => ({
    iss: issuer,
    jti: derivedId('set', [streamId, decision.decision_id, decision.version, type]),
    iat,
    aud: profile.audience,
    txn: decision.incident_id,
    sub_id: subject,
    events: {
      [type]: {
        ...claims,
        ...(profile.profile === 'okta' || profile.legacySubject ? { subject: nested(subject, profile) } : {}),
        event_timestamp: Math.floor(decision.updated_at / 1000),
        initiating_entity: decision.by === 'policy' ? 'policy' : 'admin',
        reason_admin: { en: decision.why },
      },
    },
  }));
}

/** Proof that the way works (SSF 1.0, 8.1.4). `state` only where the receiver asked with one. */
export function verificationSet(
  { profile, issuer, streamId, iat }: SetContext,
  jti: string,
  state: string | undefined,
): SetClaims {
  const events = { [verificationType]: state === undefined ? {} : { state } };
  return { iss: issuer, jti, iat, aud: profile.audience, sub_id: { format: 'opaque', id: streamId }, events };
}

/**
 * `extended` is no news to a receiver: what it was told still holds. `narrowed` is when the person answered the step-up; narrowed to the odd
 * session, it still holds for that one, which is whom the token would be about.
 */
function eventsOf(decision: Decision, { profile, toldLevel }: SetContext): readonly SetEvent[] {
  const { change, scope } = decision;
  const isAnswered = change === 'answered' || (change === 'narrowed' && scope === 'identity');
  const isOver = isAnswered || change === 'restored' || change === 'expired';
  const action = decision.ended ?? decision.action;
  if (!isOver && change !== 'made' && change !== 'escalated') return [];
  const events: SetEvent[] = [];
  // Of whom nothing was told the level is the lowest.
  if ((toldLevel ?? 'LOW') !== decision.risk_level) events.push(riskEvent(decision, profile, toldLevel));
  if (action === 'step-up' && profile.profile === 'caep') {
    const [current_level, change_direction] = isOver ? ['sufficient', 'increase'] : ['insufficient', 'decrease'];
    events.push({
      type: `${caep}assurance-level-change`,
      // None of the registered scales says "not enough for now", so the scale is our own (CAEP 1.0, 3.4 allows it).
      claims: { namespace: 'gait', current_level, change_direction },
    });
  }
  if (action === 'throttle' && profile.profile === 'caep') {
    const claims = { gait_action: isOver ? null : 'throttle', risk_level: decision.risk_level };
    events.push({ type: `${caep}token-claims-change`, claims: { claims } });
  }
  // CAEP has no word for a single token, and its session goes on.
  const isOfToken = scope === 'session' && decision.session_id === null;
  if (!isOver && !isOfToken && (action === 'revoke-session' || action === 'revoke-identity')) {
    events.push({ type: `${caep}session-revoked`, claims: {} });
  }
  return events;
}

const principals: Partial<Record<Decision['identity_kind'], string>> = {
  user: 'USER',
  session: 'SESSION',
  device: 'DEVICE',
  address: 'DEVICE',
};

function riskEvent({ risk_level, identity_kind, rule }: Decision, profile: SetProfile, told?: RiskLevel): SetEvent {
  if (profile.profile === 'okta') {
    // Okta wants small letters and insists on a level before; of somebody new that is the lowest.
    const levels = { current_level: risk_level.toLowerCase(), previous_level: (told ?? 'LOW').toLowerCase() };
    return { type: `${okta}user-risk-change`, claims: levels };
  }
  const principal = principals[identity_kind] ?? 'APPLICATION';
  const before = told === undefined ? {} : { previous_level: told };
  return {
    type: `${caep}risk-level-change`,
    claims: { principal, current_level: risk_level, ...before, risk_reason: rule },
  };
}

/** A subject identifier (RFC 9493; complex ones as SSF 1.0, 3.3). Of a session when the decision is about one alone. */
function subjectOf(decision: Decision, profile: SetProfile): Subject | undefined {
  const principal = principalOf(decision, profile);
  if (principal === undefined) return undefined;
  const { session_id, tenant } = decision;
  const isOfSession = session_id !== null && (decision.scope === 'session' || decision.action === 'revoke-session');
  const members = {
    ...principal,
    ...(isOfSession ? { session: { format: 'opaque', id: session_id } } : {}),
    ...(tenant === '' || tenant === '-' ? {} : { tenant: { format: 'opaque', id: tenant } }),
  };
  if ('user' in principal && Object.keys(members).length === 1) return principal.user as Subject;
  return { format: 'complex', ...members };
}

function principalOf({ identity, identity_kind }: Decision, profile: SetProfile): Subject | undefined {
  const id = identityId(identity);
  if (id === undefined) return undefined;
  if (identity_kind === 'user') {
    if (profile.subjects === 'email') return id.includes('@') ? { user: { format: 'email', email: id } } : undefined;
    const iss = identityIssuer(identity) ?? profile.subjectIssuer;
    return { user: iss === undefined ? { format: 'opaque', id } : { format: 'iss_sub', iss, sub: id } };
  }
  if (profile.profile === 'okta') return undefined;
  const opaque = { format: 'opaque', id };
  if (identity_kind === 'session') return { session: opaque };
  if (identity_kind === 'device') return { device: opaque };
  if (identity_kind === 'address') return { device: { format: 'ip-addresses', 'ip-addresses': [id] } };
  return { application: opaque };
}

/** Okta reads `subject.user`; older receivers of others read the identifier itself. */
function nested(subject: Subject, { profile }: SetProfile): Subject {
  return profile === 'okta' && subject.format !== 'complex' ? { user: subject } : subject;
}
