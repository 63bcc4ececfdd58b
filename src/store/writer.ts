import type { Clock } from '../core/clock.ts';
import { sleep } from '../core/sleep.ts';
import type { Store } from './clickhouse.ts';
import { announce, chooseLines, isStored, lastBlock, separate, spanOf, tokenOf } from './event-blocks.ts';
import { insertBlock, type Piece, rejectedLetter } from './insert-lines.ts';
import { countLines } from './score-lines.ts';

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
  readonly audit: (batch: StoreBatch) => Promise<void>;
  readonly verdicts: (batch: StoreBatch) => Promise<void>;
  readonly suppressions: (batch: StoreBatch) => Promise<void>;
  readonly deadLetters: (batch: StoreBatch) => Promise<void>;
  /** From now on small batches are inserted without waiting, so that a shutdown is quick. */
  readonly close: () => void;
};

export type Inserted = {
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
  /** Lines that ClickHouse refused: in dead_letters, not in `rows`. */
  readonly rejected: number;
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
  /** An insert's size: the default of 4 MiB is about 4,000 events and holds the event loop for some 10 ms. */
  readonly blockBytesMax?: number;
  readonly onInsert?: (insert: Inserted) => void;
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
    const lines = block.pieces.reduce((sum, { bytes }) => sum + countLines(bytes), 0);
    const sizes = { rows: lines - rejected.length, bytes: sizeOf(block.pieces), rejected: rejected.length };
    options.onInsert?.({ table: block.table, ...sizes });
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
    receipts: rowsInto('receipts_raw_v2'),
    audit: rowsInto('audit_raw_v1'),
    verdicts: rowsInto('verdicts_raw_v1'),
    suppressions: rowsInto('suppressions_raw_v1'),
    deadLetters: rowsInto('dead_letters_raw_v1'),
    close: () => closing.abort(),
  };
}

function piecesOf({ records }: StoreBatch): readonly Piece[] {
  return records.flatMap(({ offset, value }) => (value === null ? [] : [{ offset, index: 0, bytes: value }]));
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
