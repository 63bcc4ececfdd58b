import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RecentIds } from '../../src/baseline/recent-ids.ts';

const ids = fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 400, size: 'max' });

test('an id is known for at least half a window and forgotten after a whole one', () => {
  const recent = new RecentIds(100);
  assert.equal(recent.seen('a'), false);
  for (let i = 0; i < 49; i++) recent.seen(`x${i}`);
  assert.equal(recent.seen('a'), true);
  for (let i = 0; i < 50; i++) recent.seen(`y${i}`);
  assert.equal(recent.seen('a'), true);
  recent.seen('z');
  assert.equal(recent.seen('a'), false);
});

test('a repetition is never taken for new within half a window, and a new id never for a repetition', () => {
  fc.assert(
    fc.property(ids, fc.integer({ min: 2, max: 40 }), (sequence, window) => {
      const recent = new RecentIds(window);
      const accepted: number[] = [];
      for (const id of sequence) {
        const known = recent.seen(String(id));
        const last = accepted.lastIndexOf(id);
        if (known) assert.ok(last >= 0 && accepted.length - last <= 2 * Math.ceil(window / 2));
        else assert.ok(last < 0 || accepted.length - last > Math.ceil(window / 2));
        if (!known) accepted.push(id);
      }
    }),
    { endOnFailure: true },
  );
});

test('restored from a snapshot and increments, taken anywhere, it answers as if it had never stopped', () => {
  fc.assert(
    fc.property(
      fc.array(ids, { minLength: 1, maxLength: 4 }),
      ids,
      fc.integer({ min: 1, max: 40 }),
      (parts, after, window) => {
        const recent = new RecentIds(window);
        const restored = new RecentIds(window);
        parts.forEach((part, i) => {
          for (const id of part) recent.seen(String(id));
          restored.put(recent.take(i === 0));
        });
        for (const id of after) assert.equal(restored.seen(String(id)), recent.seen(String(id)));
      },
    ),
    { numRuns: 300, endOnFailure: true },
  );
});

test('memory does not grow with what was seen', () => {
  const recent = new RecentIds(1000);
  const { bytes } = recent;
  for (let i = 0; i < 20_000; i++) recent.seen(`e${i}`);
  assert.equal(recent.bytes, bytes);
  assert.ok(recent.take(true).length <= 8 * 1000);
});

test('cleared, it has seen nothing', () => {
  const recent = new RecentIds(10);
  recent.seen('a');
  recent.clear();
  assert.equal(recent.take(true).length, 0);
  assert.equal(recent.seen('a'), false);
});
