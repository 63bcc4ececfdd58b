import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errors } from '../../src/feature/errors.ts';
import { Bench, call, hour, monday } from './moment.ts';

const answer = (i: number, status: number | null) => call({ ts: monday + i * 1000, status });

test('a run of refusals says more with every one of them', () => {
  const seen = new Bench(errors).live(Array.from({ length: 20 }, (_, i) => answer(i, 401)));
  for (let i = 1; i < seen.length; i++) assert.ok(seen[i]!.statistic > seen[i - 1]!.statistic);
  assert.ok(seen.at(-1)!.statistic > 30);
});

test('a success is no evidence, and among many successes one failure is none', () => {
  const bench = new Bench(errors);
  const seen = bench.live(Array.from({ length: 60 }, (_, i) => answer(i, 200)));
  assert.ok(seen.every(({ statistic }) => statistic === 0));
  assert.ok(bench.judge(answer(60, 500)).statistic < 0.5);
  assert.equal(bench.judge(answer(60, null)).statistic, 0);
});

test('refused, missing and failed are told apart', () => {
  const kinds = [403, 404, 503].map((status) => {
    const bench = new Bench(errors);
    const last = bench.live(Array.from({ length: 10 }, (_, i) => answer(i, status))).at(-1)!;
    return Object.entries(last.deviations).flatMap(([name, nats]) => (nats > 0 ? [name] : []));
  });
  assert.deepEqual(kinds, [['denied'], ['missing'], ['failed']]);
});

test('failures are forgotten within the hour', () => {
  const bench = new Bench(errors);
  bench.live(Array.from({ length: 20 }, (_, i) => answer(i, 404)));
  assert.ok(bench.judge(call({ ts: monday + hour, status: 404 })).statistic < 4);
});

test('words count the calls', () => {
  const bench = new Bench(errors);
  bench.live(Array.from({ length: 9 }, (_, i) => answer(i, 404)));
  const { observed, text } = errors.describe(bench.moment(answer(9, 404)), 1, answer(9, 404));
  assert.equal(observed, 10);
  assert.match(text, /^10 of .*10 .*other 4xx answers/);
});

test("an outage is nobody's deed: what fails for others as well is no evidence, what fails for one alone is", () => {
  const of = (status: number, i: number) => call({ ts: monday + i * 1000, status });
  const [outage, alone] = [new Bench(errors), new Bench(errors)];
  for (let who = 2; who < 22; who++) {
    outage.live([of(200, 0), of(503, 1)], who);
    alone.live([of(200, 0), of(200, 1)], who);
  }
  const nats = [outage, alone].map((bench) => {
    bench.endFrame();
    return bench.live(Array.from({ length: 6 }, (_, i) => of(503, 2 + i))).at(-1)!.statistic;
  });
  assert.ok(nats[0]! < 3, String(nats[0]));
  assert.ok(nats[1]! > 10, String(nats[1]));
});
