import type { SsfOperation } from '../core/words.ts';
import type { DeadLetterReason } from '../event/traffic-event.ts';
import type { DecisionTable } from '../policy/decision-table.ts';
import type { NoticeOf } from '../policy/notice.ts';
import type { FeedbackParts, Who } from './feedback-parts.ts';
import type { Metrics } from './metrics.ts';
import type { Live, PageQueries } from './page-parts.ts';
import type { ListFilter, Page } from './paging.ts';

/**
 * HTTP: the one server. In: events of gateways, questions of people and machines. Out: answers; every error is `{error: {code, message}}`.
 * What it needs of the rest comes in as HttpParts, put together by service.ts. Never true: a route that reaches for a database or a log itself.
 */
export type HttpParts = {
  readonly ingest: (batch: IngestBatch) => Promise<IngestOutcome>;
  readonly queries: Queries;
  readonly pages: PageQueries;
  readonly live: Live;
  /** Tells the shards what a person decided; the audit first. Resolves when it is durable, to the notice's id. */
  readonly order: (order: Order, from: string) => Promise<string>;
  /** What a person says or does about an incident. Resolves when it is durable. */
  readonly note: (
    incidentId: string,
    notes: readonly CaseNote[],
    said: { readonly who: string; readonly from: string },
  ) => Promise<'noted' | 'unknown'>;
  readonly feedback: FeedbackParts;
  /** Which rule won about an identity, and why; undefined when nothing was ever found about it. */
  readonly explain: (identity: string) => Promise<object | undefined>;
  readonly ask: (question: EnforcementQuestion) => EnforcementAnswer | Promise<EnforcementAnswer>;
  /** A press of a button below an alert in Slack; undefined when no channel has buttons. */
  readonly slackAction:
    | ((request: SignedRequest, from: string) => Promise<'taken' | 'unsigned' | 'forbidden'>)
    | undefined;
  readonly held: HeldDecisions;
  /** Shared signals; undefined when neither side of them is configured. */
  readonly ssf: SsfParts | undefined;
  /** SQL of people over the views. */
  readonly sql: SqlDoor;
  readonly metrics: Metrics;
  readonly readiness: () => Promise<Readiness>;
  readonly site: SiteParts;
  /** What seals the sessions of people at the dashboard. */
  readonly session: { readonly secret: string; readonly now: () => number };
};

/** The dashboard; `accepts` is the header Accept-Encoding. */
export type SiteParts = {
  /** Each answers with the same document. */
  readonly paths: readonly string[];
  readonly document: (accepts: string) => Promise<SiteFile>;
  readonly asset: (name: string, accepts: string) => Promise<SiteFile | undefined>;
};

type SiteFile = {
  readonly type: string;
  readonly encoding: 'br' | 'gzip' | 'identity';
  readonly body: Buffer;
};

export type SsfParts = {
  readonly transmitter:
    | {
        readonly issuer: string;
        /** Of whom a stream tells to begin with. */
        readonly defaultSubjects: 'ALL' | 'NONE';
        readonly jwks: () => Promise<object>;
        /** `caller` is the name of the key: it sees what is its own. `code` and `message` with a status from 400. */
        readonly call: (operation: SsfOperation, call: SsfCall) => Promise<SsfAnswer>;
      }
    | undefined;
  /** A token as it was pushed, and the Authorization header that came with it. */
  readonly receive:
    | ((
        token: string,
        authorization: string | undefined,
      ) => Promise<
        | { readonly kind: 'accepted' | 'unavailable' }
        | { readonly kind: 'refused'; readonly err: string; readonly description: string }
      >)
    | undefined;
};

type SsfCall = {
  readonly caller: string;
  readonly from: string;
  readonly streamId: string | undefined;
  readonly body: Buffer;
};
type SsfAnswer = {
  readonly status: number;
  readonly body?: object | undefined;
  readonly code?: string;
  readonly message?: string;
  readonly retryAfterSeconds?: number;
};

/** `text`: the comment, the reason, or to whom it is assigned (empty: to nobody). */
export type CaseNote = { readonly kind: 'comment' | 'assign' | 'close' | 'reopen'; readonly text: string };

/** What a person wants done, and who he is. */
export type Order = Omit<NoticeOf<'decide'>, 'notice_id' | 'at'> | Omit<NoticeOf<'restore'>, 'notice_id' | 'at'>;

/** The body as it was sent, and what the sender says to prove that it is its own. */
export type SignedRequest = { readonly timestamp: string; readonly signature: string; readonly body: Buffer };

/** May this call pass? The headers are the call's, in lower case; nothing in them is believed that is not configured to be. */
export type EnforcementQuestion = {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Of the call, without the query. */
  readonly path: string;
  /** The name of the key that asks. */
  readonly point: string;
  /** Claims that the gateway verified and hands over beside the headers, where it can (Envoy's metadata). */
  readonly verifiedClaims: Readonly<Record<string, unknown>> | null;
  /** The caller's address where the gateway says it beside the headers. */
  readonly clientIp: string | null;
};

/** The decisions in force, for those who fetch them instead of asking about each call. */
export type HeldDecisions = {
  readonly table: DecisionTable;
  readonly now: () => number;
  /** Resolves at the next change, or after so long. */
  readonly nextChange: (waitMs: number) => Promise<void>;
  /** This enforcement point was given these decisions, by id, to act on by itself. */
  readonly handed: (ids: Iterable<string>, point: string) => void;
};

export type EnforcementAnswer = {
  readonly status: 200 | 401 | 403 | 429 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly decisionId: string | null;
  readonly riskLevel: string | null;
  /** Null when the call may pass. */
  readonly error: { readonly code: string; readonly message: string } | null;
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

export type SqlDoor = {
  /** The only database that may be named. */
  readonly database: string;
  readonly ask: (question: SqlQuestion, who: Who) => Promise<SqlAnswered | SqlRefused>;
};
export type SqlQuestion = {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly format: string | undefined;
};
export type SqlAnswered = {
  readonly kind: 'answered';
  readonly body: Buffer;
  readonly format: string;
  readonly rowsRead: number;
  readonly bytesRead: number;
};
/** With ClickHouse's number and name of the error. */
export type SqlRefused = {
  readonly kind: 'refused';
  readonly code: number;
  readonly name: string;
  readonly message: string;
};

/** Newest first. Rows are as in the tables: snake_case, times as ISO 8601 in UTC. Each may fail with STORE_UNAVAILABLE (answered 503). */
export type Queries = {
  readonly findings: (filter: ListFilter<'kind' | 'severity' | 'state'>) => Promise<Page>;
  readonly finding: (id: string) => Promise<object | undefined>;
  readonly decisions: (filter: ListFilter<'action' | 'mode'>) => Promise<Page>;
  /** With its receipts, and how far it came at each point. */
  readonly decision: (id: string) => Promise<object | undefined>;
  readonly audit: (filter: ListFilter<'who' | 'action'>) => Promise<Page>;
  /** With its newest events. */
  readonly identity: (key: string) => Promise<object | undefined>;
};

/** The state of each part by name (log, store, each shard …); `ready` only when all that this process needs work. */
export type Readiness = {
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>>;
};
