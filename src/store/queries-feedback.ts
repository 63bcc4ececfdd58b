import type { VerdictWord } from '../core/words.ts';
import type { Cause, FindingKind, Severity } from '../finding/finding.ts';
import type { SuppressionRow, VerdictRow } from '../finding/verdict.ts';
import type { Store } from './clickhouse.ts';
import { eventsAndEvidence } from './event-rows.ts';
import { type Page, type Paging, readPage } from './page.ts';

/** What people said, and the findings that it is said of. Every value is bound, every list is limited. */
export type FeedbackQueries = {
  readonly verdicts: (filter: VerdictFilter) => Promise<Page<StoredVerdict>>;
  readonly verdict: (id: string) => Promise<StoredVerdict | undefined>;
  /** Those in force, the newest first, with how often each kept a finding from being told. At most 10,000. */
  readonly suppressions: (now: number) => Promise<readonly StoredSuppression[]>;
  readonly suppression: (id: string) => Promise<StoredSuppression | undefined>;
  /** Hits by id; the file's suppressions have no row of their own. */
  readonly hits: () => Promise<readonly Hits[]>;
  /**
   * Findings of the last 30 days of what is stored, the newest first, at most `pastMax`. `withCalls` asks for the routes and addresses of their examples
   * too.
   */
  readonly past: (of: { readonly now: number; readonly withCalls: boolean }) => Promise<readonly PastRow[]>;
};

export type VerdictFilter = Paging & {
  readonly finding_id?: string;
  readonly verdict?: string;
  readonly state?: string;
};

export type StoredVerdict = Omit<VerdictRow, 'at'> & { readonly at: string };
export type Hits = { readonly suppression_id: string; readonly hits: number; readonly last_hit: string };
export type StoredSuppression = Omit<SuppressionRow, 'until' | 'made_at'> & {
  readonly until: string;
  readonly made_at: string;
};

export type PastRow = {
  readonly finding_id: string;
  readonly kind: FindingKind;
  readonly identity: string;
  readonly severity: Severity;
  readonly state: 'open' | 'closed' | 'suppressed';
  readonly title: string;
  readonly last_seen: string;
  readonly peers: string;
  readonly cause: Cause;
  /** The newest; null when there is none. */
  readonly verdict: VerdictWord | null;
  readonly calls: readonly { readonly route: string; readonly clientIp: string | null }[];
};

export const pastMax = 50_000;

const verdictColumns =
  'verdict_id, finding_id, identity, kind, verdict, ocsf_id, by, note, at, suppression_id, closes, state, version';
const suppressionColumns = `suppression_id, verdict_id, identity, peer_group, route, network, kinds, cause, owner, reason, until, made_by,
  made_at, state, version`;

export function createFeedbackQueries(store: Store): FeedbackQueries {
  const db = store.database;
  return {
    verdicts: ({ finding_id, verdict, state, ...paging }) => {
      const list = { view: 'verdicts', columns: verdictColumns, id: 'verdict_id', time: 'at' };
      return readPage<StoredVerdict>(store, list, { ...paging, equals: { finding_id, verdict, state } });
    },
    verdict: async (id) => {
      const sql = `SELECT ${verdictColumns} FROM ${db}.verdicts WHERE verdict_id = {id:String}`;
      return (await store.query<StoredVerdict>(sql, { id }))[0];
    },
    suppressions: (now) =>
      store.query<StoredSuppression>(
        `SELECT ${suppressionColumns} FROM ${db}.suppressions
         WHERE state = 'active' AND until > fromUnixTimestamp64Milli({now:Int64}, 'UTC')
         ORDER BY made_at DESC, suppression_id LIMIT 10000`,
        { now },
      ),
    suppression: async (id) => {
      const sql = `SELECT ${suppressionColumns} FROM ${db}.suppressions WHERE suppression_id = {id:String}`;
      return (await store.query<StoredSuppression>(sql, { id }))[0];
    },
    hits: () =>
      store.query<Hits>(
        `SELECT suppressed_by AS suppression_id, count() AS hits, max(last_seen) AS last_hit FROM ${db}.findings
         WHERE state = 'suppressed' GROUP BY suppressed_by LIMIT 10000`,
        {},
      ),
    past: (of) => readPast(store, of),
  };
}

type StoredPast = Omit<PastRow, 'cause' | 'verdict' | 'calls'> & {
  readonly cause: string;
  readonly verdict: VerdictWord | '';
  readonly calls: readonly (readonly [string, string])[];
};

async function readPast(
  store: Store,
  { now, withCalls }: { readonly now: number; readonly withCalls: boolean },
): Promise<readonly PastRow[]> {
  const db = store.database;
  // A recording that is played is as long ago as it was made.
  const newest = `least(fromUnixTimestamp64Milli({now:Int64}, 'UTC'), (SELECT max(last_seen) FROM ${db}.findings_raw_v1))`;
  const from = `(${newest} - INTERVAL 30 DAY)`;
  const events = eventsAndEvidence(
    store,
    `ts >= ${from} AND identity IN (SELECT identity FROM ${db}.findings WHERE last_seen >= ${from})`,
    'identity, event_id, route, client_ip',
  );
  const calls = withCalls
    ? `LEFT JOIN (SELECT e.finding_id AS finding_id, groupUniqArray((c.route, c.client_ip)) AS calls
         FROM (SELECT finding_id, identity, arrayJoin(event_ids) AS event_id FROM ${db}.findings WHERE last_seen >= ${from}) AS e
         INNER JOIN (${events}) AS c ON c.identity = e.identity AND c.event_id = e.event_id
         GROUP BY e.finding_id) AS x ON x.finding_id = f.finding_id`
    : '';
  const rows = await store.query<StoredPast>(
    `SELECT f.finding_id AS finding_id, f.kind AS kind, f.identity AS identity, f.severity AS severity, f.state AS state, f.title AS title,
       f.last_seen AS last_seen, JSONExtractString(f.reasons, 1, 'peer_group') AS peers, f.cause AS cause, v.verdict AS verdict,
       ${withCalls ? 'x.calls' : 'CAST([] AS Array(Tuple(String, String)))'} AS calls
     FROM ${db}.findings AS f
     LEFT JOIN (SELECT finding_id, argMax(toString(verdict), at) AS verdict FROM ${db}.verdicts WHERE state = 'given' GROUP BY finding_id) AS v
       ON v.finding_id = f.finding_id
     ${calls}
     WHERE f.last_seen >= ${from} ORDER BY f.last_seen DESC, f.finding_id LIMIT {limit:UInt32}`,
    { now, limit: pastMax },
  );
  return rows.map((row) => ({
    ...row,
    cause: JSON.parse(row.cause || '{}') as Cause,
    verdict: row.verdict === '' ? null : row.verdict,
    calls: row.calls.map(([route, ip]) => ({ route, clientIp: ip === '' ? null : ip })),
  }));
}
