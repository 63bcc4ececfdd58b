import { deserialize, serialize } from 'node:v8';
import { GaitError } from '../core/errors.ts';
import { activeBytes } from './active-layout.ts';
import { rowBytes } from './row-layout.ts';

/**
 * State records: what a shard writes when it checkpoints. One byte of kind, then the bytes. A `reset` opens a full snapshot; what stood
 * before it no longer counts. The common state is V8's structured-clone format, which newer versions go on reading.
 */
const version = 6;
const kinds = { reset: 0, rows: 1, ids: 2, common: 3, cold: 4, active: 5, changes: 6 } as const;
const pieceBytesMax = 400_000;
const resetRecord = Buffer.from([kinds.reset, version, ...[rowBytes, activeBytes].flatMap((n) => [n & 0xff, n >> 8])]);

export type StatePart =
  /** Of how many rows and active rows the full snapshot is. */
  | { readonly kind: 'reset'; readonly rows: number; readonly active: number }
  | { readonly kind: 'rows' | 'active' | 'cold' | 'ids'; readonly bytes: Buffer }
  | { readonly kind: 'common' | 'changes'; readonly last: boolean; readonly bytes: Buffer };

/** What a checkpoint takes of a shard, each in its turn. */
export type ShardState = {
  /** Full: it opens with how many rows of either tier follow, so that room is made once. */
  readonly full: { readonly rows: number; readonly active: number } | null;
  readonly rows: () => readonly Buffer[];
  readonly active: () => readonly Buffer[];
  readonly cold: () => readonly Buffer[];
  readonly ids: () => Buffer;
  /** Of the common state what is written as it changes: each of them counts. */
  readonly changes: () => object;
  /** The rest, of which only the newest counts. Asked for after the changes. */
  readonly common: () => object;
};

/** Step by step, so that whoever writes can let others have their turn; the state must not change before the last one. */
export function* encodeState(state: ShardState): Generator<readonly Buffer[]> {
  if (state.full) yield [resetOf(state.full)];
  // Cold rows first: one that has come back since stands among the rows, and takes itself out of the cold ones.
  for (const kind of ['cold', 'rows', 'active'] as const) yield state[kind]().map((rows) => tagged(kinds[kind], rows));
  yield pieces(state.ids()).map((piece) => tagged(kinds.ids, piece));
  for (const kind of ['changes', 'common'] as const) {
    const all = pieces(serialize({ version, ...state[kind]() }));
    yield all.map((piece, i) => Buffer.concat([Buffer.from([kinds[kind], i === all.length - 1 ? 1 : 0]), piece]));
  }
}

const advice = '("Back up and upgrade" in docs/operators.md)';

/** Fails with STATE_INVALID on a record that no version of Gait wrote. */
export function decodeStateRecord(record: Buffer): StatePart {
  switch (record[0]) {
    case kinds.reset:
      if (record[1] !== version)
        throw new GaitError(
          'STATE_INVALID',
          `state of version ${record[1]} cannot be read by version ${version} ${advice}`,
        );
      if (!resetRecord.equals(record.subarray(0, resetRecord.length)))
        throw new GaitError(
          'STATE_INVALID',
          `state with rows of another size cannot be read by this version ${advice}`,
        );
      return { kind: 'reset', rows: record.readUInt32LE(6), active: record.readUInt32LE(10) };
    case kinds.rows:
      return { kind: 'rows', bytes: record.subarray(1) };
    case kinds.active:
      return { kind: 'active', bytes: record.subarray(1) };
    case kinds.cold:
      return { kind: 'cold', bytes: record.subarray(1) };
    case kinds.ids:
      return { kind: 'ids', bytes: record.subarray(1) };
    case kinds.changes:
      return { kind: 'changes', last: record[1] === 1, bytes: record.subarray(2) };
    case kinds.common:
      return { kind: 'common', last: record[1] === 1, bytes: record.subarray(2) };
    default:
      throw new GaitError('STATE_INVALID', `state record of unknown kind ${record[0]}`);
  }
}

export function decodeCommon(bytes: Buffer): unknown {
  return deserialize(bytes);
}

/** Increments are followed by a full snapshot when they have grown to this multiple of the last one. */
const incrementsPerSnapshot = 2;
const snapshotBytesMin = 8 * 1024 * 1024;

/** How much of a shard's state is written, be it by this process or by the one before it: a start goes on with increments. */
export class WrittenBytes {
  #snapshot = 0;
  #increments = 0;
  /** Records of a full snapshot are being counted: it ends with its common state. */
  #inSnapshot = false;

  add(record: Buffer): void {
    if (record[0] === kinds.reset) {
      this.#snapshot = 0;
      this.#increments = 0;
      this.#inSnapshot = true;
    }
    if (this.#inSnapshot) this.#snapshot += record.length;
    else this.#increments += record.length;
    if (record[0] === kinds.common && record[1] === 1) this.#inSnapshot = false;
  }

  /** Increments need a snapshot to stand on, and are many times its size after a while. */
  get isSnapshotDue(): boolean {
    if (this.#snapshot === 0) return true;
    return this.#increments > Math.max(snapshotBytesMin, incrementsPerSnapshot * this.#snapshot);
  }
}

/** Puts together what had to be cut. */
export class Pieces {
  #bytes: Buffer[] = [];

  add({ bytes, last }: { readonly bytes: Buffer; readonly last: boolean }): Buffer | undefined {
    this.#bytes.push(bytes);
    return last ? Buffer.concat(this.#bytes.splice(0)) : undefined;
  }
}

function resetOf({ rows, active }: { readonly rows: number; readonly active: number }): Buffer {
  const counts = Buffer.alloc(8);
  counts.writeUInt32LE(rows, 0);
  counts.writeUInt32LE(active, 4);
  return Buffer.concat([resetRecord, counts]);
}

function tagged(kind: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([kind]), bytes]);
}

function pieces(bytes: Buffer): Buffer[] {
  const all: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += pieceBytesMax)
    all.push(bytes.subarray(start, start + pieceBytesMax));
  return all;
}
