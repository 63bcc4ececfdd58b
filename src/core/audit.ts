import type { EpochMs } from './clock.ts';

/** Who changed what, when and from where. Never true: a secret in it, or a change without one. */
export type AuditEntry = {
  readonly audit_id: string;
  readonly at: EpochMs;
  /** The name of the key, or of whoever signed; `local` where no key is asked for. */
  readonly who: string;
  /** The address that asked. */
  readonly from: string;
  /** What was done, as `decision.make`. */
  readonly action: string;
  /** To what: an identity's key, or an id. */
  readonly about: string;
  /** The rest of it, JSON. */
  readonly detail: string;
};

export type Audit = (entry: Omit<AuditEntry, 'audit_id' | 'at'>) => Promise<void>;
