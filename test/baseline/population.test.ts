import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { historyBucket, historyBuckets, Population } from '../../src/baseline/population.ts';
import { seededRandom } from '../../src/core/random.ts';

const day = 86_400_000;
const start = Date.UTC(2026, 0, 5);

type Use = { readonly group: string; readonly value: number; readonly history: number; readonly novel: boolean };
const use: fc.Arbitrary<Use> = fc.record({
  group: fc.constantFrom('everyone', 'acme|human|-', 'acme|service|-'),
  value: fc.integer({ min: 1, max: 50 }),
  history: fc.integer({ min: 0, max: 5000 }),
  novel: fc.boolean(),
});
const uses = fc.array(use, { maxLength: 200 });

const groupOf = (population: Population, name: string): number => (name === 'everyone' ? 0 : population.group(name));

function learn(population: Population, { group, value, history, novel }: Use): void {
  const index = groupOf(population, group);
  // Weights are binary fractions here, so that sums are exact in any order.
  population.addValue(index, value % 3, { value, history, novel, weight: 0.5 });
  population.addNumber(index, 0, value / 4);
  population.addOutcome(index, value % 4, 0.25);
  population.addTime(index, value % 24, value % 7);
}

/** All that can be read of it. */
function picture(population: Population): object {
  return ['everyone', 'acme|human|-', 'acme|service|-'].map((name) => {
    const group = groupOf(population, name);
    const values = Array.from({ length: 50 }, (_, i) => [
      population.valueEvents(group, i + 1),
      population.valueIdentities(group, i + 1),
    ]);
    return { name, values, sums: structuredClone(population.sums(group)) };
  });
}

test('what a frame adds is seen by nobody before the frame ends', () => {
  fc.assert(
    fc.property(uses, uses, (before, frame) => {
      const population = new Population();
      for (const each of before) learn(population, each);
      population.advance(start);
      const seen = picture(population);
      for (const each of frame) {
        learn(population, each);
        assert.deepEqual(picture(population), seen);
      }
      population.advance(start + 10_000);
      if (frame.length > 0) assert.notDeepEqual(picture(population), seen);
    }),
    { numRuns: 20, endOnFailure: true },
  );
});

test('the order within a frame does not matter', () => {
  fc.assert(
    fc.property(uses, fc.integer(), (frame, seed) => {
      const random = seededRandom(seed);
      const shuffled = frame
        .map((each) => ({ each, key: random.next() }))
        .sort((a, b) => a.key - b.key)
        .map(({ each }) => each);
      const [one, other] = [new Population(), new Population()];
      for (const each of frame) learn(one, each);
      for (const each of shuffled) learn(other, each);
      one.advance(start);
      other.advance(start);
      assert.deepEqual(picture(other), picture(one));
    }),
    { endOnFailure: true },
  );
});

test("everyone is the sum of the groups, and a group's numbers are its own", () => {
  const population = new Population();
  const a = population.group('a');
  const b = population.group('b');
  for (const group of [a, a, b]) population.addValue(group, 0, { value: 7, history: 0, novel: true, weight: 1 });
  population.advance(start);
  assert.deepEqual(
    [a, b, 0].map((group) => population.valueEvents(group, 7)),
    [2, 1, 3],
  );
  assert.deepEqual(
    [a, b, 0].map((group) => population.valueIdentities(group, 7)),
    [2, 1, 3],
  );
  assert.deepEqual(
    [a, b, 0].map((group) => population.sums(group).firsts[0]),
    [2, 1, 3],
  );
});

test('snapshot and restore, with a frame half over, change nothing that follows', () => {
  fc.assert(
    fc.property(uses, uses, uses, (before, half, rest) => {
      const population = new Population();
      for (const each of before) learn(population, each);
      population.advance(start);
      for (const each of half) learn(population, each);
      const restored = new Population();
      restored.restore(structuredClone(population.snapshot()));
      for (const each of [population, restored]) {
        for (const one of rest) learn(each, one);
        each.advance(start + 2 * day);
      }
      assert.deepEqual(picture(restored), picture(population));
    }),
    { numRuns: 40, endOnFailure: true },
  );
});

test('half of what was counted a month ago still counts, and what is hardly there any more is forgotten', () => {
  const population = new Population();
  population.addValue(0, 0, { value: 7, history: 0, novel: true, weight: 1 });
  population.advance(start);
  population.advance(start + 30 * day);
  assert.ok(Math.abs(population.valueEvents(0, 7) - 0.5) < 1e-6);
  assert.ok(Math.abs(population.sums(0).events[0]! - 0.5) < 1e-6);
  population.advance(start + 300 * day);
  assert.equal(population.valueEvents(0, 7), 0);
});

test('beyond the limit of groups the rest are everyone', () => {
  const population = new Population();
  const groups = Array.from({ length: 400 }, (_, i) => population.group(`g${i}`));
  assert.equal(new Set(groups).size, 256);
  assert.equal(groups.at(-1), 0);
  assert.equal(population.group('g3'), groups[3]);
  assert.equal(population.groupName(groups[3]!), 'g3');
});

test('lengths of history fall into their powers of two', () => {
  assert.deepEqual([0, 0.5, 1, 2, 3, 6, 7, 1e9].map(historyBucket), [0, 0, 1, 1, 2, 2, 3, historyBuckets - 1]);
});
