import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import { accumulate, bet, learningWeight } from '../../src/score/evidence.ts';

test('the worked examples, and a bet that is fair: it never pays on average when nothing is wrong', () => {
  assert.ok(Math.abs(bet(0.001) - 2.76) < 0.005);
  assert.ok(Math.abs(bet(0.5) + 0.35) < 0.005);
  const random = seededRandom(1);
  let sum = 0;
  for (let i = 0; i < 200_000; i++) sum += Math.exp(bet(1 - random.next()));
  assert.ok(sum / 200_000 < 1.1);
});

test('low and slow: thirty mildly odd calls are evidence, thirty ordinary ones are not', () => {
  let odd = 0;
  for (let i = 0; i < 30; i++) odd = accumulate(odd, 0.02);
  assert.ok(odd > 10, `${odd}`);
  let usual = 0;
  const random = seededRandom(2);
  for (let i = 0; i < 30; i++) usual = accumulate(usual, 1 - random.next());
  assert.ok(usual < 6, `${usual}`);
});

test('evidence is bounded, and ordinary calls end it', () => {
  let evidence = 0;
  for (let i = 0; i < 1000; i++) evidence = accumulate(evidence, 1e-30);
  assert.ok(evidence <= 60);
  let calls = 0;
  for (; evidence > 0.5; calls++) evidence = accumulate(evidence, 0.5);
  assert.ok(calls < 80, `${calls} ordinary calls`);
});

test('learning: all of the ordinary, little of the improbable, never nothing, and less the less probable', () => {
  assert.equal(learningWeight(1, false), 1);
  assert.equal(learningWeight(0.01, false), 1);
  assert.equal(learningWeight(1e-30, false), 20 / 1024);
  assert.equal(learningWeight(1, true), 20 / 1024);
  let before = 2;
  for (let decades = 0; decades < 10; decades += 0.1) {
    const weight = learningWeight(10 ** -decades, false);
    assert.ok(weight <= before && weight >= 20 / 1024);
    before = weight;
  }
});
