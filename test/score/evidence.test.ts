import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import { accumulate, faded, learningWeight } from '../../src/score/evidence.ts';

/** Evidence after calls with these p-values, a second apart, of an identity with a long history or the one given. */
function after(pValues: readonly number[], history = 10_000): number {
  return pValues.reduce((evidence, p) => accumulate(evidence * faded(1000), p, history), 0);
}
const random = seededRandom(2);
const ordinary = (calls: number): number[] => Array.from({ length: calls }, () => 1 - random.next());

test('the worked example: ten events of p = 0.05 of a well-known identity', () => {
  assert.ok(Math.abs(after(Array(10).fill(0.05)) - 13) < 0.1);
});

test('low and slow: thirty mildly odd calls are evidence, and a thousand ordinary ones are around nothing', () => {
  assert.ok(after(Array(30).fill(0.05)) > 15);
  let sum = 0;
  for (let i = 0; i < 1000; i++) sum += after(ordinary(30));
  assert.ok(Math.abs(sum / 1000) < 0.5, `${sum / 1000}`);
});

test('evidence is bounded, ordinary calls end it, and so does time', () => {
  const most = after(Array(1000).fill(1e-30));
  assert.ok(most <= 90);
  assert.ok(after([...Array(1000).fill(1e-30), ...Array(50).fill(0.4)]) < 1);
  assert.ok(most * faded(60 * 86_400_000) < 1);
});

test('one call convicts nobody of not being itself, and strangers are given the benefit of the doubt', () => {
  assert.ok(after([1e-30]) < 10);
  assert.ok(after(Array(5).fill(0.01), 2) < after(Array(5).fill(0.01), 200) / 3);
});

test('learning: all of the ordinary, little of the improbable, never nothing, and less the less probable', () => {
  assert.equal(learningWeight(1, false), 1);
  assert.equal(learningWeight(0.01, false), 1);
  assert.equal(learningWeight(1e-30, false), 20 / 1024);
  assert.equal(learningWeight(1, true), 1 / 1024);
  let before = 2;
  for (let decades = 0; decades < 10; decades += 0.1) {
    const weight = learningWeight(10 ** -decades, false);
    assert.ok(weight <= before && weight >= 20 / 1024);
    before = weight;
  }
});
