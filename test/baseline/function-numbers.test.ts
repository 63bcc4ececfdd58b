import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FunctionNumbers, functionKey } from '../../src/baseline/function-numbers.ts';

const day = 86_400_000;
type Call = { readonly key: number; readonly number: number; readonly weight: number };
const calls = fc.array(
  fc.record({
    key: fc.integer({ min: 1, max: 9 }),
    number: fc.double({ min: 0, max: 12, noNaN: true }),
    weight: fc.double({ min: 0.001, max: 1, noNaN: true }),
  }),
  { maxLength: 60 },
);
const fill = (sizes: FunctionNumbers, all: readonly Call[]): void => {
  for (const call of all) sizes.add(call.key, call);
};
const told = (sizes: FunctionNumbers): unknown => Array.from({ length: 10 }, (_, key) => ({ ...sizes.of(key) }));
const many = (key: number, number: number, count: number): Call[] =>
  Array.from({ length: count }, () => ({ key, number, weight: 1 }));

test('a function is known by its own calls, others by what all come to', () => {
  const sizes = new FunctionNumbers({ mean: 0.7, deviation: 2 });
  fill(sizes, [...many(1, 8, 200), ...many(2, 0.5, 800)]);
  sizes.advance(day);
  assert.ok(Math.abs(sizes.of(1).mean - 8) < 0.5);
  assert.ok(Math.abs(sizes.of(2).mean - 0.5) < 0.1);
  assert.equal(sizes.of(3).mean, sizes.all.mean);
  assert.ok(sizes.of(2).deviation < sizes.of(3).deviation);
});

test('a release that makes answers ten times as large is known after as many calls as are remembered', () => {
  const sizes = new FunctionNumbers({ mean: 0.7, deviation: 2 });
  for (let i = 0; i < 100; i++) {
    fill(sizes, many(1, 2, 500));
    sizes.advance(day);
  }
  for (let i = 0; i < 12; i++) {
    fill(sizes, many(1, 4.3, 500));
    sizes.advance(day);
  }
  assert.ok(sizes.of(1).mean > 4);
});

test('a frame does not see what it adds, and the order within it changes nothing', () => {
  fc.assert(
    fc.property(calls, calls, (first, second) => {
      const [a, b] = [
        new FunctionNumbers({ mean: 0.7, deviation: 2 }),
        new FunctionNumbers({ mean: 0.7, deviation: 2 }),
      ];
      for (const [sizes, turn] of [
        [a, false],
        [b, true],
      ] as const)
        for (const all of [first, second]) {
          const before = told(sizes);
          fill(sizes, turn ? all.toReversed() : all);
          assert.deepEqual(told(sizes), before);
          sizes.advance(day);
        }
      assert.deepEqual(told(a), told(b));
    }),
    { numRuns: 50 },
  );
});

test('a restored table says the same, what was pending included', () => {
  fc.assert(
    fc.property(calls, calls, (first, second) => {
      const sizes = new FunctionNumbers({ mean: 0.7, deviation: 2 });
      fill(sizes, first);
      sizes.advance(day);
      fill(sizes, second);
      const restored = new FunctionNumbers({ mean: 0.7, deviation: 2 });
      restored.restore(structuredClone(sizes.snapshot()));
      for (const each of [sizes, restored]) each.advance(3 * day);
      assert.deepEqual(told(restored), told(sizes));
    }),
    { numRuns: 50 },
  );
});

test('functions beyond the limit are measured as all calls are, and those that nobody calls any more make room', () => {
  const sizes = new FunctionNumbers({ mean: 0.7, deviation: 2 });
  for (let key = 1; key <= 20_000; key++) sizes.add(key, { number: 3, weight: 1 });
  sizes.advance(day);
  assert.equal(sizes.of(19_999).mean, sizes.all.mean);
  assert.ok(sizes.bytes < 5_000_000);
  sizes.advance(100 * day);
  assert.ok(sizes.bytes < 1000);
});

test('what is refused is measured apart from what is answered', () => {
  assert.notEqual(functionKey(7, true), functionKey(7, false));
});
