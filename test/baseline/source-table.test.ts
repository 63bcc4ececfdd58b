import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pairOf } from '../../src/baseline/pair-set.ts';
import { emptyView, placeKey, SourceTable } from '../../src/baseline/source-table.ts';

const noon = Date.UTC(2026, 5, 1, 12);
const hour = 3_600_000;
const address = (i: number): number => placeKey('address', 0, pairOf(i, 7));
const account = (i: number): number => placeKey('account', 0, pairOf(i, 9));

function look(table: SourceTable, key: number, window = 0) {
  const view = emptyView();
  table.read(key, window, view);
  return view;
}

test('what a frame adds is seen when it ends', () => {
  const table = new SourceTable();
  table.advance(noon);
  for (let i = 0; i < 50; i++) table.add('try', address(1), account(i));
  assert.equal(look(table, address(1)).tries, 0);
  table.advance(noon + 10_000);
  const { tries, counterparts } = look(table, address(1));
  assert.equal(tries, 50);
  assert.ok(Math.abs(counterparts - 50) < 10, `${counterparts}`);
});

test('an hour is forgotten when it is over, and what was usual is remembered', () => {
  const table = new SourceTable();
  const edge = placeKey('program', 0, 77);
  for (let h = 0; h < 10; h++) {
    table.advance(noon + h * hour);
    for (let i = 0; i < 3; i++) table.add('stranger', edge, 3);
    table.advance(noon + h * hour + 10_000);
  }
  table.advance(noon + 10 * hour);
  const view = look(table, edge);
  assert.equal(view.strangers, 0);
  assert.ok(Math.abs(view.meanStrangers - 3) < 0.01, `${view.meanStrangers}`);
  assert.equal(look(table, edge, 1).strangers, 30);
});

test('a flood counts as at most three times what was usual', () => {
  const table = new SourceTable();
  const edge = placeKey('program', 0, 77);
  table.advance(noon);
  for (let i = 0; i < 10_000; i++) table.add('stranger', edge, 3);
  table.advance(noon + 10_000);
  table.advance(noon + hour);
  assert.equal(look(table, edge).meanStrangers, 3);
});

test('the order within a frame changes nothing, and a restored table is the same', () => {
  const operation = fc.record({
    kind: fc.constantFrom('try', 'proven', 'stranger', 'fresh', 'newcomer', 'unnamed', 'familiar'),
    place: fc.integer({ min: 0, max: 30 }),
    value: fc.integer({ min: 1, max: 200 }),
  } as const);
  fc.assert(
    fc.property(fc.array(fc.array(operation, { maxLength: 40 }), { maxLength: 6 }), fc.integer(), (frames, seed) => {
      const tables = [new SourceTable(20), new SourceTable(20)];
      let restored = new SourceTable(20);
      frames.forEach((operations, f) => {
        const shuffled = [...operations].sort(
          (a, b) => pairOf(a.value + seed, a.place) - pairOf(b.value + seed, b.place),
        );
        for (const [i, table] of [...tables, restored].entries()) {
          table.advance(noon + f * 7 * hour);
          for (const { kind, place, value } of i === 0 ? operations : shuffled) table.add(kind, address(place), value);
        }
        const copy = new SourceTable(20);
        copy.restore(restored.snapshot());
        restored = copy;
      });
      const ends = [...tables, restored].map((table) => {
        table.advance(noon + 100 * hour);
        return Array.from({ length: 31 }, (_, i) => [look(table, address(i)), look(table, address(i), 1)]);
      });
      assert.deepEqual(ends[1], ends[0]);
      assert.deepEqual(ends[2], ends[0]);
    }),
    { numRuns: 60 },
  );
});

test('a large table is restored whole', () => {
  const table = new SourceTable();
  table.advance(noon);
  for (let i = 0; i < 5000; i++) table.add('try', address(i), account(i));
  table.advance(noon + 10_000);
  const copy = new SourceTable();
  copy.restore(table.snapshot());
  assert.deepEqual(copy.snapshot(), table.snapshot());
});

test('at the limit those seen longest ago go, and those to which somebody belongs stay', () => {
  const table = new SourceTable(64);
  table.advance(noon);
  table.add('proven', address(0), account(0));
  table.advance(noon + 24 * hour);
  for (let i = 1; i < 1000; i++) {
    table.add('try', address(i), account(1));
    table.advance(noon + 24 * hour + i * 10_000);
    assert.ok(table.size <= 64);
  }
  assert.ok(look(table, address(0)).proven > 0.5);
  assert.equal(look(table, address(999)).tries, 1);
  assert.equal(look(table, address(1)).tries, 0);
});
