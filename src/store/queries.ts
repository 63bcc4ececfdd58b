import type { EpochMs } from '../core/clock.ts';
import type { Finding } from '../finding/finding.ts';
import type { Decision, Receipt } from '../policy/decision.ts';
import type { Store } from './clickhouse.ts';

/** Equality on each field that is given; `since` (milliseconds) on the time that orders the list. */
export type FindingFilter = Partial<
  Pick<Finding, 'identity' | 'tenant' | 'kind' | 'severity' | 'state' | 'incident_id'>
> & { readonly since?: EpochMs };
export type DecisionFilter = Partial<Pick<Decision, 'identity' | 'tenant' | 'action' | 'mode' | 'incident_id'>> & {
  readonly since?: EpochMs;
};

/** Newest first, ties by id downwards; `after` is the last item of the page before. At most 500 items. */
export type PageRequest = {
  readonly limit: number;
  readonly after: { readonly at: EpochMs; readonly id: string } | undefined;
};

export type IdentitySummary = {
  readonly identity: string;
  readonly identity_kind: string;
  readonly tenant: string;
  readonly first_seen: EpochMs;
  readonly last_seen: EpochMs;
  readonly events: number;
  readonly errors: number;
  readonly surprise_max: number;
  readonly risk_max: number;
  /** After its newest event, 0 to 100; not decayed since. */
  readonly risk: number;
};

export type StoredEvent = {
  readonly ts: EpochMs;
  readonly event_id: string;
  readonly method: string;
  readonly host: string;
  readonly route: string;
  readonly operation: string;
  readonly status: number;
  readonly client_ip: string;
  readonly country: string;
  readonly surprise: number;
  readonly risk: number;
  readonly top: readonly string[];
  readonly findings: readonly string[];
};

export type DeadLetterCount = { readonly reason: string; readonly records: number; readonly last: EpochMs };

export type StoreCounters = {
  readonly events: number;
  readonly identities: number;
  readonly findings: number;
  readonly openFindings: number;
  readonly decisions: number;
  readonly deadLetters: number;
};

/** What HTTP and the status page ask. Every value is bound. Each fails with STORE_UNAVAILABLE when ClickHouse is away or a limit was reached. */
export type StoreQueries = {
  /** Ordered by `last_seen`, `finding_id`. */
  readonly listFindings: (filter: FindingFilter, page: PageRequest) => Promise<readonly Finding[]>;
  readonly getFinding: (id: string) => Promise<Finding | undefined>;
  /** Ordered by `made_at`, `decision_id`. */
  readonly listDecisions: (filter: DecisionFilter, page: PageRequest) => Promise<readonly Decision[]>;
  readonly listReceipts: (decisionId: string) => Promise<readonly Receipt[]>;
  readonly getIdentity: (key: string) => Promise<IdentitySummary | undefined>;
  readonly recentEvents: (identity: string, limit: number) => Promise<readonly StoredEvent[]>;
  readonly countDeadLetters: (since: EpochMs) => Promise<readonly DeadLetterCount[]>;
  readonly counters: () => Promise<StoreCounters>;
};

const pageLimitMax = 500;

const ms = (...columns: readonly string[]): string =>
  columns.map((column) => `toUnixTimestamp64Milli(v.${column}) AS ${column}`).join(', ');
const columns = {
  findings: `* EXCEPT (stored_at, first_seen, last_seen), ${ms('first_seen', 'last_seen')}`,
  decisions: `* EXCEPT (stored_at, made_at, expires_at, session_id), nullIf(v.session_id, '') AS session_id, ${ms('made_at', 'expires_at')}`,
  receipts: `* EXCEPT (stored_at, at), ${ms('at')}`,
  identities: `* EXCEPT (first_seen, last_seen), ${ms('first_seen', 'last_seen')}`,
  events: `${ms('ts')}, event_id, method, host, route, operation, status, client_ip, country, surprise, risk, top, findings`,
} as const;

