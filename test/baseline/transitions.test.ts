import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { classOf, type Forecast, Transitions } from '../../src/baseline/transitions.ts';

const noon = Date.UTC(2026, 5, 1, 12);
const day = 86_400_000;

function ask(table: Transitions, next: number, first = 5): Forecast {
  const into: Forecast = { surprise: 0, mean: 0, deviation: 0, context: 0, same: 0 };
  table.forecast({ circle: 0, second: 1, first, next }, 0.1, into);
  return into;
}

function learned(table: Transitions, times: number, next: number): void {
  for (let i = 0; i < times; i++) table.add({ circle: 0, second: 1, first: 5, next }, 1);
}

test('a step is the less surprising the more often it followed, and one that never did falls back to its share', () => {
  const table = new Transitions();
  assert.equal(ask(table, 6).surprise, -Math.log(0.1));
  learned(table, 90, 6);
  assert.equal(ask(table, 6).surprise, -Math.log(0.1));
  table.advance(noon);
  learned(table, 10, 7);
  table.advance(noon + 10_000);
  assert.ok(Math.abs(ask(table, 6).surprise - -Math.log(0.9)) < 0.1);
  assert.ok(ask(table, 8).surprise > 3);
  assert.equal(ask(table, 6).context, 100);
});

test('every step and repeat of a busy frame counts, and none is left in the quiet one after it', () => {
  const table = new Transitions();
  learned(table, 10_000, 6);
  for (let i = 0; i < 5000; i++) table.addRepeat(0, 6, 2);
  table.advance(noon);
  table.advance(noon + 10_000);
  assert.deepEqual([ask(table, 6).context, ask(table, 6).same, table.repeats(0, 6, 2)], [10_000, 10_000, 5000]);
});

test('what was surprising is expected to be: mean and deviation are those of the context', () => {
  const table = new Transitions();
  for (let i = 0; i < 500; i++) table.add({ circle: 0, second: 1, first: 5, next: i % 2 }, i % 2 === 0 ? 1 : 3);
  table.advance(noon);
  const { mean, deviation } = ask(table, 0);
  assert.ok(Math.abs(mean - 2) < 0.1 && Math.abs(deviation - 1) < 0.1, `${mean} ${deviation}`);
});

test('what nearly always came before is required, what came before sometimes is not', () => {
  const table = new Transitions();
  const [often, seldom] = [3, 4];
  const set = new Uint32Array(2);
  for (let i = 0; i < 100; i++) {
    const before = new Uint32Array(2);
    for (const value of i % 3 === 0 ? [often, seldom] : [often]) {
      const of = classOf(value * 77_777);
      before[of >>> 5]! |= 1 << (of & 31);
    }
    table.addUse({ circle: 2, second: 0, first: 0, next: 9 }, before[0]!, before[1]!);
  }
  table.advance(noon);
  table.required(2, 9, set);
  const of = classOf(often * 77_777);
  assert.equal(set[of >>> 5], (1 << (of & 31)) >>> 0);
  assert.equal(set[1 - (of >>> 5)], 0);
  assert.deepEqual(table.uses(2, 9, of), { all: 100, having: 100 });
  assert.deepEqual(table.uses(0, 9, of), { all: 0, having: 0 });
});

test('half of it is forgotten in three days', () => {
  const table = new Transitions();
  learned(table, 100, 6);
  table.advance(noon);
  table.advance(noon + 3 * day);
  assert.ok(Math.abs(ask(table, 6).context - 50) < 0.1);
});

test('the order within a frame changes nothing, and a restored table is the same', () => {
  const small = fc.integer({ min: 1, max: 6 });
  const one = fc.record({
    circle: fc.integer({ min: 0, max: 1 }),
    second: small,
    first: small,
    next: small,
    s: fc.double({ min: 0, max: 9, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(fc.array(one, { maxLength: 60 }), { maxLength: 4 }), (frames) => {
      const tables = [new Transitions(), new Transitions(), new Transitions()];
      frames.forEach((steps, f) => {
        tables.forEach((table, i) => {
          for (const { s, ...step } of i === 1 ? [...steps].reverse() : steps) {
            table.add(step, s);
            table.addUse(step, step.first, step.second);
            table.addRepeat(step.circle, step.next, 1);
          }
          const saved = new Transitions();
          saved.restore(table.snapshot());
          if (i === 2) tables[2] = saved;
          tables[i]!.advance(noon + f * day);
        });
      });
      const view = (table: Transitions): unknown =>
        [1, 2, 3, 4, 5, 6].map((v) => [
          ask(table, 1, v),
          ask(table, v, 2),
          table.uses(0, v, 1),
          table.uses(1, v, 2),
          table.repeats(1, v, 1),
        ]);
      assert.deepEqual(view(tables[1]!), view(tables[0]!));
      assert.deepEqual(view(tables[2]!), view(tables[0]!));
    }),
    { numRuns: 80 },
  );
});

test('functions, names and uses are bounded', () => {
  const table = new Transitions();
  for (let i = 1; i < 40_000; i++) {
    table.addUse({ circle: 0, second: 0, first: 0, next: i * 7919 }, 1, 0);
    table.name(i, `GET /${i}`);
  }
  table.advance(noon);
  const kept = table.snapshot();
  assert.ok(kept.names.length <= 4096);
  assert.ok(kept.rows.byteLength <= 16_384 * 68 * 4);
});
