import type { Finding } from '../../src/finding/finding.ts';
import type { IdentityKey } from '../../src/identity/resolved-event.ts';
import type { Decision } from '../../src/policy/decision.ts';

export function sampleFinding(changes: Partial<Finding> = {}): Finding {
  return {
    finding_id: 'fnd_0123456789abcdef01234567',
    kind: 'rate_spike',
    identity: 'user:acme:zoe' as IdentityKey,
    identity_kind: 'user',
    tenant: 'acme',
    incident_id: 'inc_1',
    state: 'open',
    severity: 'high',
    confidence: 0.9,
    first_seen: 1_700_000_000_000,
    last_seen: 1_700_000_060_000,
    count: 12,
    surprise: 7.5,
    risk: 62,
    title: 'zoe calls forty times as often as usual',
    reasons: [
      {
        feature: 'calls_per_minute',
        observed: 400,
        expected: 10,
        low: 5,
        high: 18,
        share: 1,
        level: 'self',
        sample_size: 5000,
        text: '400 calls in a minute; 5 to 18 are usual',
      },
    ],
    event_ids: ['e1'],
    owasp: [],
    attack: [],
    shard: 0,
    version: 1,
    ...changes,
  };
}

export function sampleDecision(changes: Partial<Decision> = {}): Decision {
  return {
    decision_id: 'dec_1',
    identity: 'user:acme:zoe' as IdentityKey,
    identity_kind: 'user',
    tenant: 'acme',
    action: 'step-up',
    mode: 'shadow',
    rule: 'spike',
    why: 'an unusual rate',
    finding_ids: ['fnd_1'],
    incident_id: 'inc_1',
    risk: 62,
    risk_level: 'MEDIUM',
    session_id: null,
    made_at: 1_700_000_060_000,
    expires_at: 1_700_000_960_000,
    shard: 0,
    version: 1,
    ...changes,
  };
}
