import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowWords } from '../../src/baseline/row-layout.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { Moment } from '../../src/feature/family.ts';
import { isAccepted, isDoubted, raiseDoubt } from '../../src/score/doubt.ts';

/** An identity with so many calls behind it, calling every so often. */
function identity(history = 1000, gapMs = 60_000) {
  const words = new ArrayBuffer(rowWords * 4);
  const slab = { f32: new Float32Array(words), u32: new Uint32Array(words) };
  const observation = { ts: Date.UTC(2026, 0, 5) };
  const moment = { slab, row: 0, history, gapMs, observation } as unknown as Moment;
  const call = (p: number): boolean => {
    observation.ts += gapMs;
    raiseDoubt(moment, p);
    return isDoubted(moment) && !isAccepted(moment);
  };
  return { call, calls: (count: number, p: number): boolean => Array.from({ length: count }, () => call(p)).at(-1)! };
}

test('an identity that is itself is doubted at fewer than one call in two thousand, and for no more than twelve on end', () => {
  const { next } = seededRandom(3);
  const { call } = identity();
  let [doubted, run, longest] = [0, 0, 0];
  for (let i = 0; i < 100_000; i++) {
    run = call(1 - next()) ? run + 1 : 0;
    if (run > 0) doubted++;
    longest = Math.max(longest, run);
  }
  assert.ok(doubted < 50 && longest <= 12, `${doubted} calls, ${longest} on end`);
});

test('one call, however odd, is no reason for doubt; a run of them is, and sooner in an identity that is well known', () => {
  const { call, calls } = identity();
  assert.equal(call(1e-30), false);
  assert.equal(calls(2, 0.001), true);
  assert.equal(identity(25).calls(3, 0.001), false);
});

test('doubt outlasts calls that are only a little odd, and ends when the identity is itself again', () => {
  const { calls } = identity();
  assert.equal(calls(10, 0.001), true);
  assert.equal(calls(500, 0.13), true, 'as odd as one call in eight');
  assert.equal(calls(12, 0.4), false);
});

test('a change that lasts is accepted after six hundred calls and a week: neither five hundred calls nor a flood of them are enough', () => {
  const quarterOfDay = 6 * 3_600_000;
  const lasting = identity(1000, quarterOfDay);
  assert.equal(lasting.calls(510, 0.001), true);
  assert.equal(lasting.calls(100, 0.001), false);
  lasting.calls(200, 0.9);
  assert.equal(lasting.calls(10, 0.001), true, 'and then it can be doubted anew');
  assert.equal(identity(1000, 5000).calls(100_000, 0.001), true, 'as many as may be, in less than six days');
});

test('a batch of calls within a second is one act; hundreds are not', () => {
  assert.equal(identity(1000, 0).calls(50, 0.001), false);
  assert.equal(identity(1000, 0).calls(200, 0.001), true);
});
