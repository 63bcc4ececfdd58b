import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { coinDivergence, excessSurprise, shrink, studentSurprise } from '../../src/baseline/statistics.ts';

const about = (actual: number, expected: number, tolerance = 0.005): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${actual}, not ${expected}`);

test('the worked examples of the comments', () => {
  about(coinDivergence(0.5, 0.1), 0.511);
  about(excessSurprise(8, 10, 0.1), 13.6);
  const { mean, variance } = shrink({ mean: 4, variance: 1, weight: 10 }, { mean: 2, variance: 1, weight: 10 });
  about(mean, 3);
  assert.ok(variance > 2, 'own and prior disagree by 2, which is spread');
});

function binomialTail(successes: number, trials: number, rate: number): number {
  let tail = 0;
  let term = (1 - rate) ** trials;
  for (let k = 0; k <= trials; k++) {
    if (k >= successes) tail += term;
    term *= ((trials - k) / (k + 1)) * (rate / (1 - rate));
  }
  return tail;
}

test('a run of failures is never called less probable than it is (Chernoff)', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.nat({ max: 60 }),
      fc.double({ min: 0.01, max: 0.9, noNaN: true }),
      (trials, s, rate) => {
        const successes = s % (trials + 1);
        const surprise = excessSurprise(successes, trials, rate);
        assert.ok(surprise >= 0);
        assert.ok(surprise <= -Math.log(binomialTail(successes, trials, rate)) + 1e-6);
      },
    ),
    { endOnFailure: true },
  );
});

test('surprise grows with the excess, and is nothing up to what is expected', () => {
  let before = -1;
  for (let successes = 0; successes <= 50; successes++) {
    const surprise = excessSurprise(successes, 50, 0.2);
    assert.equal(surprise === 0, successes <= 10);
    assert.ok(surprise >= before);
    before = surprise;
  }
  assert.equal(studentSurprise(-3, 5), 0);
  assert.ok(studentSurprise(4, 5) > studentSurprise(3, 5));
  assert.ok(studentSurprise(4, 100) > studentSurprise(4, 5), 'few observations have heavy tails');
});

test('rates of 0 and 1 give numbers', () => {
  for (const observed of [0, 0.5, 1]) {
    for (const expected of [0, 1]) assert.ok(Number.isFinite(coinDivergence(observed, expected)));
  }
});

test('shrinking: no observations give the prior, many give their own', () => {
  const prior = { mean: 2, variance: 1, weight: 6 };
  const none = shrink({ mean: 0, variance: 0, weight: 0 }, prior);
  about(none.mean, 2);
  about(none.variance, 1 * (1 + 1 / 6));
  const many = shrink({ mean: 5, variance: 0.3, weight: 1e6 }, prior);
  about(many.mean, 5);
  about(many.variance, 0.3);
});
