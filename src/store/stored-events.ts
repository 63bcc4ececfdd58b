import { canonicalFields, type FieldName } from '../event/canonical-fields.ts';
import { emptyEvent, rowNames } from '../event/traffic-event.ts';
import type { IdentityKey, IdentityKind, ResolvedEvent } from '../identity/resolved-event.ts';
import type { Store } from './clickhouse.ts';

/**
 * Events as they went into the shards, read back in order of time, a page after the other: what training from the operator's own traffic reads.
 * Whatever a column says by its default (empty text, no items, status 0) was null in the event.
 */
const rowsPerPage = 10_000;
const sliceMs = 6 * 3_600_000;
const dayMs = 86_400_000;

export type StoredDay = { readonly day: number; readonly events: number };

/** Events per day (number since 1970, UTC), the newest first, at most `daysMax` of those that have any. */
export function storedDays(store: Store, daysMax: number): Promise<readonly StoredDay[]> {
  return store.query<StoredDay>(
    `SELECT toUInt32(toDate(ts, 'UTC')) AS day, count() AS events FROM ${store.database}.events GROUP BY day ORDER BY day DESC LIMIT {days:UInt32}`,
    { days: daysMax },
  );
}

/** From the beginning of one day to the end of another. */
export async function* storedEvents(
  store: Store,
  days: { readonly first: number; readonly last: number },
): AsyncGenerator<readonly ResolvedEvent[]> {
  const end = (days.last + 1) * dayMs;
  for (let from = days.first * dayMs; from < end; from += sliceMs) {
    let after: StoredRow | undefined;
    do {
      const rows: readonly StoredRow[] = await page(store, { from, to: Math.min(end, from + sliceMs), after });
      yield rows.map(resolvedOf);
      after = rows.length < rowsPerPage ? undefined : rows.at(-1);
    } while (after !== undefined);
  }
}

type StoredRow = Readonly<Record<string, unknown>> & {
  readonly at_ms: number;
  readonly shard: number;
  readonly seq: number;
  readonly sample_weight: number;
};

const names: readonly FieldName[] = rowNames.filter((name) => name !== 'ts');
const columns = `toUnixTimestamp64Milli(ts) AS at_ms, identity, identity_kind, claimed_identity, shard, seq, sample_weight, ${names.join(', ')}`;

type Slice = { readonly from: number; readonly to: number; readonly after: StoredRow | undefined };

function page(store: Store, { from, to, after }: Slice): Promise<readonly StoredRow[]> {
  return store.query<StoredRow>(
    `SELECT ${columns} FROM ${store.database}.events
     WHERE ts >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
       AND (ts, shard, seq) > (fromUnixTimestamp64Milli({afterMs:Int64}, 'UTC'), {shard:UInt32}, {seq:UInt64})
     ORDER BY ts, shard, seq LIMIT {limit:UInt32}`,
    { from, to, afterMs: after?.at_ms ?? 0, shard: after?.shard ?? 0, seq: after?.seq ?? 0, limit: rowsPerPage },
  );
}

function resolvedOf(row: StoredRow): ResolvedEvent {
  const event = emptyEvent() as Record<string, unknown>;
  for (const name of names) event[name] = fieldOf(name, row[name]);
  event.ts = row.at_ms;
  // A row of a sample stands for several events, as a call of a gateway that samples does.
  event.sample_rate = Number(row.sample_rate) / row.sample_weight;
  event.enforced = row.enforced === true;
  return {
    identity: row.identity as IdentityKey,
    identity_kind: row.identity_kind as IdentityKind,
    claimed_identity: row.claimed_identity === '' ? null : (row.claimed_identity as IdentityKey),
    event_id: row.event_id as string,
    route: row.route as string,
    object_ids: row.object_ids as readonly string[],
    event: event as ResolvedEvent['event'],
    position: null,
  };
}

/** Numbers that cannot be null in the table. */
const zeroIsNull: ReadonlySet<FieldName> = new Set(['status', 'asn']);

function fieldOf(name: FieldName, value: unknown): unknown {
  const { kind } = canonicalFields[name];
  if (kind === 'list') return (value as readonly string[]).length === 0 ? null : value;
  if (kind === 'counts') return Object.keys(value as object).length === 0 ? null : value;
  return value === '' || (value === 0 && zeroIsNull.has(name)) ? null : value;
}
