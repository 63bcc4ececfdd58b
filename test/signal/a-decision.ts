import { systemClock } from '../../src/core/clock.ts';
import type { IdentityKey } from '../../src/identity/resolved-event.ts';
import type { Decision } from '../../src/policy/decision.ts';

/** An enforced throttle, made just now for a quarter of an hour. */
export function aDecision(fields: Partial<Decision> = {}): Decision {
  const now = systemClock.now();
  return {
    decision_id: 'dec_0123456789abcdef01234567',
    version: 1,
    change: 'made',
    identity: 'user:acme:alice' as IdentityKey,
    identity_kind: 'user',
    tenant: 'acme',
    scope: 'identity',
    action: 'throttle',
    ended: null,
    mode: 'enforce',
    by: 'policy',
    rule: 'medium-risk',
    why: 'One strong finding.',
    finding_ids: ['fnd_1'],
    incident_id: 'inc_1',
    risk: 60,
    risk_level: 'MEDIUM',
    session_risk: null,
    session_id: null,
    token_id: null,
    client_ip: null,
    acr_values: [],
    max_age: null,
    issued_before: null,
    made_at: now,
    updated_at: now,
    expires_at: now + 900_000,
    shard: 0,
    ...fields,
  };
}
