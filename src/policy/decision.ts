import type { Action, RiskLevel } from '../core/words.ts';
import type { IdentityKey, IdentityKind } from '../identity/resolved-event.ts';

/** Decision: what policy wants done about an identity. Has an id derived from its claim, a reason, a TTL and an end. */
export { type Action, actions, type RiskLevel, riskLevels } from '../core/words.ts';

export type Decision = {
  readonly decision_id: string;
  readonly identity: IdentityKey;
  readonly identity_kind: IdentityKind;
  readonly tenant: string;
  readonly action: Action;
  /** `shadow`: made, stored and shown as "would have", not sent. */
  readonly mode: 'shadow' | 'enforce';
  readonly rule: string;
  readonly why: string;
  readonly finding_ids: readonly string[];
  readonly incident_id: string;
  readonly risk: number;
  readonly risk_level: RiskLevel;
  readonly session_id: string | null;
  /** Event time. */
  readonly made_at: number;
  readonly expires_at: number;
  readonly shard: number;
  readonly version: number;
};

/** What became of a decision at one enforcement point or receiver. */
export type Receipt = {
  readonly decision_id: string;
  readonly target: string;
  readonly state: 'delivered' | 'rejected' | 'failed' | 'skipped-stale';
  readonly attempts: number;
  readonly status: number | null;
  readonly detail: string;
  readonly at: number;
};
