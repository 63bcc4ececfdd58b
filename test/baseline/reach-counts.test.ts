import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { everyCircle, ReachCounts } from '../../src/baseline/reach-counts.ts';

const dayMs = 86_400_000;
type Use = { readonly circle: number; readonly value: number; readonly ts: number };
const uses = fc.array(
  fc.record({
    circle: fc.integer({ min: 2, max: 5 }),
    value: fc.integer({ min: 100, max: 120 }),
    ts: fc.integer({ min: 0, max: 9999 }),
  }),
  { maxLength: 80 },
);

function fill(counts: ReachCounts, all: readonly Use[]): void {
  for (const { circle, value, ts } of all) {
    counts.addUse(circle, { dimension: 0, value, weight: 1 / (1 + (ts % 3)) });
    counts.addBearer(value);
    counts.addAnswer(value, circle > 2);
    counts.addFunction(value, ts);
  }
}

/** All that can be asked. */
function told(counts: ReachCounts): readonly number[] {
  const all: number[] = [];
  for (let value = 100; value <= 120; value++) {
    for (const circle of [everyCircle, 2, 3, 4, 5]) all.push(counts.uses(circle, value), counts.allUses(circle, 0));
    all.push(counts.bearers(value), counts.openShare(value), counts.answered(value), counts.presence(value, 5 * dayMs));
  }
  return all;
}

test('a frame does not see what it adds, and the order within it changes nothing', () => {
  fc.assert(
    fc.property(uses, (all) => {
      const [a, b] = [new ReachCounts(), new ReachCounts()];
      for (const each of [a, b]) each.advance(dayMs);
      const before = told(a);
      fill(a, all);
      assert.deepEqual(told(a), before);
      fill(b, all.toReversed());
      for (const each of [a, b]) each.advance(3 * dayMs);
      assert.deepEqual(told(a), told(b));
    }),
    { numRuns: 50 },
  );
});

test('a restored table says the same, what was pending included', () => {
  fc.assert(
    fc.property(uses, uses, (first, second) => {
      const counts = new ReachCounts();
      fill(counts, first);
      counts.advance(dayMs);
      fill(counts, second);
      const restored = new ReachCounts();
      restored.restore(structuredClone(counts.snapshot()));
      for (const each of [counts, restored]) each.advance(2 * dayMs);
      assert.deepEqual(told(restored), told(counts));
    }),
    { numRuns: 50 },
  );
});

test('a function is there from its first use on; what was forgotten, or never new, has always been there', () => {
  const counts = new ReachCounts();
  counts.advance(dayMs);
  counts.addFunction(7, 6 * dayMs);
  counts.advance(6 * dayMs);
  assert.equal(counts.presence(7, 6 * dayMs), 0);
  assert.equal(counts.presence(7, 11 * dayMs), 0.5);
  assert.equal(counts.presence(8, 11 * dayMs), 1);
  for (let i = 0; i < 40_000; i++) counts.addFunction(1000 + i, 7 * dayMs + i);
  counts.advance(8 * dayMs);
  assert.equal(counts.presence(7, 11 * dayMs), 1, 'the oldest gave way');
  assert.ok(counts.presence(1000 + 39_999, 11 * dayMs) < 0.5);
});

test('what is used no more is forgotten', () => {
  const counts = new ReachCounts();
  counts.addUse(2, { dimension: 0, value: 100, weight: 1 });
  counts.addBearer(9);
  counts.advance(0);
  counts.advance(365 * dayMs);
  assert.equal(counts.uses(2, 100), 0);
  assert.equal(counts.bearers(9), 0);
});
