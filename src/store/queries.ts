import type { AuditEntry } from '../core/audit.ts';
import type { Finding } from '../finding/finding.ts';
import type { Decision, Receipt } from '../policy/decision.ts';
import type { Store } from './clickhouse.ts';
import { clampLimit, type Page, type Paging, readPage } from './page.ts';

/**
 * The questions that the HTTP routes ask. Every value is bound, every list is limited and goes on from a cursor (newest first).
 * Rows are as in the views: snake_case, times as ISO 8601 in UTC. Fails with STORE_UNAVAILABLE when ClickHouse is away or a limit was reached.
 */
export type StoreQueries = {
  readonly findings: (filter: FindingFilter) => Promise<Page<FindingRow>>;
  readonly finding: (findingId: string) => Promise<FindingRow | undefined>;
  readonly decisions: (filter: DecisionFilter) => Promise<Page<DecisionRow>>;
  readonly decision: (
    decisionId: string,
  ) => Promise<
    (DecisionRow & { readonly points: readonly PointRow[]; readonly receipts: readonly ReceiptRow[] }) | undefined
  >;
  /** With at most 500 of its newest events. */
  readonly identity: (
    identity: string,
    eventLimit?: number,
  ) => Promise<(IdentityRow & { readonly recent: readonly EventRow[] }) | undefined>;
  /** `identity` asks for the entries about it. */
  readonly audit: (filter: Paging & { readonly who?: string; readonly action?: string }) => Promise<Page<AuditRow>>;
  readonly deadLetters: (since: number) => Promise<readonly DeadLetterCount[]>;
  readonly counters: () => Promise<Counters>;
};

export type FindingFilter = Paging & {
  readonly kind?: string | undefined;
  readonly severity?: string | undefined;
  readonly state?: string | undefined;
};

export type DecisionFilter = Paging & {
  readonly action?: string | undefined;
  readonly mode?: string | undefined;
  readonly rule?: string | undefined;
};

/** As in the view: times are ISO 8601 in UTC. */
export type FindingRow = Omit<Finding, 'first_seen' | 'last_seen' | 'shard'> & {
  readonly first_seen: string;
  readonly last_seen: string;
};

/** Texts are empty where a decision has null. */
export type DecisionRow = Omit<
  Decision,
  | 'ended'
  | 'made_at'
  | 'updated_at'
  | 'expires_at'
  | 'issued_before'
  | 'session_id'
  | 'token_id'
  | 'client_ip'
  | 'shard'
> & {
  readonly [name in
    | 'ended'
    | 'made_at'
    | 'updated_at'
    | 'expires_at'
    | 'session_id'
    | 'token_id'
    | 'client_ip']: string;
} & { readonly issued_before: string | null };

export type ReceiptRow = Omit<Receipt, 'decision_id' | 'at'> & { readonly at: string };

/** How far a decision came at one point; null and empty where nothing is known. */
export type PointRow = {
  readonly point: string;
  readonly sent: string;
  readonly sent_at: string | null;
  readonly seen_at: string | null;
  readonly acknowledged_at: string | null;
  readonly effect: string;
  readonly effect_at: string | null;
  /** Of the newest step. */
  readonly detail: string;
};

export type AuditRow = Omit<AuditEntry, 'at'> & { readonly at: string };

export type IdentityRow = {
  readonly identity: string;
  readonly identity_kind: string;
  readonly tenant: string;
  readonly first_seen: string;
  readonly last_seen: string;
  /** Estimated when only a sample is stored, as `errors` (status 400 or more). */
  readonly events: number;
  readonly errors: number;
  readonly surprise_max: number;
  readonly risk_max: number;
  /** After its newest event or finding, 0 to 100; not decayed since. */
  readonly risk: number;
  readonly risk_at: string;
};

export type EventRow = {
  readonly ts: string;
  readonly identity: string;
  readonly event_id: string;
  readonly method: string;
  readonly host: string;
  readonly route: string;
  readonly operation: string;
  readonly status: number;
  readonly client_ip: string;
  readonly session_id: string;
  readonly token_id: string;
  readonly actor_kind: string;
  readonly country: string;
  readonly surprise: number;
  readonly risk: number;
  readonly top: readonly string[];
  readonly findings: readonly string[];
};

export type DeadLetterCount = { readonly reason: string; readonly records: number; readonly last: string };

export type Counters = {
  readonly events: number;
  readonly identities: number;
  readonly findings: number;
  readonly open_findings: number;
  readonly decisions: number;
  readonly dead_letters: number;
};

export const findingColumns = `finding_id, kind, identity, identity_kind, tenant, incident_id, state, severity, confidence, first_seen, last_seen,
  count, surprise, risk, title, reasons, suppressed_by, cause, event_ids, owasp, attack, version`;
