import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addToSeries,
  learnSeries,
  type SeriesPlace,
  seriesKnown,
  seriesSum,
  seriesSurprise,
  seriesUsual,
  seriesWords,
} from '../../src/baseline/series.ts';
import { type Random, seededRandom } from '../../src/core/random.ts';

const hour = 12;
const day = 24 * hour;
/** A Monday, midnight UTC, in windows. */
const monday = Date.UTC(2026, 5, 1) / 300_000;

const fresh = (): SeriesPlace => ({ words: new Float32Array(seriesWords), start: 0 });

/** Calls of an office: a hundred in each window of its day, a few at night, a third of that at weekends, with the noise of chance and people. */
function office(random: Random, window: number): number {
  const time = (window / hour) % 24;
  const weekday = (Math.floor(window / day) + 4) % 7;
  const level = (time >= 8 && time < 18 ? 100 : 4) * (weekday === 0 || weekday === 6 ? 1 / 3 : 1);
  const noise = Array.from({ length: 6 }, random.next).reduce((sum, one) => sum + one - 0.5, 0);
  return Math.max(0, Math.round(level + 1.5 * Math.sqrt(level) * noise));
}

function learnOffice(place: SeriesPlace, windows: number, seed = 1): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({ length: windows }, (_, i) => {
    const value = { window: monday + i, value: office(random, monday + i) };
    const surprise = seriesSurprise(place, value);
    learnSeries(place, value);
    return surprise;
  });
}

test('what is said is rare: of ordinary weeks, about one window in e to the power of the surprise', () => {
  for (const seed of [1, 2, 3]) {
    const said = learnOffice(fresh(), 28 * day, seed).subarray(14 * day);
    const share = (nats: number): number => said.filter((surprise) => surprise >= nats).length / said.length;
    assert.ok(share(5) < 2 * Math.exp(-5), `seed ${seed}: ${share(5)}`);
    assert.ok(share(8) < 4 * Math.exp(-8), `seed ${seed}: ${share(8)}`);
  }
});

test('a value that was never seen surprises, more than one that is only unusual', () => {
  const place = fresh();
  learnOffice(place, 21 * day);
  const noon = monday + 21 * day + 12 * hour;
  const at = (value: number): number => seriesSurprise(place, { window: noon, value });
  assert.equal(at(100), 0);
  assert.ok(at(400) > 6 && at(400) >= at(160), `${at(160)} ${at(400)}`);
});

test('the same hundred calls are usual at noon and a surprise at night', () => {
  const place = fresh();
  learnOffice(place, 21 * day);
  const start = monday + 21 * day;
  const night = seriesSurprise(place, { window: start + 3 * hour, value: 100 });
  assert.ok(night > 4, `${night}`);
  assert.equal(seriesSurprise(place, { window: start + 12 * hour, value: 100 }), 0);
});

test('what is usual follows the time of day and the weekday', () => {
  const place = fresh();
  learnOffice(place, 28 * day);
  const start = monday + 28 * day;
  const noon = seriesUsual(place, start + 12 * hour);
  const night = seriesUsual(place, start + 3 * hour);
  const saturday = seriesUsual(place, start + 5 * day + 12 * hour);
  assert.ok(noon.expected > 70 && noon.expected < 130, `${noon.expected}`);
  assert.ok(noon.low < 100 && noon.high > 100);
  assert.ok(night.expected < 20, `${night.expected}`);
  assert.ok(saturday.expected < noon.expected - 20, `${saturday.expected}`);
});

test('what has been said is not said again, and a week later it is', () => {
  const place = fresh();
  learnOffice(place, 21 * day);
  const noon = monday + 21 * day + 12 * hour;
  learnSeries(place, { window: noon, value: 400 });
  assert.equal(seriesSurprise(place, { window: noon + 1, value: 400 }), 0);
  const later = seriesSurprise(place, { window: noon + 7 * day, value: 400 });
  assert.ok(later > 5, `${later}`);
});

