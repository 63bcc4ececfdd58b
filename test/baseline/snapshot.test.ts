import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeCommon, decodeStateRecord, encodeState } from '../../src/baseline/snapshot.ts';
import { GaitError } from '../../src/core/errors.ts';

const state = {
  full: { rows: 70_000, active: 3 },
  rows: [Buffer.from('rows1'), Buffer.from('rows2')],
  active: [Buffer.from('active')],
  cold: [Buffer.from('cold')],
  ids: Buffer.alloc(1_000_000, 7),
  changes: { arrays: ['y'.repeat(500_000)] },
  common: { seq: 5, text: 'x'.repeat(900_000), numbers: Float64Array.of(1, Number.NaN), nested: [['a', { b: null }]] },
};

test('state comes back as it was, whatever its size, and no record exceeds what a log takes', () => {
  const records = encodeState(state);
  assert.ok(records.every((record) => record.length <= 500_000));
  const parts = records.map(decodeStateRecord);
  assert.deepEqual(parts[0], { kind: 'reset', rows: 70_000, active: 3 });
  const bytesOf = (kind: string): Buffer[] =>
    parts.flatMap((part) => (part.kind === kind && part.kind !== 'reset' ? [part.bytes] : []));
  assert.deepEqual(bytesOf('rows'), state.rows);
  assert.deepEqual(bytesOf('cold'), state.cold);
  assert.deepEqual(bytesOf('active'), state.active);
  assert.deepEqual(Buffer.concat(bytesOf('ids')), state.ids);
  assert.deepEqual(decodeCommon(Buffer.concat(bytesOf('common'))), { version: 4, ...state.common });
  assert.deepEqual(decodeCommon(Buffer.concat(bytesOf('changes'))), { version: 4, ...state.changes });
  const commons = parts.filter((part) => part.kind === 'common');
  assert.deepEqual(
    commons.map((part) => part.kind === 'common' && part.last),
    commons.map((_, i) => i === commons.length - 1),
  );
});

test('an increment does not reset what stood before it', () => {
  const kinds = encodeState({ ...state, full: null }).map((record) => decodeStateRecord(record).kind);
  assert.ok(!kinds.includes('reset'));
});

test('state of another version, and what is no state, is refused and not guessed at', () => {
  const invalid = (error: unknown): boolean => error instanceof GaitError && error.code === 'STATE_INVALID';
  assert.throws(() => decodeStateRecord(Buffer.from([0, 1])), invalid);
  assert.throws(() => decodeStateRecord(Buffer.from([99])), invalid);
  assert.throws(() => decodeStateRecord(Buffer.alloc(0)), invalid);
});
