import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TailCalibrator } from '../../src/baseline/tail-calibrator.ts';
import { seededRandom } from '../../src/core/random.ts';

const shapes = {
  exponential: (u: number) => -Math.log(u),
  'light, far from zero': (u: number) => 5 + u,
  'heavy-tailed': (u: number) => u ** -0.4 - 1,
  'mostly negative': (u: number) => -6 - 2 * Math.log(u),
} as const;

function learned(shape: (u: number) => number, events: number, seed = 5): TailCalibrator {
  const random = seededRandom(seed);
  const calibrator = new TailCalibrator();
  for (let i = 0; i < events; i++) {
    calibrator.add(shape(1 - random.next()));
    if (i % 1000 === 999) calibrator.advance();
  }
  calibrator.advance();
  return calibrator;
}

for (const [name, shape] of Object.entries(shapes)) {
  test(`p-values are uniform on the stream they were learned from: ${name} (Kolmogorov-Smirnov distance below 0.05)`, () => {
    const calibrator = learned(shape, 40_000);
    const random = seededRandom(6);
    const values = Array.from({ length: 20_000 }, () => calibrator.pValue(shape(1 - random.next()))).sort(
      (a, b) => a - b,
    );
    let distance = 0;
    values.forEach((p, i) => {
      distance = Math.max(distance, Math.abs(p - (i + 0.5) / values.length));
    });
    assert.ok(distance < 0.05, `${distance}`);
    for (const level of [0.01, 0.001]) {
      const share = values.filter((p) => p <= level).length / values.length;
      // A tail that ends is taken for one that does not: too cautious, never too bold.
      const least = name.startsWith('light') ? 0 : level / 3;
      assert.ok(share >= least && share < level * 3, `${share} of the p-values are below ${level}`);
    }
  });
}

for (const [name, shape] of Object.entries(shapes)) {
  test(`a higher statistic never has a higher p-value, and there are no jumps: ${name}`, () => {
    const calibrator = learned(shape, 10_000);
    const step = 1 / 64;
    let before = calibrator.pValue(-20);
    for (let s = -20 + step; s < 80; s += step) {
      const p = calibrator.pValue(s);
      assert.ok(p > 0 && p <= 1);
      assert.ok(p <= before + 1e-12, `${p} at ${s} after ${before}`);
      before = p;
    }
  });
}

test('before it has seen anything exp(-statistic) speaks, and a hundred events weigh as much as that', () => {
  const calibrator = new TailCalibrator();
  assert.equal(calibrator.pValue(-3), 1);
  assert.equal(calibrator.pValue(2), Math.exp(-2));
  for (let i = 0; i < 100; i++) calibrator.add(10);
  assert.equal(calibrator.pValue(2), Math.exp(-2), 'nothing is seen before the frame ends');
  calibrator.advance();
  assert.ok(Math.abs(calibrator.pValue(2) - (Math.exp(-2) + 1) / 2) < 1e-9);
});

test('it follows a stream that changes', () => {
  const calibrator = learned(shapes.exponential, 300_000);
  const random = seededRandom(9);
  for (let i = 0; i < 600_000; i++) {
    calibrator.add(3 - Math.log(1 - random.next()));
    if (i % 1000 === 0) calibrator.advance();
  }
  const median = calibrator.pValue(3 + Math.LN2);
  assert.ok(median > 0.4 && median < 0.6, `${median}`);
});

test('restored, it gives the same numbers, now and later', () => {
  const calibrator = learned(shapes.exponential, 5000);
  for (let i = 0; i < 10; i++) calibrator.add(30);
  const restored = new TailCalibrator();
  restored.restore(structuredClone(calibrator.snapshot()));
  const numbers = (of: TailCalibrator): number[] => Array.from({ length: 400 }, (_, i) => of.pValue(i / 5 - 17));
  assert.deepEqual(numbers(restored), numbers(calibrator));
  for (const each of [calibrator, restored]) {
    for (let i = 0; i < 500; i++) each.add(i / 40);
    each.advance();
  }
  assert.deepEqual(numbers(restored), numbers(calibrator));
});

test('numbers beyond the histogram, and infinity, have p-values too', () => {
  const calibrator = learned(shapes.exponential, 1000);
  for (const statistic of [1e300, Number.POSITIVE_INFINITY, -1e300]) {
    calibrator.add(statistic);
    const p = calibrator.pValue(statistic);
    assert.ok(p > 0 && p <= 1);
  }
  calibrator.advance();
  assert.ok(calibrator.pValue(5) > 0);
});

test('a robust tail is that of the body: two days far out, or one in twenty of the highest, do not make it', () => {
  const of = { robust: { share: 0.1, isCautious: false } };
  const random = seededRandom(3);
  const [clean, attacked, few] = [new TailCalibrator(of), new TailCalibrator(of), new TailCalibrator(of)];
  for (let i = 0; i < 4000; i++) {
    const statistic = -2 * Math.log(1 - random.next());
    clean.add(statistic);
    attacked.add(i % 250 === 0 ? 60 : statistic);
    if (i < 40) few.add(i < 2 ? 60 : statistic);
  }
  for (const each of [clean, attacked, few]) each.refit();
  const apart = Math.log(attacked.pValue(20)) - Math.log(clean.pValue(20));
  assert.ok(Math.abs(apart) < 2.5, `${apart} nats`);
  assert.ok(few.pValue(40) < 0.001, `${few.pValue(40)}`);
});

test('a cautious tail is told as heavier while few days made it', () => {
  const tails = [false, true].map((isCautious) => {
    const calibrator = new TailCalibrator({ robust: { share: 0.1, isCautious } });
    const random = seededRandom(3);
    for (let i = 0; i < 300; i++) calibrator.add(-Math.log(1 - random.next()));
    calibrator.refit();
    return calibrator.pValue(25);
  });
  assert.ok(tails[1]! > 1.5 * tails[0]!, `${tails}`);
});
