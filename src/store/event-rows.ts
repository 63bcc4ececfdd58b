import type { Store } from './clickhouse.ts';
import { type EventRow, eventColumns, type FindingRow } from './queries.ts';

/** Findings are kept for longer than events, so their example events are looked for in both places. */
export function eventsAndEvidence({ database }: Store, where: string, columns = eventColumns): string {
  return `SELECT ${columns}, seq FROM ${database}.events WHERE ${where}
    UNION DISTINCT SELECT ${columns}, seq FROM ${database}.evidence WHERE ${where}`;
}

/** The example events of findings, the oldest first. */
export async function eventsOf(
  store: Store,
  findings: readonly FindingRow[],
  limit: number,
): Promise<readonly EventRow[]> {
  const ids = findings.flatMap(({ event_ids }) => event_ids);
  if (ids.length === 0) return [];
  const bound = {
    identities: [...new Set(findings.map(({ identity }) => identity))],
    ids,
    from: Math.min(...findings.map(({ first_seen }) => Date.parse(first_seen))),
    // An example may be a little later than what keeps its finding open.
    to: Math.max(...findings.map(({ last_seen }) => Date.parse(last_seen))) + 3 * 86_400_000,
    limit,
  };
  const where = `identity IN {identities:Array(String)} AND event_id IN {ids:Array(String)}
    AND ts >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')`;
  return store.query<EventRow>(
    `SELECT ${eventColumns} FROM (${eventsAndEvidence(store, where)}) ORDER BY ts, seq LIMIT {limit:UInt32}`,
    bound,
  );
}
