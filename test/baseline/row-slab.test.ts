import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { unpackRows } from '../../src/baseline/packed-rows.ts';
import { at, rowWords } from '../../src/baseline/row-layout.ts';
import { RowSlab } from '../../src/baseline/row-slab.ts';
import { hash64 } from '../../src/core/hash.ts';

const keyOf = (who: number) => hash64(`user:acme:${who}`);

/** As the engine does: find or create, then write. Returns whether the row was new. */
function touch(slab: RowSlab, who: number, ts: number): boolean {
  const { high, low } = keyOf(who);
  let row = slab.find(high, low);
  const isNew = row < 0;
  if (isNew) row = slab.create(high, low);
  slab.u32[row + at.firstSeen]! += who + 1;
  slab.f64[(row + at.lastTs) / 2] = ts;
  slab.markDirty(row);
  return isNew;
}

function contentOf(slab: RowSlab, who: number): number | undefined {
  const { high, low } = keyOf(who);
  const row = slab.find(high, low);
  return row < 0 ? undefined : slab.u32[row + at.firstSeen]!;
}

const touches = fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 4000, size: 'max' });

test('below its limit it is a map from identity to row', () => {
  fc.assert(
    fc.property(touches, (sequence) => {
      const slab = new RowSlab(5000);
      const model = new Map<number, number>();
      sequence.forEach((who, i) => {
        assert.equal(touch(slab, who, i), !model.has(who));
        model.set(who, (model.get(who) ?? 0) + who + 1);
      });
      assert.equal(slab.size, model.size);
      assert.equal(slab.evicted, 0);
      for (const [who, content] of model) assert.equal(contentOf(slab, who), content);
      assert.equal(contentOf(slab, 3001), undefined);
    }),
    { numRuns: 10, endOnFailure: true },
  );
});

test('at its limit it never holds more, never loses the identity just touched, and counts each one it forgot', () => {
  fc.assert(
    fc.property(touches, fc.integer({ min: 1, max: 40 }), (sequence, limit) => {
      const slab = new RowSlab(limit);
      let created = 0;
      sequence.forEach((who, i) => {
        if (touch(slab, who, i)) created++;
        assert.ok(contentOf(slab, who) !== undefined);
      });
      assert.ok(slab.size <= limit);
      assert.equal(slab.evicted, created - slab.size);
      const found = new Set(sequence.filter((who) => contentOf(slab, who) !== undefined));
      assert.equal(found.size, slab.size);
    }),
    { numRuns: 20, endOnFailure: true },
  );
});

test('the one evicted is among the long unseen, and what it left is gone', () => {
  const slab = new RowSlab(64);
  for (let who = 0; who < 64; who++) touch(slab, who, who);
  touch(slab, 1000, 1000);
  const gone = Array.from({ length: 64 }, (_, who) => who).filter((who) => contentOf(slab, who) === undefined);
  assert.deepEqual(gone, [0]);
  assert.equal(contentOf(slab, 1000), 1001);
});

test('snapshot and increments put into another slab give the same rows and the same evictions from then on', () => {
  fc.assert(
    fc.property(
      fc.array(touches, { minLength: 2, maxLength: 5 }),
      touches,
      fc.integer({ min: 1, max: 30 }),
      (parts, after, limit) => {
        const slab = new RowSlab(limit);
        const restored = new RowSlab(limit);
        let ts = 0;
        parts.forEach((part, i) => {
          for (const who of part) touch(slab, who, ts++);
          for (const packed of slab.take(i === 0 ? 'all' : 'dirty', 7)) restored.put(packed);
        });
        restored.hand = slab.hand;
        for (const who of after) {
          assert.equal(touch(restored, who, ts), touch(slab, who, ts));
          ts++;
        }
        assert.deepEqual(restored.take('all', 1000), slab.take('all', 1000));
      },
    ),
    { numRuns: 20, endOnFailure: true },
  );
});

test('what did not change since the last increment is not in the next', () => {
  const slab = new RowSlab(100);
  for (let who = 0; who < 10; who++) touch(slab, who, who);
  assert.equal(slab.take('dirty', 4).length, 3);
  assert.deepEqual(slab.take('dirty', 4), []);
  touch(slab, 3, 11);
  const increment = slab.take('dirty', 4);
  assert.equal(increment.length, 1);
  assert.deepEqual(
    [...unpackRows(increment[0]!, rowWords)].map(({ row }) => row[at.firstSeen]),
    [2 * 4],
  );
});

test('a row fits into 512 bytes with its share of the table', () => {
  const slab = new RowSlab(100_000);
  for (let who = 0; who < 100_000; who++) touch(slab, who, who);
  assert.ok(slab.bytes / slab.size <= 512, `${slab.bytes / slab.size} bytes`);
});

test('cleared, it is as new', () => {
  const slab = new RowSlab(10);
  for (let who = 0; who < 25; who++) touch(slab, who, who);
  slab.clear();
  assert.equal(slab.size, 0);
  assert.deepEqual(slab.take('all', 10), []);
  assert.equal(touch(slab, 7, 1), true);
  assert.equal(contentOf(slab, 7), 8);
});
