import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calendar } from '../../src/feature/calendar.ts';
import { Bench, call, day, hour, monday } from './moment.ts';

/** Monday to Friday, nine to five. */
function officeWorker(bench: Bench, who = 1, weeks = 4): void {
  for (let d = 0; d < weeks * 7; d++) {
    if (d % 7 >= 5) continue;
    for (let h = 9; h < 17; h++) bench.learn(call({ ts: monday + d * day + h * hour }), { who });
  }
}

test("the identity's own hours are ordinary, the middle of the night is not, and the weekend adds to it", () => {
  const bench = new Bench(calendar);
  officeWorker(bench);
  const at = (d: number, h: number) => bench.judge(call({ ts: monday + 28 * day + d * day + h * hour }));
  assert.ok(at(1, 11).statistic < 0);
  assert.ok(at(1, 3).deviations.hour! > 1);
  assert.ok(at(5, 3).statistic > at(1, 3).statistic + 0.5);
});

test('an hour early or late says less than the middle of the night', () => {
  const bench = new Bench(calendar);
  officeWorker(bench);
  const at = (h: number) => bench.judge(call({ ts: monday + 29 * day + h * hour })).deviations.hour!;
  assert.ok(at(8) < at(3));
});

test("hours are the caller's own: a time zone moves them", () => {
  const bench = new Bench(calendar);
  officeWorker(bench);
  const abroad = call({ ts: monday + 29 * day + 22 * hour, tz: '-1000' });
  assert.ok(bench.judge(abroad).deviations.hour! < 0);
});

test('a new habit is learned within a few weeks', () => {
  const bench = new Bench(calendar);
  officeWorker(bench);
  const night = (d: number) => call({ ts: monday + (28 + d) * day + 3 * hour });
  const first = bench.judge(night(0)).deviations.hour!;
  for (let d = 0; d < 60; d++) bench.learn(night(d));
  assert.ok(bench.judge(night(60)).deviations.hour! < first - 1);
});

test('a weekday that has not come round since the identity was first seen is no surprise, a week later it is', () => {
  const bench = new Bench(calendar);
  officeWorker(bench, 1, 1);
  officeWorker(bench, 2, 4);
  const saturday = (week: number, who: number) =>
    bench.judge(call({ ts: monday + (7 * week + 5) * day + 11 * hour }), who).deviations.weekday!;
  assert.equal(saturday(0, 1), 0);
  assert.ok(saturday(4, 2) > 0);
});

test('forty calls by night are no habit yet of somebody who is known', () => {
  const bench = new Bench(calendar);
  officeWorker(bench);
  const night = monday + 28 * day + 3 * hour;
  for (let i = 0; i < 40; i++) bench.learn(call({ ts: night + i * 60_000 }), { who: 1 });
  const later = bench.judge(call({ ts: night + day }));
  assert.ok(later.deviations.hour! > 0.2, `${later.deviations.hour!}`);
});
