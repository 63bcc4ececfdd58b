import type { DeadLetterReason } from '../event/traffic-event.ts';
import type { Finding } from '../finding/finding.ts';
import type { Decision } from '../policy/decision.ts';
import type { Metrics } from './metrics.ts';

/**
 * HTTP: the one server. In: events of gateways, questions of people and machines. Out: answers; every error is `{error: {code, message}}`.
 * What it needs of the rest comes in as HttpParts, put together by service.ts. Never true: a route that reaches for a database or a log itself.
 */
export type HttpParts = {
  readonly ingest: (batch: IngestBatch) => Promise<IngestOutcome>;
  readonly queries: Queries;
  readonly metrics: Metrics;
  readonly readiness: () => Promise<Readiness>;
  /** The status page as a whole HTML document, and its style sheet. */
  readonly page: { readonly html: () => Promise<string>; readonly style: string };
};

export type IngestBatch = {
  readonly records: readonly IngestRecord[];
  /** A decoder's name, or `auto`. */
  readonly format: string;
};

export type IngestRecord = {
  /** From 1: the line of an NDJSON body, the position in an array. */
  readonly line: number;
  readonly bytes: Buffer;
};

/** `accepted` only after the events are durable. `busy`: nothing of the batch was taken. */
export type IngestOutcome =
  | { readonly kind: 'accepted'; readonly accepted: number; readonly refused: readonly RefusedRecord[] }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number };

export type RefusedRecord = { readonly line: number; readonly reason: DeadLetterReason; readonly cause: string };

/** Newest first, ties by id downwards. `after` is the last item of the page before. */
export type PageRequest = {
  readonly limit: number;
  readonly after: { readonly at: number; readonly id: string } | undefined;
};

export type FindingFilter = Partial<
  Pick<Finding, 'identity' | 'tenant' | 'kind' | 'severity' | 'state' | 'incident_id'>
>;
export type DecisionFilter = Partial<Pick<Decision, 'identity' | 'tenant' | 'action' | 'mode' | 'incident_id'>>;

/** Each may fail with STORE_UNAVAILABLE (answered 503). */
export type Queries = {
  /** Ordered by `last_seen`, `finding_id`. */
  readonly listFindings: (filter: FindingFilter, page: PageRequest) => Promise<readonly Finding[]>;
  readonly getFinding: (id: string) => Promise<Finding | undefined>;
  /** Ordered by `made_at`, `decision_id`. */
  readonly listDecisions: (filter: DecisionFilter, page: PageRequest) => Promise<readonly Decision[]>;
  readonly getIdentity: (key: string) => Promise<IdentityView | undefined>;
};

export type IdentityView = {
  readonly identity: string;
  readonly identity_kind: string;
  readonly tenant: string;
  /** Milliseconds since 1970, as the next. */
  readonly first_seen: number;
  readonly last_seen: number;
  readonly events: number;
  readonly errors: number;
  /** After its newest event, 0 to 100; not decayed since. */
  readonly risk: number;
};

/** The state of each part by name (log, store, each shard …); `ready` only when all that this process needs work. */
export type Readiness = {
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>>;
};
