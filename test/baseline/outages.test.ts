import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Outages } from '../../src/baseline/outages.ts';

const minute = 60_000;
const part = 7;
const expected = 0.02;

function withCallers(failed: number, fine: number): Outages {
  const outages = new Outages();
  for (let i = 0; i < failed + fine; i++) outages.add(part, 1 + i, i < failed);
  outages.advance(minute);
  return outages;
}

test('what fails for most callers is expected to fail for the next', () => {
  assert.ok(withCallers(30, 5).share(part, 99, expected) > 0.6);
  assert.ok(withCallers(1, 34).share(part, 99, expected) < 0.06);
  assert.equal(withCallers(30, 5).share(8, 99, expected), expected);
});

test('nobody excuses himself: his own failures do not count, however many', () => {
  const outages = withCallers(0, 10);
  for (let i = 0; i < 1000; i++) outages.add(part, 99, true);
  outages.advance(2 * minute);
  assert.ok(outages.share(part, 99, expected) < expected);
  assert.ok(outages.share(part, 98, expected) < 0.1, 'and as one caller they are little to others');
});

test('two who fail alone are no outage', () => {
  assert.ok(withCallers(2, 0).share(part, 99, expected) < 0.25);
});

test('an outage is over when its window and the next are', () => {
  const outages = withCallers(30, 0);
  outages.advance(19 * minute);
  assert.ok(outages.share(part, 99, expected) > 0.6);
  outages.advance(22 * minute);
  assert.equal(outages.share(part, 99, expected), expected);
});

const uses = fc.array(fc.record({ part: fc.integer({ min: 1, max: 3 }), caller: fc.nat(400), failed: fc.boolean() }), {
  maxLength: 600,
});
const fill = (outages: Outages, all: typeof uses extends fc.Arbitrary<infer T> ? T : never): void => {
  for (const use of all) outages.add(use.part, use.caller, use.failed);
};
const told = (outages: Outages): readonly number[] =>
  [1, 2, 3].flatMap((each) => [5, 50, 401].map((caller) => outages.share(each, caller, expected)));

test('a frame does not see what it adds, and the order within it changes nothing, however many callers there are', () => {
  fc.assert(
    fc.property(uses, uses, (first, second) => {
      const [a, b] = [new Outages(), new Outages()];
      for (const [i, all] of [first, second].entries()) {
        const before = told(a);
        fill(a, all);
        assert.deepEqual(told(a), before);
        fill(b, all.toReversed());
        for (const each of [a, b]) each.advance((i + 1) * minute);
        assert.deepEqual(told(a), told(b));
      }
    }),
    { numRuns: 100 },
  );
});

test('a restored table says the same, what was pending included', () => {
  fc.assert(
    fc.property(uses, uses, (first, second) => {
      const outages = new Outages();
      fill(outages, first);
      outages.advance(minute);
      fill(outages, second);
      const restored = new Outages();
      restored.restore(structuredClone(outages.snapshot()));
      for (const each of [outages, restored]) each.advance(11 * minute);
      assert.deepEqual(told(restored), told(outages));
    }),
    { numRuns: 30 },
  );
});

test('what it holds is bounded', () => {
  const outages = new Outages();
  for (let i = 0; i < 300_000; i++) outages.add(i % 6000, i, true);
  outages.advance(minute);
  assert.ok(outages.bytes < 15_000_000);
});
