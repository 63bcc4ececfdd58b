import { type Clock, sleep } from '../core/clock.ts';
import type { Store } from './clickhouse.ts';
import { insertBlock, type Piece, rejectedLetter } from './insert-lines.ts';
import { firstSeq, lastSeq, sampledLine, splitLines } from './score-lines.ts';

/** A batch of one partition, as the log gives it. */
export type StoreBatch = {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly { readonly offset: number; readonly value: Buffer | null }[];
};

/**
 * One function per topic, for a consumer that commits its position when the promise resolves and repeats the batch when it rejects.
 * Partition i of the scores' topic carries shard i. Calls for one partition never overlap.
 */
export type StoreWriter = {
  readonly scores: (batch: StoreBatch) => Promise<void>;
  readonly findings: (batch: StoreBatch) => Promise<void>;
  readonly signals: (batch: StoreBatch) => Promise<void>;
  readonly receipts: (batch: StoreBatch) => Promise<void>;
  readonly deadLetters: (batch: StoreBatch) => Promise<void>;
  /** From now on small batches are inserted without waiting, so that a shutdown is quick. */
  readonly close: () => void;
};

export type StoreWriterOptions = {
  readonly store: Store;
  readonly clock: Clock;
  /** Names the run of sequence numbers: another one when the shards' state was thrown away and they begin at 0 again. */
  readonly stream: string;
  /** Share of the unsurprising events to store, above 0 and up to 1. */
  readonly eventsSample: number;
  /** At most one small insert per partition in this time: ClickHouse wants few and large ones. The log holds the rest meanwhile. */
  readonly lingerMs?: number;
  /** An insert's size: 2 MiB are about 3,000 events and hold the event loop for a few milliseconds. */
  readonly blockBytesMax?: number;
  readonly onInsert?: (insert: { readonly table: string; readonly bytes: number; readonly rejected: number }) => void;
};

/** Bytes from which a batch is not made to wait. */
const smallBatchBytes = 256 * 1024;

export function createStoreWriter(options: StoreWriterOptions): StoreWriter {
  const { store, clock, lingerMs = 1000, blockBytesMax = 4 * 1024 * 1024 } = options;
  const closing = new AbortController();
  const insertedAt = new Map<string, number>();

  /** Waits until the partition's last insert is `lingerMs` ago, if the batch is small. The table of times has one entry per partition. */
  async function linger({ topic, partition, records }: StoreBatch): Promise<void> {
    const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    const key = `${topic}/${partition}`;
    const wait = (insertedAt.get(key) ?? 0) + lingerMs - clock.now();
    if (bytes < smallBatchBytes && wait > 0 && !closing.signal.aborted) await sleep(wait, closing.signal);
    insertedAt.set(key, clock.now());
  }

  async function insert(batch: StoreBatch, block: { table: string; pieces: readonly Piece[]; token?: string }) {
    const rejected = await insertBlock(store, block);
    if (rejected.length > 0) {
      const at = { topic: batch.topic, partition: batch.partition, now: clock.now() };
      const letters = rejected.map((line) => ({ offset: 0, index: 0, bytes: rejectedLetter(line, at) }));
      await insertBlock(store, { table: 'dead_letters_raw_v1', pieces: letters });
    }
    options.onInsert?.({ table: block.table, bytes: sizeOf(block.pieces), rejected: rejected.length });
  }

  const rowsInto = (table: string) => async (batch: StoreBatch) => {
    const pieces = piecesOf(batch);
    if (pieces.length === 0) return;
    await linger(batch);
    for (const block of cut(pieces, blockBytesMax)) await insert(batch, { table, pieces: block });
  };

  const scores = async (batch: StoreBatch): Promise<void> => {
    await linger(batch);
    const shard = batch.partition;
    const previous = await lastBlock(options, shard);
    const chosen = chooseLines(piecesOf(batch), previous?.first ?? 0, options.eventsSample);
    const { again, fresh } = await separate(chosen, previous, () => isStored(store, shard, previous!));
    const table = 'events_raw_v1';
    if (again.length > 0)
      await insert(batch, { table, pieces: again, token: tokenOf(options.stream, shard, previous!) });
    for (const pieces of cut(fresh, blockBytesMax)) {
      const span = spanOf(pieces);
      if (span !== undefined) await announce(options, shard, span);
      const token = span && tokenOf(options.stream, shard, span);
      await insert(batch, { table, pieces, ...(token !== undefined && { token }) });
    }
  };

  return {
    scores,
    findings: rowsInto('findings_raw_v1'),
    signals: rowsInto('decisions_raw_v1'),
    receipts: rowsInto('receipts_raw_v1'),
    deadLetters: rowsInto('dead_letters_raw_v1'),
    close: () => closing.abort(),
  };
}

/** The sequence numbers of a block, both inclusive. */
type Span = { readonly first: number; readonly last: number };
type AnnouncedSpan = Span & { readonly attemptedAt: number };

