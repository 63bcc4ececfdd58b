import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeyIndex } from '../../src/baseline/key-index.ts';

test('it is a map from hashes to numbers, through growth and after it was cleared', () => {
  const entries = fc.array(fc.tuple(fc.integer({ min: 1, max: 0xffffffff }), fc.nat()), { maxLength: 2000 });
  const index = new KeyIndex();
  fc.assert(
    fc.property(entries, fc.integer({ min: 1, max: 0xffffffff }), (pairs, other) => {
      index.clear();
      for (const [key, value] of pairs) index.set(key, value);
      const map = new Map(pairs);
      assert.equal(index.size, map.size);
      for (const key of [...map.keys(), other]) assert.equal(index.get(key), map.get(key) ?? -1);
    }),
    { numRuns: 50 },
  );
});