test('a quiet hour silences nothing that comes after it', () => {
  const [quiet, usual] = [fresh(), fresh()];
  for (const place of [quiet, usual]) learnOffice(place, 21 * day);
  const noon = monday + 21 * day + 12 * hour;
  learnSeries(quiet, { window: noon, value: 0 });
  learnSeries(usual, { window: noon, value: 100 });
  const burst = { window: noon + 1, value: 600 };
  assert.ok(seriesSurprise(usual, burst) > 6);
  assert.ok(seriesSurprise(quiet, burst) > 6);
});

test('one huge window does not blind: the next unusual one is still a surprise', () => {
  const place = fresh();
  learnOffice(place, 21 * day);
  const noon = monday + 21 * day + 12 * hour;
  learnSeries(place, { window: noon, value: 1e9 });
  const random = seededRandom(9);
  for (let w = noon + 1; w < noon + 12 * day; w++) learnSeries(place, { window: w, value: office(random, w) });
  const later = seriesSurprise(place, { window: noon + 12 * day, value: 500 });
  assert.ok(later > 5, `${later}`);
});

test('nothing is improbable before twenty windows are known, and none of any weight leaves the numbers', () => {
  const place = fresh();
  for (let i = 0; i < 20; i++) {
    assert.equal(seriesSurprise(place, { window: monday + i, value: 1e6 }), 0);
    learnSeries(place, { window: monday + i, value: i % 3 });
  }
  assert.ok(seriesSurprise(place, { window: monday + 20, value: 1e6 }) > 0);
  const value = fc.oneof(fc.double({ min: 0, max: 1e12, noNaN: true }), fc.constant(0), fc.integer({ min: 0, max: 9 }));
  const step = fc.record({ gap: fc.integer({ min: 0, max: 5000 }), value, weight: fc.constantFrom(1, 0.5, 0.01) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const some = fresh();
      let window = monday;
      for (const { gap, value: calls, weight } of steps) {
        window += gap;
        const surprise = seriesSurprise(some, { window, value: calls });
        assert.ok(surprise >= 0 && Number.isFinite(surprise));
        addToSeries(some, { window, value: calls }, weight);
      }
      assert.ok(some.words.every(Number.isFinite));
    }),
    { seed: 7, numRuns: 200 },
  );
});

test('calls gather in their window; the empty ones of a short pause are learned, of a long one none, and late calls belong nowhere', () => {
  const place = fresh();
  addToSeries(place, { window: monday, value: 1 }, 1);
  addToSeries(place, { window: monday, value: 2 }, 1);
  assert.equal(seriesSum(place, monday), 3);
  assert.equal(seriesKnown(place), 0);
  addToSeries(place, { window: monday + 5, value: 1 }, 1);
  assert.equal(seriesKnown(place), 5);
  addToSeries(place, { window: monday + 2, value: 1 }, 1);
  assert.deepEqual([seriesSum(place, monday + 5), seriesSum(place, monday + 2)], [1, 0]);
  addToSeries(place, { window: monday + 5 * day, value: 1 }, 1);
  assert.equal(seriesKnown(place), 5 + 1);
});

test('a series is its words: copied to another place, it goes on bit for bit and touches nothing around it', () => {
  const one = fresh();
  learnOffice(one, 10 * day);
  const two: SeriesPlace = { words: new Float32Array(seriesWords + 20).fill(7), start: 10 };
  two.words.set(one.words, 10);
  const random = seededRandom(3);
  for (let w = monday + 10 * day; w < monday + 12 * day; w++) {
    const value = { window: w, value: office(random, w) };
    assert.equal(seriesSurprise(one, value), seriesSurprise(two, value));
    learnSeries(one, value);
    learnSeries(two, value);
  }
  assert.deepEqual(one.words, two.words.subarray(10, 10 + seriesWords));
  assert.ok([...two.words.subarray(0, 10), ...two.words.subarray(10 + seriesWords)].every((word) => word === 7));
});

test('what an attacker does for half an hour at little weight stays a surprise', () => {
  const place = fresh();
  learnOffice(place, 21 * day);
  const noon = monday + 21 * day + 12 * hour;
  for (let i = 0; i < 6; i++) learnSeries(place, { window: noon + i, value: 500 }, 0.01);
  const again = seriesSurprise(place, { window: noon + 8 * day, value: 500 });
  assert.ok(again > 6, `${again}`);
});
