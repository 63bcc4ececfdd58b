import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { type ArrayChange, LargeArrays } from '../../src/baseline/large-arrays.ts';

/** As it travels. */
function carried<T>(value: T): T {
  return deserialize(serialize(value)) as T;
}

const edits = fc.array(
  fc.record({
    numbers: fc.array(fc.tuple(fc.nat(4999), fc.integer({ min: 1, max: 9 })), { maxLength: 5 }),
    length: fc.constantFrom(0, 100, 2000, 2600, 5000),
    halves: fc.constantFrom(0, 600, 3000),
  }),
  { minLength: 1, maxLength: 8 },
);

test('what is put together from changes and the newest rest is the state, however its arrays grow, shrink, go and come back', () => {
  fc.assert(
    fc.property(edits, (steps) => {
      const writer = new LargeArrays();
      const reader = new LargeArrays();
      const all = new Uint32Array(5000);
      for (const { numbers, length, halves } of steps) {
        for (const [at, number] of numbers) all[at] = number;
        const state = (): object => ({
          table: { words: all.slice(0, length), name: 'a' },
          list: [new Float64Array(halves).fill(0.5), new Uint8Array(7)],
          ...(length === 100 ? {} : { more: Int32Array.from(all.slice(0, 2000), (word) => -word) }),
          events: Array.from({ length: 600 }, (_, i) => ({ i })),
        });
        const { changes, rest } = writer.take(state());
        reader.put(carried(changes));
        assert.deepEqual(reader.fill(carried(rest)), state());
      }
    }),
  );
});

test('what did not change is not written again, and of what changed only the surroundings', () => {
  const arrays = new LargeArrays();
  const table = new Uint32Array(100_000).fill(7);
  const wordsOf = (changes: readonly ArrayChange[]): number[] => changes.map(({ words }) => words.length);
  const take = (): number[] => wordsOf(arrays.take({ table: table.slice() }).changes);
  assert.deepEqual(take(), [100_000]);
  assert.deepEqual(take(), []);
  table[50_000] = 8;
  assert.deepEqual(take(), [16]);
  arrays.clear();
  assert.deepEqual(take(), [100_000]);
});
