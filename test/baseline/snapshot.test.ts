import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeCommon, decodeStateRecord, encodeState, WrittenBytes } from '../../src/baseline/snapshot.ts';
import { GaitError } from '../../src/core/errors.ts';

const values = {
  full: { rows: 70_000, active: 3 },
  rows: [Buffer.from('rows1'), Buffer.from('rows2')],
  active: [Buffer.from('active')],
  cold: [Buffer.from('cold')],
  ids: Buffer.alloc(1_000_000, 7),
  changes: { arrays: ['y'.repeat(500_000)] },
  common: { seq: 5, text: 'x'.repeat(900_000), numbers: Float64Array.of(1, Number.NaN), nested: [['a', { b: null }]] },
};

type Values = Omit<typeof values, 'full'> & { full: (typeof values)['full'] | null };

function encoded(state: Values): readonly Buffer[] {
  const { full, rows, active, cold, ids, changes, common } = state;
  const taken = { rows: () => rows, active: () => active, cold: () => cold, ids: () => ids };
  return [...encodeState({ full, ...taken, changes: () => changes, common: () => common })].flat();
}

test('state comes back as it was, whatever its size, and no record exceeds what a log takes', () => {
  const records = encoded(values);
  assert.ok(records.every((record) => record.length <= 500_000));
  const parts = records.map(decodeStateRecord);
  assert.deepEqual(parts[0], { kind: 'reset', rows: 70_000, active: 3 });
  const bytesOf = (kind: string): Buffer[] =>
    parts.flatMap((part) => (part.kind === kind && part.kind !== 'reset' ? [part.bytes] : []));
  assert.deepEqual(bytesOf('rows'), values.rows);
  assert.deepEqual(bytesOf('cold'), values.cold);
  assert.deepEqual(bytesOf('active'), values.active);
  assert.deepEqual(Buffer.concat(bytesOf('ids')), values.ids);
  assert.deepEqual(decodeCommon(Buffer.concat(bytesOf('common'))), { version: 6, ...values.common });
  assert.deepEqual(decodeCommon(Buffer.concat(bytesOf('changes'))), { version: 6, ...values.changes });
  const commons = parts.filter((part) => part.kind === 'common');
  assert.deepEqual(
    commons.map((part) => part.kind === 'common' && part.last),
    commons.map((_, i) => i === commons.length - 1),
  );
});

test('an increment does not reset what stood before it', () => {
  const kinds = encoded({ ...values, full: null }).map((record) => decodeStateRecord(record).kind);
  assert.ok(!kinds.includes('reset'));
});

test('state of another version, and what is no state, is refused and not guessed at', () => {
  const invalid = (error: unknown): boolean => error instanceof GaitError && error.code === 'STATE_INVALID';
  assert.throws(() => decodeStateRecord(Buffer.from([0, 1])), invalid);
  assert.throws(() => decodeStateRecord(Buffer.from([99])), invalid);
  assert.throws(() => decodeStateRecord(Buffer.alloc(0)), invalid);
});

test('a full snapshot is due at the very first, and when increments have outgrown the last one, whoever wrote them', () => {
  const snapshot = encoded({ ...values, ids: Buffer.alloc(8_000_000) });
  const increment = encoded({ ...values, full: null, ids: Buffer.alloc(6_000_000) });
  const written = new WrittenBytes();
  const add = (records: readonly Buffer[]): boolean => {
    for (const record of records) written.add(record);
    return written.isSnapshotDue;
  };
  assert.equal(written.isSnapshotDue, true, 'nothing is there yet');
  assert.deepEqual([snapshot, increment, increment].map(add), [false, false, false]);
  assert.equal(add(increment), true);
  assert.equal(add(snapshot), false, 'it counts anew');
});
