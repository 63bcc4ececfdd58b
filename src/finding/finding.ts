import type { BaselineLevel } from '../baseline/row-layout.ts';
import type { FindingKind, Severity } from '../core/words.ts';
import type { IdentityKey, IdentityKind } from '../identity/resolved-event.ts';

/**
 * Finding: a stored, explained claim about an identity. One open finding per identity and kind, updated in place, closed by quiet.
 * The id is a hash of the claim, so a replay writes the same row. snake_case as in the files, the topic and the table.
 */
export { type FindingKind, findingKinds, type Severity, severities } from '../core/words.ts';

export type Reason = {
  readonly feature: string;
  readonly observed: number | string;
  readonly expected: number | string;
  /** The range that holds 90 % of the baseline's predictions; null for categories. */
  readonly low: number | null;
  readonly high: number | null;
  /** Share of the score, 0 to 1. */
  readonly share: number;
  readonly level: BaselineLevel;
  /** Who its peers are: `tenant|actor kind|roles or client application`. */
  readonly peer_group: string;
  /** Events behind that baseline. */
  readonly sample_size: number;
  readonly text: string;
};

/** `nats`: the most that the feature said in one event. `values`: what was observed, of a feature that tells where somebody comes from, or with what. */
export type Cause = Readonly<Record<string, { readonly nats: number; readonly values?: readonly string[] }>>;

export type Finding = {
  readonly finding_id: string;
  readonly kind: FindingKind;
  readonly identity: IdentityKey;
  readonly identity_kind: IdentityKind;
  readonly tenant: string;
  readonly incident_id: string;
  /** `suppressed`: made, stored and counted, but nobody is told and nothing is done: people said that it is to be expected. */
  readonly state: 'open' | 'closed' | 'suppressed';
  /** The suppression, or the verdict, behind that state; empty otherwise. */
  readonly suppressed_by: string;
  readonly severity: Severity;
  /** 0 to 1: how much of the baseline is the identity's own, and how many families agree. */
  readonly confidence: number;
  readonly first_seen: number;
  readonly last_seen: number;
  readonly count: number;
  /** The highest of its events, -log10 p. */
  readonly surprise: number;
  /** The identity's risk after the last update, 0 to 100. */
  readonly risk: number;
  /** Event time of that risk, when no call of the identity raised it: the store has the others' from the events. */
  readonly told_at?: number;
  /** One sentence that a person can read. */
  readonly title: string;
  readonly reasons: readonly Reason[];
  /** All that the claim rests on, by feature: what a verdict that it is false makes expected. */
  readonly cause: Cause;
  /** At most 10, the most surprising. */
  readonly event_ids: readonly string[];
  readonly owasp: readonly string[];
  readonly attack: readonly string[];
  readonly shard: number;
  /** Grows with every update; the highest wins in the table. */
  readonly version: number;
};
