import assert from 'node:assert/strict';
import { test } from 'node:test';
import { novelty } from '../../src/feature/novelty.ts';
import { countingNats, objects } from '../../src/feature/objects.ts';
import { learnShares } from '../../src/feature/tally-share.ts';
import { Bench, call, minute, monday } from './moment.ts';

const read = (id: number, ts: number) => ({ ...call({ ts, route: '/orders/{id}' }), object_ids: [String(id)] });
const create = (ts: number) => call({ ts, route: '/orders', method: 'POST' });

/** Calls of forty others, one in forty of which is a step to the next number. */
function known(): Bench {
  const bench = new Bench({
    ...objects,
    learn: (moment, weight) => {
      objects.learn(moment, weight);
      learnShares(moment, weight);
      novelty.learn(moment, weight);
    },
  });
  for (let i = 0; i < 400; i++) {
    const id = i % 40 === 39 ? 50 * (i - 1) + 1 : 50 * i;
    bench.learn(read(id, monday + i * 1000), { who: 50 + Math.floor(i / 10) });
  }
  bench.endFrame(monday + 10 * minute);
  return bench;
}

/** What the calls of one who is new come to, the most of them. */
function counted(calls: readonly ReturnType<typeof call>[]): number {
  const bench = known();
  return Math.max(
    ...calls.map((each) => {
      const nats = countingNats(bench.moment(each));
      bench.learn(each);
      return nats;
    }),
  );
}

const from = monday + 20 * minute;

test('who counts through objects is told after a few of them, also between other calls', () => {
  assert.ok(counted(Array.from({ length: 6 }, (_, i) => read(100 + i, from + i * 1000))) > 8);
  const covered = Array.from({ length: 12 }, (_, i) =>
    i % 2 === 0 ? read(100 + i / 2, from + i * 1000) : call({ ts: from + i * 1000 }),
  );
  assert.ok(counted(covered) > 6);
});

test('objects in no order, or one pair of neighbours, are nothing to speak of', () => {
  assert.equal(counted(Array.from({ length: 30 }, (_, i) => read(100 + 37 * i, from + i * 1000))), 0);
  assert.ok(counted([read(100, from), read(101, from + 1000), read(300, from + 2000)]) < 4);
});

test('what somebody creates and looks at is numbered one after the other, and is no counting', () => {
  const calls = Array.from({ length: 20 }, (_, i) =>
    i % 2 === 0 ? create(from + i * 1000) : read(100 + (i - 1) / 2, from + i * 1000),
  );
  assert.equal(counted(calls), 0);
});
