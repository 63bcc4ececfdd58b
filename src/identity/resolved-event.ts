import type { IdentityKind } from '../core/words.ts';
import type { TrafficEvent } from '../event/traffic-event.ts';

/**
 * Identity: who made the call. In: a redacted event. Out: the same call under the key that every later stage uses.
 * `kind:tenant:id` is made by one function (identity-key.ts) for events, findings, decisions and look-ups alike.
 */
export type { IdentityKind } from '../core/words.ts';

/** `kind:tenant:id`. Minted only by identity-key.ts. */
export type IdentityKey = string & { readonly __brand: 'IdentityKey' };

/** Where a record stood in its source; within a shard these arrive in order per source and partition. */
export type SourcePosition = {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Position inside the record, for records that hold several events. */
  readonly index: number;
};

export type ResolvedEvent = {
  readonly identity: IdentityKey;
  readonly identity_kind: IdentityKind;
  /** Claimed by a call that was refused as unauthenticated: an attribute of the source, never the primary identity. */
  readonly claimed_identity: IdentityKey | null;
  /** Always set: the source's own, or derived from the position. */
  readonly event_id: string;
  /** The template: the gateway's, else the OpenAPI document's, else deterministic. */
  readonly route: string;
  /** What the template took out of the path, and the source's own object ids. */
  readonly object_ids: readonly string[];
  readonly event: TrafficEvent;
  readonly position: SourcePosition | null;
};