/**
 * Exactly once. Before a block of events goes in, its span is announced in ClickHouse. Whoever gets its lines again (a retry, a restart, another
 * process after a rebalance) repeats exactly that block under the same token, and ClickHouse knows which of its parts and materialised views
 * have it already. Lines before the announced block are in for certain and are dropped.
 */
async function announce({ store, stream }: StoreWriterOptions, shard: number, { first, last }: Span): Promise<void> {
  const row = { stream, shard, first_seq: first, last_seq: last };
  await store.insert('store_blocks_raw_v1', Buffer.from(JSON.stringify(row)));
}

async function lastBlock({ store, stream }: StoreWriterOptions, shard: number): Promise<AnnouncedSpan | undefined> {
  const rows = await store.query<AnnouncedSpan>(
    `SELECT first_seq AS first, last_seq AS last, toUnixTimestamp(attempted_at) AS attemptedAt FROM ${store.database}.store_blocks_raw_v1
     WHERE stream = {stream:String} AND shard = {shard:UInt32} ORDER BY attempted_at DESC LIMIT 1`,
    { stream, shard },
  );
  return rows[0];
}

/** Whether the end of an announced block is in the table. Looks through all rows of the shard, and is asked only after a crash. */
async function isStored(store: Store, shard: number, { last, attemptedAt }: AnnouncedSpan): Promise<boolean> {
  const rows = await store.query(
    `SELECT 1 FROM ${store.database}.events_raw_v1
     WHERE shard = {shard:UInt32} AND seq = {last:UInt64} AND toUnixTimestamp(stored_at) >= {since:UInt32} LIMIT 1`,
    { shard, last, since: attemptedAt },
  );
  return rows.length > 0;
}

/**
 * Parts what belongs to the announced block from what is new. When the batch ends before the block does, the block cannot be repeated as it was:
 * then its lines are dropped if the block is stored and new if it is not.
 */
async function separate(
  pieces: readonly Piece[],
  previous: Span | undefined,
  stored: () => Promise<boolean>,
): Promise<{ again: readonly Piece[]; fresh: readonly Piece[] }> {
  if (previous === undefined) return { again: [], fresh: pieces };
  const lines = pieces.flatMap((piece) => (firstSeq(piece.bytes) <= previous.last ? toLines(piece) : [piece]));
  const again = lines.filter(({ bytes }) => firstSeq(bytes) <= previous.last);
  const fresh = lines.filter(({ bytes }) => !(firstSeq(bytes) <= previous.last));
  if (again.length === 0 || lastSeq(again.at(-1)!.bytes) === previous.last) return { again, fresh };
  return (await stored()) ? { again: [], fresh } : { again: [], fresh: lines };
}

/**
 * The lines to store: each sequence number once, from `from` on, as far as they are in the sample. A shard that starts again after a crash makes
 * its last lines again, so the numbers may step back within a batch. Whole records pass where no line has to be looked at.
 */
function chooseLines(records: readonly Piece[], from: number, share: number): readonly Piece[] {
  let seen = from - 1;
  return records.flatMap((record) => {
    const last = lastSeq(record.bytes);
    if (last <= seen) return [];
    const all = !(firstSeq(record.bytes) <= seen);
    const before = seen;
    seen = Number.isNaN(last) ? seen : last;
    if (all && share >= 1) return [record];
    return toLines(record).flatMap((line) => {
      if (lastSeq(line.bytes) <= before) return [];
      const bytes = share >= 1 ? line.bytes : sampledLine(line.bytes, share);
      return bytes === undefined ? [] : [{ ...line, bytes }];
    });
  });
}

function piecesOf({ records }: StoreBatch): readonly Piece[] {
  return records.flatMap(({ offset, value }) => (value === null ? [] : [{ offset, index: 0, bytes: value }]));
}

function toLines({ offset, index, bytes }: Piece): readonly Piece[] {
  return splitLines(bytes).map((line, i) => ({ offset, index: index + i, bytes: line }));
}

function spanOf(pieces: readonly Piece[]): Span | undefined {
  const first = firstSeq(pieces[0]!.bytes);
  const last = lastSeq(pieces.at(-1)!.bytes);
  return Number.isNaN(first) || Number.isNaN(last) ? undefined : { first, last };
}

function tokenOf(stream: string, shard: number, { first, last }: Span): string {
  return `${stream}/${shard}/${first}-${last}`;
}

/** Cuts between records, so that a block is at most `bytesMax`, or one record. */
function cut(pieces: readonly Piece[], bytesMax: number): readonly (readonly Piece[])[] {
  const blocks: Piece[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const piece of pieces) {
    if (size + piece.bytes.length > bytesMax) {
      blocks.push([]);
      size = 0;
    }
    blocks.at(-1)!.push(piece);
    size += piece.bytes.length;
  }
  return blocks;
}

function sizeOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