export function createStoreQueries(store: Store): StoreQueries {
  const from = (view: keyof typeof columns): string => `SELECT ${columns[view]} FROM ${store.database}.${view} AS v`;

  async function list<T>(view: ListView, filter: Filter, page: PageRequest): Promise<readonly T[]> {
    const { sql, parameters } = conditions(view, filter, page);
    return store.query<T>(`${from(view.name)} ${sql}`, parameters);
  }

  return {
    listFindings: async (filter, page) => (await list<StoredFinding>(findingList, filter, page)).map(toFinding),
    getFinding: async (id) => {
      const rows = await store.query<StoredFinding>(`${from('findings')} WHERE v.finding_id = {id:String}`, { id });
      return rows[0] && toFinding(rows[0]);
    },
    listDecisions: (filter, page) => list<Decision>(decisionList, filter, page),
    listReceipts: (id) =>
      store.query<Receipt>(`${from('receipts')} WHERE v.decision_id = {id:String} ORDER BY target`, { id }),
    getIdentity: async (key) => {
      const sql = `${from('identities')} WHERE v.identity = {key:String}`;
      return (await store.query<IdentitySummary>(sql, { key }))[0];
    },
    recentEvents: (identity, limit) => {
      const sql = `${from('events')} WHERE v.identity = {identity:String} ORDER BY v.ts DESC, v.seq DESC LIMIT {limit:UInt16}`;
      return store.query<StoredEvent>(sql, { identity, limit: clamp(limit) });
    },
    countDeadLetters: (since) =>
      store.query<DeadLetterCount>(
        `SELECT v.reason AS reason, sum(v.records) AS records, toUnixTimestamp(max(v.minute)) * 1000 AS last
         FROM ${store.database}.dead_letters_per_minute AS v WHERE v.minute >= toDateTime({since:UInt32}, 'UTC')
         GROUP BY v.reason ORDER BY records DESC, reason`,
        { since: Math.max(0, Math.floor(since / 1000)) },
      ),
    counters: async () => {
      const db = store.database;
      const rows = await store.query<StoreCounters>(`SELECT
        (SELECT sum(events) FROM ${db}.routes_per_minute_v1) AS events,
        (SELECT uniqExact(identity) FROM ${db}.identities_raw_v1) AS identities,
        (SELECT count() FROM ${db}.findings) AS findings,
        (SELECT count() FROM ${db}.findings WHERE state = 'open') AS openFindings,
        (SELECT count() FROM ${db}.decisions) AS decisions,
        (SELECT count() FROM ${db}.dead_letters) AS deadLetters`);
      return rows[0]!;
    },
  };
}

type ListView = { readonly name: 'findings' | 'decisions'; readonly id: string; readonly time: string };
type Filter = Readonly<Record<string, string | number | undefined>>;
const findingList: ListView = { name: 'findings', id: 'finding_id', time: 'last_seen' };
const decisionList: ListView = { name: 'decisions', id: 'decision_id', time: 'made_at' };
const filterColumns = ['identity', 'tenant', 'kind', 'severity', 'state', 'incident_id', 'action', 'mode'] as const;

function conditions(view: ListView, filter: Filter, page: PageRequest) {
  const parameters: Record<string, string | number> = { limit: clamp(page.limit) };
  const parts = ['1'];
  for (const column of filterColumns) {
    const value = filter[column];
    if (value === undefined) continue;
    parts.push(`v.${column} = {${column}:String}`);
    parameters[column] = value;
  }
  if (filter.since !== undefined) {
    parts.push(`v.${view.time} >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')`);
    parameters.since = Math.trunc(Number(filter.since));
  }
  if (page.after !== undefined) {
    parts.push(`(v.${view.time}, v.${view.id}) < (fromUnixTimestamp64Milli({at:Int64}, 'UTC'), {after:String})`);
    Object.assign(parameters, { at: Math.trunc(page.after.at), after: page.after.id });
  }
  const order = `ORDER BY v.${view.time} DESC, v.${view.id} DESC LIMIT {limit:UInt16}`;
  return { sql: `WHERE ${parts.join(' AND ')} ${order}`, parameters };
}

/** `reasons` is JSON text in the table. */
type StoredFinding = Omit<Finding, 'reasons'> & { readonly reasons: string };

function toFinding(row: StoredFinding): Finding {
  return { ...row, reasons: JSON.parse(row.reasons || '[]') as Finding['reasons'] };
}

function clamp(limit: number): number {
  return Math.min(Math.max(Math.trunc(limit) || 1, 1), pageLimitMax);
}
