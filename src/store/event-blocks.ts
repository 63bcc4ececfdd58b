import type { Store } from './clickhouse.ts';
import { linesOf, type Piece } from './insert-lines.ts';
import { firstSeq, lastSeq, sampledLine } from './score-lines.ts';

/**
 * Exactly once. Before a block of events goes in, its span is announced in ClickHouse. Whoever gets its lines again (a retry, a restart, another
 * process after a rebalance) repeats exactly that block under the same token, and ClickHouse knows which of its parts and materialised views
 * have it already. Lines before the announced block are in for certain and are dropped.
 */
export type Run = {
  readonly store: Store;
  /** Names the run of sequence numbers. */
  readonly stream: string;
};

/** The sequence numbers of a block, both inclusive. */
export type Span = { readonly first: number; readonly last: number };
export type AnnouncedSpan = Span & { readonly attemptedAt: number };

export async function announce({ store, stream }: Run, shard: number, { first, last }: Span): Promise<void> {
  const row = { stream, shard, first_seq: first, last_seq: last };
  await store.insert('store_blocks_raw_v1', Buffer.from(JSON.stringify(row)));
}

export async function lastBlock({ store, stream }: Run, shard: number): Promise<AnnouncedSpan | undefined> {
  const rows = await store.query<AnnouncedSpan>(
    `SELECT first_seq AS first, last_seq AS last, toUnixTimestamp(attempted_at) AS attemptedAt FROM ${store.database}.store_blocks_raw_v1
     WHERE stream = {stream:String} AND shard = {shard:UInt32} ORDER BY attempted_at DESC LIMIT 1`,
    { stream, shard },
  );
  return rows[0];
}

/** Whether the end of an announced block is in the table. Looks through all rows of the shard, and is asked only after a crash. */
export async function isStored(store: Store, shard: number, { last, attemptedAt }: AnnouncedSpan): Promise<boolean> {
  const rows = await store.query(
    `SELECT 1 FROM ${store.database}.events_raw_v1
     WHERE shard = {shard:UInt32} AND seq = {last:UInt64} AND toUnixTimestamp(stored_at) >= {since:UInt32} LIMIT 1`,
    { shard, last, since: attemptedAt },
  );
  return rows.length > 0;
}

/**
 * Parts what belongs to the announced block from what is new. When the batch holds only a part of the block (a broker cut it elsewhere, or
 * the shard made its last lines again), the block cannot be repeated as it was: then its lines are dropped if it is stored and new if it is not.
 */
export async function separate(
  pieces: readonly Piece[],
  previous: Span | undefined,
  stored: () => Promise<boolean>,
): Promise<{ again: readonly Piece[]; fresh: readonly Piece[] }> {
  if (previous === undefined) return { again: [], fresh: pieces };
  const lines = pieces.flatMap((piece) => (firstSeq(piece.bytes) <= previous.last ? linesOf(piece) : [piece]));
  const again = lines.filter(({ bytes }) => firstSeq(bytes) <= previous.last);
  const fresh = lines.filter(({ bytes }) => !(firstSeq(bytes) <= previous.last));
  const span = again.length === 0 ? previous : spanOf(again);
  if (span?.first === previous.first && span.last === previous.last) return { again, fresh };
  return (await stored()) ? { again: [], fresh } : { again: [], fresh: lines };
}

/**
 * The lines to store: each sequence number once, from `from` on, as far as they are in the sample. A shard that starts again after a crash makes
 * its last lines again, so the numbers may step back within a batch. Whole records pass where no line has to be looked at.
 */
export function chooseLines(records: readonly Piece[], from: number, share: number): readonly Piece[] {
  let seen = from - 1;
  return records.flatMap((record) => {
    const last = lastSeq(record.bytes);
    if (last <= seen) return [];
    const all = !(firstSeq(record.bytes) <= seen);
    const before = seen;
    seen = Number.isNaN(last) ? seen : last;
    if (all && share >= 1) return [record];
    return linesOf(record).flatMap((line) => {
      if (lastSeq(line.bytes) <= before) return [];
      const bytes = share >= 1 ? line.bytes : sampledLine(line.bytes, share);
      return bytes === undefined ? [] : [{ ...line, bytes }];
    });
  });
}

export function spanOf(pieces: readonly Piece[]): Span | undefined {
  const first = firstSeq(pieces[0]!.bytes);
  const last = lastSeq(pieces.at(-1)!.bytes);
  return Number.isNaN(first) || Number.isNaN(last) ? undefined : { first, last };
}

export function tokenOf(stream: string, shard: number, { first, last }: Span): string {
  return `${stream}/${shard}/${first}-${last}`;
}
