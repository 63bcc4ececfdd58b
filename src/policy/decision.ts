import type { Action, RiskLevel } from '../core/words.ts';
import type { IdentityKey, IdentityKind } from '../identity/resolved-event.ts';

/** Decision: what is to be done about an identity. Has an id derived from its claim, versions, a reason, a TTL and an end. */
export { type Action, actions, type RiskLevel, riskLevels } from '../core/words.ts';

/**
 * What the newest version did. `expired` is for the record and for those who know no times (shared signals): everybody else who holds a decision
 * knows `expires_at` and waits for nothing.
 */
export const decisionChanges = [
  'made',
  'extended',
  'escalated',
  'narrowed',
  'answered',
  'restored',
  'expired',
] as const;
export type DecisionChange = (typeof decisionChanges)[number];

/** The public contract of `gait.signals` (docs/decision.schema.json). */
export type Decision = {
  readonly decision_id: string;
  /** 1 when made, one more with each change; the highest is the valid one. */
  readonly version: number;
  readonly change: DecisionChange;
  readonly identity: IdentityKey;
  readonly identity_kind: IdentityKind;
  readonly tenant: string;
  /** `session`: about the session `session_id` only; otherwise about all that the identity does. */
  readonly scope: 'identity' | 'session';
  readonly action: Action;
  /** With `restore` what has ended; else null. */
  readonly ended: Action | null;
  /** `shadow`: made, stored and shown as "would have", not sent. */
  readonly mode: 'shadow' | 'enforce';
  /** `policy`, or the name of the key or issuer behind the newest version. */
  readonly by: string;
  /** Rule of the policy file; `manual` or `guardrail` where none decided. */
  readonly rule: string;
  readonly why: string;
  readonly finding_ids: readonly string[];
  readonly incident_id: string;
  readonly risk: number;
  readonly risk_level: RiskLevel;
  /** Of the odd call's session alone; null when it had none. */
  readonly session_risk: number | null;
  /** Of the odd call, as far as it was known: its session, its token (jti), its address. */
  readonly session_id: string | null;
  readonly token_id: string | null;
  readonly client_ip: string | null;
  /** What a step-up asks for (RFC 9470); empty and null with every other action. `max_age` in seconds. */
  readonly acr_values: readonly string[];
  readonly max_age: number | null;
  /** Of step-up and revocations: what was issued or authenticated from then on is not meant. Milliseconds, null with other actions. */
  readonly issued_before: number | null;
  /** Event time, as the next two. */
  readonly made_at: number;
  /** When this version came about. */
  readonly updated_at: number;
  readonly expires_at: number;
  readonly shard: number;
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
