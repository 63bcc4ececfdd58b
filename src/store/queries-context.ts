import type { Store } from './clickhouse.ts';
import { eventsAndEvidence } from './event-rows.ts';
import {
  type DecisionRow,
  decisionColumns,
  type EventRow,
  eventColumns,
  type FindingRow,
  findingColumns,
  type StoredFinding,
  toFinding,
} from './queries.ts';
import { readVerdicts, type VerdictRow } from './queries-incidents.ts';

/** A call with what a person asks next: with which program, from where, how it was let in, what it touched. */
export type NearEventRow = EventRow & {
  /** One of the finding's examples, or counted in it. */
  readonly in_finding: boolean;
} & { readonly [name in NearColumn]: unknown };

const nearColumns = [
  'source',
  'path',
  'user_agent',
  'ja4',
  'city',
  'asn',
  'client_id',
  'device_id',
  'auth_method',
  'auth_result',
  'error_code',
  'duration_ms',
  'request_bytes',
  'response_bytes',
  'object_ids',
  'decision_id',
  'enforced',
] as const;
type NearColumn = (typeof nearColumns)[number];

/** A finding and what stands around it. */
export type FindingContext = {
  readonly finding: FindingRow;
  /** At most 200, the oldest first: those of the finding, and the most surprising others up to ten minutes from it. */
  readonly events: readonly NearEventRow[];
  /** At most 10 of the same kind: first the identity's own, then others', the newest first. */
  readonly similar: readonly FindingRow[];
  readonly decisions: readonly DecisionRow[];
  /** Whom the identity was compared with. `size`: identities seen in the group; null when it is not known. */
  readonly peers: { readonly group: string; readonly size: number | null };
  readonly verdicts: readonly VerdictRow[];
};

const eventsMax = 200;
/** Of these at most so many of the finding itself: a burst must leave room for what stood around it. */
const ownMax = 140;
const similarMax = 10;
const decisionsMax = 50;
const aroundMs = 600_000;

export function createContextQuery(store: Store): (finding: FindingRow) => Promise<FindingContext> {
  const db = store.database;
  return async (finding) => {
    const { finding_id: id } = finding;
    const group = finding.reasons[0]?.peer_group ?? '';
    const [events, similar, decisions, [peers], verdicts] = await Promise.all([
      eventsAround(store, finding),
      readSimilar(store, finding),
      store.query<DecisionRow>(
        `SELECT ${decisionColumns} FROM ${db}.decisions WHERE has(finding_ids, {id:String})
         ORDER BY made_at DESC, decision_id LIMIT {limit:UInt32}`,
        { id, limit: decisionsMax },
      ),
      store.query<{ readonly identities: number }>(
        `SELECT identities FROM ${db}.peer_groups WHERE peer_group = {group:String}`,
        { group },
      ),
      readVerdicts(store, [id]),
    ]);
    return {
      finding,
      events,
      similar,
      decisions,
      peers: { group, size: peers?.identities ?? null },
      verdicts,
    };
  };
}

/** Ids first: the texts of all findings of a kind are much to read for ten of them. */
async function readSimilar(store: Store, finding: FindingRow): Promise<readonly FindingRow[]> {
  const { finding_id: id, kind, identity } = finding;
  const chosen = await store.query<{ readonly finding_id: string }>(
    `SELECT finding_id FROM ${store.database}.findings WHERE kind = {kind:String} AND finding_id != {id:String}
     ORDER BY identity = {identity:String} DESC, last_seen DESC, finding_id LIMIT ${similarMax}`,
    { id, kind, identity },
  );
  const ids = chosen.map(({ finding_id }) => finding_id);
  if (ids.length === 0) return [];
  const rows = await store.query<StoredFinding>(
    `SELECT ${findingColumns} FROM ${store.database}.findings WHERE finding_id IN {ids:Array(String)}`,
    { ids },
  );
  return rows.map(toFinding).sort((a, b) => ids.indexOf(a.finding_id) - ids.indexOf(b.finding_id));
}

async function eventsAround(store: Store, finding: FindingRow): Promise<FindingContext['events']> {
  const bound = {
    id: finding.finding_id,
    identity: finding.identity,
    ids: finding.event_ids,
    from: Date.parse(finding.first_seen) - aroundMs,
    to: Date.parse(finding.last_seen) + aroundMs,
    own: ownMax,
    limit: eventsMax,
  };
  const where = `identity = {identity:String}
    AND ts >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')`;
  const columns = `${eventColumns}, ${nearColumns.join(', ')}`;
  return store.query<NearEventRow>(
    `SELECT ${columns}, in_finding FROM (
       SELECT *, toBool(event_id IN {ids:Array(String)} OR has(findings, {id:String})) AS in_finding
       FROM (${eventsAndEvidence(store, where, columns)})
       ORDER BY in_finding DESC, event_id IN {ids:Array(String)} DESC, surprise DESC, ts, seq LIMIT {own:UInt32} BY in_finding LIMIT {limit:UInt32})
     ORDER BY ts, seq`,
    bound,
  );
}
