import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PairSet, pairOf } from '../../src/baseline/pair-set.ts';

const day = 86_400_000;

test('a pair is seen from the next frame on, and survives restoring', () => {
  const pairs = new PairSet();
  pairs.advance(day);
  pairs.add(pairOf(1, 2));
  assert.equal(pairs.has(pairOf(1, 2)), false);
  pairs.advance(day + 10_000);
  pairs.add(pairOf(3, 4));
  const copy = new PairSet();
  copy.restore(pairs.snapshot());
  assert.equal(copy.has(pairOf(1, 2)), true);
  assert.equal(copy.has(pairOf(2, 1)), false);
  copy.advance(day + 20_000);
  assert.equal(copy.has(pairOf(3, 4)), true);
});

test('pairs not seen for two generations are forgotten', () => {
  const pairs = new PairSet();
  pairs.advance(day);
  pairs.add(pairOf(1, 2));
  for (const at of [2, 40, 80]) {
    pairs.advance(at * day);
    pairs.add(pairOf(5, at));
  }
  pairs.advance(81 * day);
  assert.equal(pairs.has(pairOf(1, 2)), false);
  assert.equal(pairs.has(pairOf(5, 80)), true);
});

test('memory is bounded however many pairs come', () => {
  const pairs = new PairSet();
  for (let frame = 1; frame < 9; frame++) {
    for (let i = 0; i < 200_000; i++) pairs.add(pairOf(i, frame));
    pairs.advance(frame * 10_000);
  }
  assert.ok(pairs.bytes < 6_000_000, `${pairs.bytes}`);
  assert.equal(pairs.has(pairOf(1, 8)), true);
});
