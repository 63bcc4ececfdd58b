import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CountTable } from '../../src/baseline/count-table.ts';

const uses = fc.array(fc.tuple(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 0, max: 5 }), fc.boolean()), {
  maxLength: 3000,
  size: 'max',
});

test('below its limit it is a map from value to counts, through growth, decay, snapshot and restore', () => {
  fc.assert(
    fc.property(uses, fc.nat({ max: 3000 }), (sequence, decayAt) => {
      const table = new CountTable(1 << 14, 16);
      const model = new Map<number, { events: number; identities: number }>();
      sequence.forEach(([key, events, isNew], i) => {
        if (i === decayAt) {
          table.scale(0.5, 1);
          for (const [k, counts] of model) {
            counts.events /= 2;
            counts.identities /= 2;
            if (counts.events < 1) model.delete(k);
          }
        }
        const counts = model.get(key) ?? { events: 0, identities: 0 };
        counts.events += events;
        counts.identities += isNew ? 1 : 0;
        model.set(key, counts);
        table.add(key, events, isNew ? 1 : 0);
      });
      const copy = new CountTable(1 << 14, 16);
      copy.restore(table.snapshot());
      for (const each of [table, copy]) {
        assert.equal(each.size, model.size);
        for (const [key, { events, identities }] of model) {
          assert.equal(each.events(key), events);
          assert.equal(each.identities(key), identities);
        }
        assert.equal(each.events(2001), 0);
      }
    }),
    { numRuns: 30, endOnFailure: true },
  );
});

test('a flood of values that come once never grows it beyond its limit and never pushes out a value in use', () => {
  const table = new CountTable(1024, 16);
  for (let i = 0; i < 100_000; i++) {
    if (i % 10 === 0) table.add(7, 1, 0);
    table.add(1000 + i, 1, 1);
  }
  assert.equal(table.bytes, 1024 * 12);
  assert.ok(table.size * 3 <= 1024 * 2);
  assert.ok(table.events(7) > 10);
});

test('cleared, it knows nothing', () => {
  const table = new CountTable(64, 16);
  table.add(3, 1, 1);
  table.clear();
  assert.deepEqual([table.size, table.events(3), table.snapshot().every((word) => word === 0)], [0, 0, true]);
});

test('a table that joins one which is full keeps the same, in whatever order it was filled', () => {
  const keys = fc.uniqueArray(fc.integer({ min: 1, max: 0xffffffff }), { minLength: 600, maxLength: 690, size: 'max' });
  fc.assert(
    fc.property(keys, (all) => {
      const [full, joining] = [all.slice(0, 550), all.slice(300)];
      const tables = [joining, joining.toReversed()].map((order, i) => {
        const table = new CountTable(1024);
        for (const key of full) table.add(key, 1 + (key % 5), 1);
        const other = new CountTable(4096, i === 0 ? 1024 : 16);
        for (const key of order) other.add(key, 1 + (key % 3), 1);
        table.join(other);
        return all.map((key) => [table.events(key), table.identities(key)]);
      });
      assert.deepEqual(tables[0], tables[1]);
      for (const key of joining) assert.ok(tables[0]![all.indexOf(key)]![0]! >= 1 + (key % 3));
    }),
    { numRuns: 50 },
  );
});
