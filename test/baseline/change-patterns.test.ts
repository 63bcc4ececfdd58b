import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addToday,
  beginDay,
  ChangePatterns,
  habit,
  ownDayWords,
  patternToday,
} from '../../src/baseline/change-patterns.ts';
import { RowSlab } from '../../src/baseline/row-slab.ts';

const circle = 5;
const dayMs = 86_400_000;

/** Days of identities, each with the pattern it came to. */
function counted(days: readonly number[]): ChangePatterns {
  const patterns = new ChangePatterns();
  for (const mask of days) {
    patterns.begin(circle);
    if (mask !== 0) patterns.reach(circle, { mask, before: 0, weight: 1 });
  }
  patterns.advance(0);
  return patterns;
}

test('the rarer a pattern among identity-days, the more nats; one that nobody had is the rarest, and more so the more is in it', () => {
  const days = Array.from({ length: 2000 }, (_, i) => (i % 10 === 0 ? 1 : i % 400 === 1 ? 2 : i === 7 ? 4 : 0));
  const patterns = counted(days);
  const [common, rare, once, together, more] = [1, 2, 4, 6, 14].map((mask) => patterns.nats(circle, mask));
  assert.ok(Math.abs(common! - Math.log(10)) < 0.2);
  assert.ok(Math.abs(rare! - Math.log(400)) < 0.3);
  assert.ok(rare! < once! && once! < together! && together! < more!);
  assert.ok(more! <= 60);
});

test('where nobody is known nothing is very odd', () => {
  assert.ok(new ChangePatterns().nats(circle, 1) < 4);
  assert.ok(new ChangePatterns().nats(circle, 3) < 8);
});

test('a circle of few identities leans on everyone', () => {
  const patterns = counted(Array.from({ length: 1000 }, (_, i) => (i % 5 === 0 ? 1 : 0)));
  const other = circle + 3;
  assert.ok(Math.abs(patterns.nats(other, 1) - Math.log(5)) < 0.3);
});

test('a frame does not see what it adds, and the order within it changes nothing', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          fc.integer({ min: 3, max: 11 }),
          fc.integer({ min: 1, max: 63 }),
          fc.double({ min: 0, max: 1, noNaN: true }),
        ),
        { maxLength: 60 },
      ),
      fc.integer(),
      (uses, seed) => {
        const add = (patterns: ChangePatterns, all: typeof uses) => {
          for (const [at, mask, weight] of all) {
            patterns.begin(at);
            patterns.reach(at, { mask, before: mask & seed & 31, weight });
          }
        };
        const [a, b] = [new ChangePatterns(), new ChangePatterns()];
        for (const each of [a, b]) {
          add(each, uses);
          each.advance(0);
          each.advance(3 * dayMs);
        }
        const before = a.nats(4, 7);
        add(a, uses);
        assert.equal(a.nats(4, 7), before);
        add(b, uses.toReversed());
        for (const each of [a, b]) each.advance(3 * dayMs);
        for (let at = 3; at < 12; at++)
          for (let mask = 1; mask < 64; mask++) assert.equal(a.nats(at, mask), b.nats(at, mask));
      },
    ),
    { numRuns: 50 },
  );
});

test('a restored table says the same, what was pending included', () => {
  const patterns = counted([1, 1, 3, 0, 0, 4]);
  patterns.begin(circle);
  patterns.reach(circle, { mask: 8, before: 0, weight: 0.5 });
  const restored = new ChangePatterns();
  restored.restore(patterns.snapshot());
  for (const each of [patterns, restored]) each.advance(40 * dayMs);
  for (let mask = 1; mask < 16; mask++) assert.equal(restored.nats(circle, mask), patterns.nats(circle, mask));
  assert.deepEqual(restored.snapshot(), patterns.snapshot());
});

test('half of what was counted is forgotten in a month, and what is left of nothing takes no room', () => {
  const patterns = counted(Array.from({ length: 64 }, () => 1));
  patterns.advance(30 * dayMs);
  assert.ok(Math.abs(patterns.days(circle) - 32) < 1e-9);
  const full = patterns.bytes;
  patterns.advance(700 * dayMs);
  assert.ok(patterns.bytes < full);
});

test('an identity that does it often is explained by its habit, and one day of suspicion makes no habit', () => {
  const patterns = counted(Array.from({ length: 1000 }, (_, i) => (i % 50 === 0 ? 1 : 0)));
  const slab = new RowSlab(10, null, 4 + ownDayWords + 2);
  const row = slab.create(1, 1);
  let today = 100;
  const live = (days: number, weight: number) => {
    for (const end = today + days; today < end; today++) {
      const own = { slab, start: row + 4, day: today };
      assert.equal(beginDay(own), true);
      assert.equal(beginDay(own), false);
      assert.equal(patternToday(own), 0);
      addToday(own, 1, weight);
      assert.equal(patternToday(own), 1);
    }
  };
  const of = { patterns, circle };
  live(60, 0.02);
  assert.equal(habit({ slab, start: row + 4, day: today }, 1, of), 0);
  slab.u32.fill(0, row + 4);
  live(60, 1);
  assert.ok(Math.abs(habit({ slab, start: row + 4, day: today }, 1, of) - Math.log(50)) < 0.3);
  live(200, 1);
  assert.ok(slab.u8[(row + 6) * 4]! < 64, 'days are halved before a byte is full');
});
