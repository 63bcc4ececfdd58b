import assert from 'node:assert/strict';
import { test } from 'node:test';
import { volume } from '../../src/feature/volume.ts';
import { Bench, call, minute, monday } from './moment.ts';

const sized = (i: number, response_bytes: number | null) => call({ ts: monday + i * minute, response_bytes });
function settled(): Bench {
  const bench = new Bench(volume);
  bench.live(Array.from({ length: 200 }, (_, i) => sized(i, 900 + (i % 7) * 50)));
  return bench;
}

test('far more than usual is evidence; the usual, less, or nothing said is none', () => {
  const bench = settled();
  assert.ok(bench.judge(sized(200, 50_000_000)).statistic > 8);
  for (const bytes of [1000, 1, 0, null]) assert.ok(bench.judge(sized(200, bytes)).statistic < 1);
});

test('one enormous answer does not make the next one usual', () => {
  const bench = settled();
  const before = bench.judge(sized(200, 50_000_000)).statistic;
  bench.live([sized(200, 1e15)]);
  assert.ok(bench.judge(sized(201, 50_000_000)).statistic > 0.7 * before);
});

test('requests and answers are measured apart', () => {
  const bench = settled();
  assert.ok(bench.judge(call({ request_bytes: 1000 })).deviations.response_bytes === 0);
});

test('an answer is large by what others get from the same function', () => {
  const bench = new Bench(volume);
  const of = (route: string, response_bytes: number, i: number) =>
    call({ ts: monday + i * minute, route, response_bytes });
  for (let i = 0; i < 120; i++) {
    bench.live([of('/orders', 2000, i), of('/reports/export', 3_000_000, i)], 2 + (i % 6));
    bench.endFrame(monday + i * minute);
  }
  assert.ok(bench.judge(of('/reports/export', 3_000_000, 130)).statistic < 1);
  assert.ok(bench.judge(of('/orders', 100_000, 130)).statistic > 4);
  const { text } = volume.describe(bench.moment(of('/orders', 100_000, 130)), 0, of('/orders', 100_000, 130));
  assert.match(text, /^response of 100000 bytes, usually 2\d\d\d$/);
});
