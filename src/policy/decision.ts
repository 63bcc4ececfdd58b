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

/**
 * One step of a decision at one enforcement point or receiver. The newest of each (decision, target, state) counts, so that a step that is
 * reported twice is one. Records of the topic `gait.receipts`, keyed by `receiptKey`.
 */
export type Receipt = {
  readonly decision_id: string;
  /** A webhook, the name of an enforcement point's API key, an identity provider; `traffic` for what the calls themselves say. */
  readonly target: string;
  readonly state: ReceiptState;
  /** Tries of a delivery; answers that carried the decision (`seen`); calls that passed all the same (`ineffective`). */
  readonly attempts: number;
  readonly status: number | null;
  readonly detail: string;
  readonly at: number;
};

/**
 * How a delivery ended: `delivered`, `rejected`, `failed`, `skipped-stale`. An enforcement point was answered with it: `seen`; says that it
 * has acted: `acknowledged`. Of the target `traffic`: the calls stopped (`effective`) or went on (`ineffective`); nobody asked (`unseen`).
 */
export type ReceiptState =
  | 'delivered'
  | 'rejected'
  | 'failed'
  | 'skipped-stale'
  | 'seen'
  | 'acknowledged'
  | 'effective'
  | 'ineffective'
  | 'unseen';

export function receiptKey({ decision_id, target, state }: Pick<Receipt, 'decision_id' | 'target' | 'state'>): string {
  return `${decision_id}/${target}/${state}`;
}
