import assert from 'node:assert/strict';
import { test } from 'node:test';
import { egress } from '../../src/feature/egress.ts';
import { volume } from '../../src/feature/volume.ts';
import { Bench, call, hour, minute, monday } from './moment.ts';

const received = (bytes: number, ts: number) => call({ ts, response_bytes: bytes });

/** Two hundred calls of others, of which each learns what an answer comes to. */
function answersOf(bench: Bench, bytes: number): void {
  for (let i = 0; i < 200; i++) {
    const moment = bench.moment(received(bytes * (1 + (i % 5)), monday + i * 1000), 50 + (i % 10));
    volume.learn(moment, 1);
  }
  bench.endFrame(monday + 10 * minute);
}

test('a dozen KiB are not data leaving, even for who never took anything', () => {
  const bench = new Bench(egress);
  const seen = bench.live([received(5000, monday), received(4000, monday + 1000), received(4000, monday + 2000)]);
  assert.deepEqual(
    seen.map(({ statistic }) => statistic),
    [0, 0, 0],
  );
});

test('what is much is measured by what answers come to, so the same amount says something where answers are small', () => {
  const [small, large] = [new Bench(egress), new Bench(egress)];
  answersOf(small, 300);
  answersOf(large, 400_000);
  const now = monday + 20 * minute;
  assert.ok(small.judge(received(300_000, now)).deviations.bytes! > 0);
  assert.equal(large.judge(received(300_000, now)).deviations.bytes, 0);
});

test('rows and sensitive values count from the first', () => {
  const bench = new Bench(egress);
  const { deviations } = bench.judge(call({ rows: 500, sensitive: { email: 500 }, response_bytes: 2000 }));
  assert.equal(deviations.bytes, 0);
  assert.ok(deviations.rows! > 0 && deviations.sensitive! > 0);
});

test('answers that are each three times as large as usual come to more than as many usual ones, and a pause ends them', () => {
  const out = new Float32Array(egress.features.length);
  const bench = new Bench({
    ...egress,
    learn: (moment, weight) => {
      egress.extract(moment, out, 0);
      volume.learn(moment, weight);
      egress.learn(moment, weight);
    },
  });
  const sizes = (i: number): number => 20_000 * Math.exp(0.3 * Math.sin(1.7 * i));
  for (let i = 0; i < 400; i++) {
    bench.learn(received(Math.round(sizes(i)), monday + i * 8000), { who: 1 + (i % 10) });
    bench.endFrame(monday + i * 8000);
  }
  const from = monday + 2 * hour;
  const take = (times: number, who: number): number => {
    for (let i = 0; i < 30; i++) bench.learn(received(Math.round(times * sizes(i)), from + i * 8000), { who });
    return bench.judge(received(20_000, from + 250_000), who).deviations.bytes!;
  };
  const [usual, large] = [take(1, 2), take(3, 3)];
  assert.ok(large > usual + 8, `${large} against ${usual}`);
  assert.ok(bench.judge(received(20_000, from + 3 * hour), 3).deviations.bytes! < large - 8);
});
