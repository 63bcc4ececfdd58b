import { parsePolicyFile } from '../../src/config/policy-file.ts';
import type { Finding } from '../../src/finding/finding.ts';
import type { IdentityKey } from '../../src/identity/resolved-event.ts';
import type { FindingChange } from '../../src/policy/judge.ts';

export const start = Date.UTC(2026, 0, 1);
export const minute = 60_000;
export const hour = 60 * minute;

/** A high finding of full confidence about user:acme:alice, unless told otherwise. */
export function aFinding(fields: Partial<Omit<Finding, 'identity'>> & { readonly identity?: string } = {}): Finding {
  const finding_id = fields.finding_id ?? 'fnd_1';
  return {
    finding_id,
    kind: 'new_context',
    identity_kind: 'user',
    tenant: 'acme',
    incident_id: `inc_${finding_id}`,
    state: 'open',
    suppressed_by: '',
    severity: 'high',
    confidence: 1,
    first_seen: start,
    last_seen: start,
    count: 1,
    surprise: 9,
    risk: 60,
    title: 'called from a country never seen before',
    reasons: [],
    cause: {},
    event_ids: ['e1'],
    owasp: [],
    attack: [],
    shard: 0,
    version: 1,
    ...fields,
    identity: (fields.identity ?? 'user:acme:alice') as IdentityKey,
  };
}

export function aChange(
  finding: Parameters<typeof aFinding>[0] = {},
  circumstances: Partial<FindingChange> = {},
): FindingChange {
  return {
    finding: aFinding(finding),
    change: 'opened',
    at: start,
    sessionId: null,
    tokenId: null,
    actorKind: 'human',
    clientIp: null,
    route: null,
    host: null,
    activeIdentities: 1000,
    ...circumstances,
  };
}

export const policyOf = (yaml: string) => parsePolicyFile(`version: 1\n${yaml}`, 'policy.yaml');
