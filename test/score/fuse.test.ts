import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../src/core/random.ts';
import { cauchyCombination } from '../../src/score/fuse.ts';

const combine = (...p: number[]): number => cauchyCombination(Float64Array.from(p), p.length);
const pValue = fc.double({ min: 1e-30, max: 1, noNaN: true });

test('the worked example, one p-value alone, and none', () => {
  assert.ok(Math.abs(combine(0.01, 0.5) - 0.0198) < 5e-4);
  assert.ok(Math.abs(combine(0.03) - 0.03) < 1e-9);
  assert.equal(combine(), 1);
});

test('the order does not matter, a smaller p-value never makes the whole larger, and the result is a p-value', () => {
  fc.assert(
    fc.property(fc.array(pValue, { minLength: 1, maxLength: 4 }), pValue, (all, other) => {
      const p = combine(...all);
      assert.ok(p > 0 && p <= 1);
      const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 * Math.max(a, b);
      assert.ok(close(combine(...[...all].reverse()), p));
      const smaller = combine(Math.min(all[0]!, other), ...all.slice(1));
      assert.ok(smaller <= p * (1 + 1e-6), `${smaller} after ${p}`);
    }),
    { endOnFailure: true },
  );
});

test('one tiny p-value speaks for all, less what looking in several places costs', () => {
  for (const p of [1e-4, 1e-7, 1e-9, 1e-20]) {
    const combined = combine(p, 0.7, 0.4, 0.9);
    assert.ok(combined > 3.9 * p && combined < 4.2 * p, `${combined} for ${p}`);
  }
});

test('it holds under full dependence and under none', () => {
  const random = seededRandom(4);
  let dependent = 0;
  let independent = 0;
  const runs = 100_000;
  for (let i = 0; i < runs; i++) {
    const u = 1 - random.next();
    if (combine(u, u, u) <= 0.01) dependent++;
    if (combine(u, 1 - random.next(), 1 - random.next()) <= 0.01) independent++;
  }
  for (const share of [dependent / runs, independent / runs]) assert.ok(share > 0.007 && share < 0.013, `${share}`);
});
