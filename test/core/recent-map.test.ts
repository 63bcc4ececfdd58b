import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RecentMap } from '../../src/core/recent-map.ts';

test('what was used last is remembered, nothing is there twice or wrong, and never more than the limit', () => {
  const uses = fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.boolean()), { maxLength: 300 });
  fc.assert(
    fc.property(uses, fc.integer({ min: 2, max: 20 }), (calls, max) => {
      const map = new RecentMap<{ key: string; at: number }>(max);
      const last = new Map<string, number>();
      for (const [at, [number, isSet]] of calls.entries()) {
        const key = `k${number}`;
        const known = map.get(key);
        if (known !== undefined) assert.deepEqual(known, { key, at: last.get(key) });
        if (isSet) map.set(key, { key, at });
        else if (known === undefined) continue;
        else known.at = at;
        last.delete(key);
        last.set(key, at);
        const values = [...map.values()].map((value) => value.key);
        assert.equal(new Set(values).size, values.length);
        assert.ok(values.length <= max);
        for (const recent of [...last.keys()].slice(-Math.floor(max / 2))) assert.ok(values.includes(recent));
      }
    }),
  );
});
