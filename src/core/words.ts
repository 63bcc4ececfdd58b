/**
 * The closed word lists that configuration, detection, storage and the API share.
 * They stand here, below `config`, because a policy file is checked against them; the folders that own a word re-export it.
 */
export const identityKinds = ['user', 'mtls', 'api-key', 'client', 'consumer', 'session', 'device', 'address'] as const;
export type IdentityKind = (typeof identityKinds)[number];

export const actorKinds = ['human', 'service'] as const;
export type ActorKind = (typeof actorKinds)[number];

export const findingKinds = [
  'rate_spike',
  'new_function',
  'new_context',
  'error_ratio',
  'volume_spike',
  'off_hours',
  'behaviour_change',
  'object_enumeration',
  'mass_change',
  'reconnaissance',
  'data_exfiltration',
  'automation',
  'token_replay',
  'impossible_travel',
  'privilege_drift',
  'account_takeover',
  'dormant_reactivated',
  'credential_stuffing',
  'auth_failure_burst',
  'bulk_accounts',
  'suspect_origin',
  'sequence_anomaly',
] as const;
export type FindingKind = (typeof findingKinds)[number];

/** Weakest first, as the next two. */
export const severities = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];

export const riskLevels = ['LOW', 'MEDIUM', 'HIGH'] as const;
export type RiskLevel = (typeof riskLevels)[number];

/** `restore` stands last but is no step of the ladder: it ends what the others began. */
export const actions = [
  'observe',
  'notify',
  'throttle',
  'step-up',
  'revoke-session',
  'revoke-identity',
  'restore',
] as const;
export type Action = (typeof actions)[number];

/** What a person says of a finding, with the numbers that OCSF gives it (`verdict_id`, schema 1.3). */
export const verdictIds = {
  'false-positive': 1,
  'true-positive': 2,
  disregard: 3,
  suspicious: 4,
  benign: 5,
  test: 6,
  'insufficient-data': 7,
  'security-risk': 8,
  'managed-externally': 9,
  duplicate: 10,
  other: 99,
} as const;
export type VerdictWord = keyof typeof verdictIds;
export const verdictWords = Object.keys(verdictIds) as readonly VerdictWord[];

/** What the headline of an alert may name, as `{severity}`. */
export const alertFields = [
  'severity',
  'kind',
  'identity',
  'tenant',
  'incident',
  'risk',
  'events',
  'findings',
] as const;
export type AlertField = (typeof alertFields)[number];

export const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

/** What a receiver can ask of a transmitter of shared signals (SSF 1.0, 8; `poll` is RFC 8936). */
export type SsfOperation =
  | 'create'
  | 'read'
  | 'update'
  | 'replace'
  | 'delete'
  | 'readStatus'
  | 'setStatus'
  | 'addSubject'
  | 'removeSubject'
  | 'verify'
  | 'poll';

/** Of what gateways write. */
export const formatNames = ['canonical', 'cloudtrail', 'nginx', 'envoy', 'kong', 'aws-api-gateway', 'map'] as const;
export type FormatName = (typeof formatNames)[number];
/** What can be asked for by name alone: a `map` needs its file, too. */
export const formatChoices: readonly string[] = ['auto', ...formatNames.filter((name) => name !== 'map')];
