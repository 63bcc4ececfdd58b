import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import { createCourier, type Settled } from '../../src/core/courier.ts';
import type { Post, PostResult } from '../../src/core/post.ts';

const ok: PostResult = { kind: 'delivered', status: 200, detail: 'HTTP 200', retryAfterMs: null };
const busy: PostResult = { kind: 'failed', status: 503, detail: 'HTTP 503', retryAfterMs: null };

/** A courier whose clock starts at 1 s and jumps one second with each post; its waits are a few real milliseconds. */
function aCourier(answers: readonly PostResult[], options: { readonly holdMs?: number } = {}) {
  let jumped = 1000 - systemClock.now();
  let calls = 0;
  const stop = new AbortController();
  const post: Post = () => {
    jumped += 1000;
    return Promise.resolve(answers[Math.min(calls++, answers.length - 1)] ?? ok);
  };
  const backoffMs = { first: 1, max: 4 };
  const courier = createCourier({
    target: 'receiver',
    post,
    clock: { now: () => systemClock.now() + jumped },
    random: { next: () => 0.5 },
    signal: stop.signal,
    backoffMs,
    ...options,
  });
  const ends: Settled[] = [];
  const carry = (id: string, deadline = 1e9) =>
    courier.carry({ id, deadline, request: () => ({ url: '', headers: {}, body: '' }) }, (settled) => {
      ends.push(settled);
      return Promise.resolve();
    });
  return { carry, ends, stop, calls: () => calls, courier };
}

test('a parcel is tried until it is taken, and once it is taken never again', async () => {
  const { carry, ends, calls } = aCourier([busy, busy, ok]);
  await carry('a');
  await carry('a');
  assert.equal(calls(), 3);
  assert.deepEqual(
    ends.map(({ state, attempts, status }) => ({ state, attempts, status })),
    [{ state: 'delivered', attempts: 3, status: 200 }],
  );
});

test('a target that stays away gives the batch back, and the count of attempts goes on when it is offered again', async () => {
  const { carry, ends, calls } = aCourier([busy, busy, busy, ok], { holdMs: 2500 });
  await assert.rejects(carry('a'), { code: 'DELIVERY_FAILED', retriable: true });
  assert.ok(calls() < 4);
  await carry('a');
  assert.equal(ends[0]?.attempts, 4);
});

test('a deadline ends the trying: never tried is stale, tried in vain is failed', async () => {
  const stale = aCourier([ok]);
  await stale.carry('a', 500);
  assert.deepEqual([stale.ends[0]?.state, stale.calls()], ['skipped-stale', 0]);
  const late = aCourier([busy]);
  await late.carry('a', 3000);
  assert.equal(late.ends[0]?.state, 'failed');
});

test('a receiver that is gone is not asked again', async () => {
  const { carry, ends, calls } = aCourier([{ ...busy, kind: 'gone', status: 410 }]);
  await carry('a');
  await carry('b');
  assert.equal(calls(), 1);
  assert.deepEqual(
    ends.map(({ state }) => state),
    ['rejected', 'rejected'],
  );
});

test('Retry-After is waited for, and longer than the batch may be held gives it back', async () => {
  const { carry, calls } = aCourier([{ ...busy, retryAfterMs: 60_000 }, ok], { holdMs: 100 });
  await assert.rejects(carry('a'), { code: 'DELIVERY_FAILED' });
  await assert.rejects(carry('a'), { code: 'DELIVERY_FAILED' });
  assert.equal(calls(), 1, 'the wait outlives the batch');
});

test('a stop ends the waiting and settles nothing', async () => {
  const { carry, ends, stop } = aCourier([busy]);
  stop.abort();
  await assert.rejects(carry('a'), { code: 'DELIVERY_FAILED' });
  assert.deepEqual(ends, []);
});

test('a parcel whose end could not be recorded is carried again', async () => {
  const { courier, calls } = aCourier([ok]);
  const parcel = { id: 'a', deadline: 1e9, request: () => ({ url: '', headers: {}, body: '' }) };
  await assert.rejects(courier.carry(parcel, () => Promise.reject(new Error('log away'))));
  await courier.carry(parcel, () => Promise.resolve());
  assert.equal(calls(), 2);
});
