import type { EpochMs } from '../core/clock.ts';
import { GaitError } from '../core/errors.ts';
import { derivedId } from '../core/hash.ts';
import type { Store } from './clickhouse.ts';
import { splitLines } from './score-lines.ts';

/** Why the store itself refuses a line that came through everything before it. */
const storeDeadLetterReasons = ['store-rejected'] as const;

/** One or more NDJSON lines out of one log record. */
export type Piece = {
  readonly offset: number;
  /** Of the first line, within the record. */
  readonly index: number;
  readonly bytes: Buffer;
};

/** The same lines, one piece each. */
export function linesOf({ offset, index, bytes }: Piece): readonly Piece[] {
  return splitLines(bytes).map((line, i) => ({ offset, index: index + i, bytes: line }));
}

export type Block = {
  readonly table: string;
  readonly pieces: readonly Piece[];
  /** Names the block, so that repeating it has no effect. */
  readonly token?: string;
};

export type RejectedLine = { readonly piece: Piece; readonly cause: string };

/**
 * Inserts a block; lines whose content ClickHouse refuses are found by halving and returned, the rest is stored.
 * Halves have tokens of their own, derived from the block's, so a repetition halves the same way without effect.
 */
export async function insertBlock(store: Store, block: Block): Promise<readonly RejectedLine[]> {
  try {
    await store.insert(block.table, joinPieces(block.pieces), block.token);
    return [];
  } catch (error) {
    if (!(error instanceof GaitError) || error.code !== 'STORE_REJECTED') throw error;
    const pieces = block.pieces.length > 1 ? block.pieces : linesOf(block.pieces[0]!);
    if (pieces.length < 2) return pieces.map((piece) => ({ piece, cause: error.message }));
    const middle = pieces.length >> 1;
    const half = (name: string, part: readonly Piece[]): Block =>
      block.token === undefined ? { ...block, pieces: part } : { ...block, pieces: part, token: block.token + name };
    const left = await insertBlock(store, half('l', pieces.slice(0, middle)));
    return [...left, ...(await insertBlock(store, half('r', pieces.slice(middle))))];
  }
}

/** A refused line's row in dead_letters: where it was and why, never what it said beyond ClickHouse's own words. */
export function rejectedLetter(
  { piece, cause }: RejectedLine,
  at: { readonly topic: string; readonly partition: number; readonly now: EpochMs },
): Buffer {
  const { offset, index, bytes } = piece;
  const { topic, partition, now } = at;
  return Buffer.from(
    JSON.stringify({
      id: derivedId('dl', [topic, partition, offset, index]),
      at: now,
      reason: storeDeadLetterReasons[0],
      cause,
      source: topic,
      partition,
      offset,
      index,
      bytes: bytes.length,
    }),
  );
}

function joinPieces(pieces: readonly Piece[]): Buffer {
  const lineEnd = Buffer.from('\n');
  return Buffer.concat(pieces.flatMap(({ bytes }) => (bytes.at(-1) === 0x0a ? [bytes] : [bytes, lineEnd])));
}
