import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayPeakOf, endPeaks, finishedDays, raisePeak, usualOf } from '../../src/baseline/peaks.ts';
import { at, detectors } from '../../src/baseline/row-layout.ts';
import { RowSlab } from '../../src/baseline/row-slab.ts';

const rate = detectors.indexOf('rate');

/** A day after `before` others in which each detector came to this many nats. */
function day(slab: RowSlab, before: number, statistic: number): void {
  slab.f32[finishedDays] = before;
  slab.f32[at.day] = 20_000 + before;
  detectors.forEach((_, detector) => {
    raisePeak(slab, { row: 0, detector, statistic });
  });
  endPeaks(slab, 0);
}

function known(statistics: readonly number[]): RowSlab {
  const slab = new RowSlab(1);
  slab.create(1, 1);
  statistics.forEach((statistic, before) => {
    day(slab, before, statistic);
  });
  return slab;
}

test('the highest of a day counts until the day is over', () => {
  const slab = known([]);
  for (const statistic of [2, 6, 3]) raisePeak(slab, { row: 0, detector: rate, statistic });
  assert.equal(dayPeakOf(slab, 0, rate), 6.125);
  endPeaks(slab, 0);
  assert.equal(dayPeakOf(slab, 0, rate), 0);
});

test('what days come to is usual after some of them; behaviour and sources never have a usual', () => {
  assert.equal(usualOf(known([]), 0, rate), 0);
  assert.ok(Math.abs(usualOf(known([6]), 0, rate) - 3) <= 0.125);
  const usual = usualOf(known(Array.from({ length: 30 }, () => 6)), 0, rate);
  assert.ok(usual >= 5.5 && usual <= 6, `${usual}`);
  const loud = known(Array.from({ length: 30 }, () => 20));
  for (const name of ['behaviour', 'source'] as const) assert.equal(usualOf(loud, 0, detectors.indexOf(name)), 0);
});

test('one day of an attack raises the usual of a known identity by a nat, however high it is; and it is forgotten in a month', () => {
  const slab = known(Array.from({ length: 30 }, () => 1));
  const before = usualOf(slab, 0, rate);
  day(slab, 30, 60);
  assert.ok(usualOf(slab, 0, rate) <= before + 1.125);
  for (let i = 0; i < 30; i++) day(slab, 31 + i, 1);
  assert.ok(usualOf(slab, 0, rate) <= before + 0.25, `${before} to ${usualOf(slab, 0, rate)}`);
});
