import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endPeaks, finishedDays, raisePeak } from '../../src/baseline/peaks.ts';
import { at, detectors } from '../../src/baseline/row-layout.ts';
import { RowSlab } from '../../src/baseline/row-slab.ts';
import { UsualDays } from '../../src/baseline/usual-days.ts';
import { type Random, seededRandom } from '../../src/core/random.ts';

const rate = detectors.indexOf('rate');
const identities = 300;

/** Twenty days of identities whose peaks are exponential with a mean of their own. */
function lived(meanOf: (identity: number) => number): { usual: UsualDays; slab: RowSlab; random: Random } {
  const random = seededRandom(5);
  const slab = new RowSlab(identities);
  const rows = Array.from({ length: identities }, (_, i) => slab.create(1, i));
  const usual = new UsualDays();
  for (let day = 0; day < 20; day++) {
    rows.forEach((row, i) => {
      slab.f32[row + finishedDays] = day;
      slab.f32[row + at.day] = 20_000 + day;
      const peak = -meanOf(i) * Math.log(1 - random.next());
      raisePeak(slab, { row, detector: rate, statistic: peak });
      usual.add(slab, row, { detector: rate, peak });
      endPeaks(slab, row);
    });
    usual.refit();
  }
  return { usual, slab, random };
}

const rowOf = (slab: RowSlab, identity: number): number => slab.find(1, identity);

test('where some identities are always odd, their oddness is expected of them and not of the others', () => {
  const { usual, slab } = lived((i) => (i % 10 === 0 ? 8 : 0.5));
  assert.ok(usual.expected(slab, rowOf(slab, 10), rate) > 3);
  assert.ok(usual.expected(slab, rowOf(slab, 11), rate) < 1.5);
});

test('where all identities are alike, a few odd days say nothing of the next', () => {
  const { usual, slab } = lived(() => 2);
  for (let i = 0; i < identities; i++)
    assert.ok(usual.expected(slab, rowOf(slab, i), rate) <= 0.5, `${usual.expected(slab, rowOf(slab, i), rate)}`);
});

test('before anybody has a second day nothing is expected', () => {
  const slab = new RowSlab(1);
  const row = slab.create(1, 1);
  const usual = new UsualDays();
  usual.add(slab, row, { detector: rate, peak: 9 });
  usual.refit();
  assert.equal(usual.expected(slab, row, rate), 0);
});

test('restored, it expects the same', () => {
  const { usual, slab } = lived((i) => (i % 10 === 0 ? 8 : 0.5));
  const again = new UsualDays();
  again.restore(structuredClone(usual.snapshot()));
  for (let i = 0; i < identities; i++)
    assert.equal(again.expected(slab, rowOf(slab, i), rate), usual.expected(slab, rowOf(slab, i), rate));
});