export const decisionColumns = `decision_id, version, change, identity, identity_kind, tenant, scope, action, ended, mode, by, rule, why, finding_ids,
  incident_id, risk, risk_level, session_risk, session_id, token_id, client_ip, acr_values, max_age, issued_before, made_at, updated_at,
  expires_at`;
export const eventColumns =
  'ts, identity, event_id, method, host, route, operation, status, client_ip, session_id, token_id, actor_kind, country, surprise, risk, top, findings';

export function createStoreQueries(store: Store): StoreQueries {
  const db = store.database;
  return {
    findings: async (filter) => {
      const { kind, severity, state } = filter;
      const list = { view: 'findings', columns: findingColumns, id: 'finding_id', time: 'last_seen' };
      const page = await readPage<StoredFinding>(store, list, { ...filter, equals: { kind, severity, state } });
      return { ...page, rows: page.rows.map(toFinding) };
    },
    finding: async (id) => {
      const rows = await store.query<StoredFinding>(
        `SELECT ${findingColumns} FROM ${db}.findings WHERE finding_id = {id:String}`,
        { id },
      );
      return rows[0] && toFinding(rows[0]);
    },
    decisions: ({ action, mode, rule, ...paging }) => {
      const list = { view: 'decisions', columns: decisionColumns, id: 'decision_id', time: 'made_at' };
      return readPage<DecisionRow>(store, list, { ...paging, equals: { action, mode, rule } });
    },
    decision: async (id) => {
      const bound = { id };
      const [row] = await store.query<DecisionRow>(
        `SELECT ${decisionColumns} FROM ${db}.decisions WHERE decision_id = {id:String}`,
        bound,
      );
      if (row === undefined) return undefined;
      const [points, receipts] = await Promise.all([
        store.query<PointRow>(
          `SELECT point, sent, sent_at, seen_at, acknowledged_at, effect, effect_at, detail
           FROM ${db}.decision_points WHERE decision_id = {id:String} ORDER BY point`,
          bound,
        ),
        store.query<ReceiptRow>(
          `SELECT target, state, attempts, status, detail, at FROM ${db}.receipts WHERE decision_id = {id:String} ORDER BY at, target`,
          bound,
        ),
      ]);
      return { ...row, points, receipts };
    },
    identity: async (identity, eventLimit = 50) => {
      const [row] = await store.query<IdentityRow>(
        `SELECT * FROM ${db}.identities WHERE identity = {identity:String}`,
        { identity },
      );
      if (row === undefined) return undefined;
      const recent = await store.query<EventRow>(
        `SELECT ${eventColumns} FROM ${db}.events WHERE identity = {identity:String} ORDER BY ts DESC, seq DESC LIMIT {limit:UInt32}`,
        { identity, limit: clampLimit(eventLimit) },
      );
      return { ...row, recent };
    },
    audit: ({ who, action, identity, ...paging }) => {
      const list = {
        view: 'audit',
        columns: 'audit_id, at, who, `from`, action, about, detail',
        id: 'audit_id',
        time: 'at',
      };
      return readPage<AuditRow>(store, list, { ...paging, equals: { who, action, about: identity } });
    },
    deadLetters: (since) =>
      store.query<DeadLetterCount>(
        `SELECT d.reason AS reason, sum(d.records) AS records, max(d.minute) AS last FROM ${db}.dead_letters_per_minute AS d
         WHERE d.minute >= toDateTime({since:UInt32}, 'UTC') GROUP BY d.reason ORDER BY records DESC, reason`,
        { since: Math.max(0, Math.floor(since / 1000)) },
      ),
    counters: async () => {
      const [row] = await store.query<Counters>(`SELECT
        (SELECT sum(events) FROM ${db}.routes_per_minute_v1) AS events,
        (SELECT uniqExact(identity) FROM ${db}.identities_raw_v1) AS identities,
        (SELECT count() FROM ${db}.findings) AS findings,
        (SELECT count() FROM ${db}.findings WHERE state = 'open') AS open_findings,
        (SELECT count() FROM ${db}.decisions) AS decisions,
        (SELECT count() FROM ${db}.dead_letters) AS dead_letters`);
      return row!;
    },
  };
}

/** `reasons` and `cause` are JSON text in the table. */
export type StoredFinding = Omit<FindingRow, 'reasons' | 'cause'> & {
  readonly reasons: string;
  readonly cause: string;
};

export function toFinding(row: StoredFinding): FindingRow {
  return {
    ...row,
    reasons: JSON.parse(row.reasons || '[]') as FindingRow['reasons'],
    cause: JSON.parse(row.cause || '{}') as FindingRow['cause'],
  };
}
