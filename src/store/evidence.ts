import { rowNames } from '../event/traffic-event.ts';
import type { Store } from './clickhouse.ts';

/** All that is stored of an event but when it was stored. */
const columns = [
  ...rowNames,
  ...['identity', 'identity_kind', 'claimed_identity', 'shard', 'seq'],
  ...['surprise', 'evidence', 'risk', 'top', 'findings', 'sample_weight'],
]
  .map((name) => `\`${name}\``)
  .join(', ');

/** An example may be a little later than what keeps its finding open. */
const laterMs = 3 * 86_400_000;
/** Findings that one copy looks at, or all that were stored in the same second. */
export const findingsPerCopy = 1000;

export type Copied = {
  /** From `findingsPerCopy` on there may be more. */
  readonly findings: number;
  /** When the newest of them was stored, seconds since 1970. */
  readonly until: number;
};

/**
 * Copies the events that findings name as examples to where they are kept for as long as the findings. Looks at findings stored from `since` on
 * (seconds since 1970), the oldest first. What was copied before stays one event.
 */
export async function copyEvidence(store: Store, since: number): Promise<Copied> {
  const db = store.database;
  const named = await store.query<{ stored: number; from: number; to: number }>(
    `SELECT toUnixTimestamp(stored_at) AS stored, toUnixTimestamp64Milli(first_seen) AS from, toUnixTimestamp64Milli(last_seen) AS to
     FROM ${db}.findings WHERE toUnixTimestamp(stored_at) >= {since:UInt32} ORDER BY stored LIMIT ${findingsPerCopy}`,
    { since: Math.max(0, Math.floor(since)) },
  );
  if (named.length === 0) return { findings: 0, until: since };
  const [first, last] = [named[0]!.stored, named.at(-1)!.stored];
  const from = named.reduce((least, row) => Math.min(least, row.from), Number.POSITIVE_INFINITY);
  const to = named.reduce((most, row) => Math.max(most, row.to), 0) + laterMs;
  // A statement that writes takes no bound values; these are numbers that we made.
  const within = `ts >= fromUnixTimestamp64Milli(${from}, 'UTC') AND ts <= fromUnixTimestamp64Milli(${to}, 'UTC')`;
  await store.command(
    `INSERT INTO ${db}.evidence_raw_v1 (${columns}) SELECT ${columns} FROM ${db}.events_raw_v1 WHERE ${within}
       AND (identity, event_id) IN (SELECT identity, arrayJoin(event_ids) FROM ${db}.findings WHERE toUnixTimestamp(stored_at) BETWEEN ${first} AND ${last})
       AND (identity, event_id) NOT IN (SELECT identity, event_id FROM ${db}.evidence_raw_v1 WHERE ${within})`,
  );
  return { findings: named.length, until: last };
}

/** When something was last copied, seconds since 1970; 0 when nothing was. */
export async function lastCopied(store: Store): Promise<number> {
  const [row] = await store.query<{ at: number }>(
    `SELECT toUnixTimestamp(max(stored_at)) AS at FROM ${store.database}.evidence_raw_v1`,
  );
  return row?.at ?? 0;
}
