import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rate } from '../../src/feature/rate.ts';
import { Bench, call, day, hour, minute, monday } from './moment.ts';

/** Ten calls an hour, for as long as told. */
function steady(bench: Bench, hours: number, who = 1): void {
  for (let h = 0; h < hours; h++) {
    for (let i = 0; i < 10; i++) bench.learn(call({ ts: monday + h * hour + i * 6 * minute }), { who });
  }
}

test('the usual pace is no surprise', () => {
  const bench = new Bench(rate);
  steady(bench, 72);
  const { statistic, deviations } = bench.judge(call({ ts: monday + 72 * hour }));
  assert.ok(statistic < 1, `${statistic}`);
  assert.ok(deviations.requests_1h! < 1);
});

test('a burst rises above the minute and the hour, more with every call, and ends with its window', () => {
  const bench = new Bench(rate);
  steady(bench, 72);
  const burst = bench.live(Array.from({ length: 300 }, (_, i) => call({ ts: monday + 72 * hour + i * 100 })));
  assert.ok(burst.at(-1)!.deviations.requests_1m! > 3 && burst.at(-1)!.deviations.requests_1h! > 3);
  assert.ok(burst.at(-1)!.statistic > 10, `${burst.at(-1)!.statistic}`);
  for (let i = 1; i < burst.length; i++) assert.ok(burst[i]!.statistic >= burst[i - 1]!.statistic);
  const after = bench.judge(call({ ts: monday + 73 * hour + minute }));
  assert.ok(after.deviations.requests_1h! < 3);
});

test('a burst teaches no more than three standard deviations, so a second one is nearly as much of a surprise', () => {
  const bench = new Bench(rate);
  steady(bench, 72);
  const burst = (from: number) => Array.from({ length: 300 }, (_, i) => call({ ts: from + i * 100 }));
  const first = bench.live(burst(monday + 72 * hour)).at(-1)!.statistic;
  const second = bench.live(burst(monday + 75 * hour)).at(-1)!.statistic;
  assert.ok(second > first / 2, `${second} after ${first}`);
});

test('a sampled event stands for all the calls it was drawn from', () => {
  const [whole, sampled] = [new Bench(rate), new Bench(rate)];
  whole.live(Array.from({ length: 50 }, () => call()));
  sampled.live([call({ sample_rate: 0.02 })]);
  assert.ok(
    Math.abs(whole.judge(call()).deviations.requests_1d! - sampled.judge(call()).deviations.requests_1d!) < 1e-3,
  );
});

test('clocks that disagree do not hide a burst: an event of an earlier window neither ends the current one nor is counted in it', () => {
  const bench = new Bench(rate);
  steady(bench, 72);
  const from = monday + 72 * hour + 5 * minute;
  const both = Array.from({ length: 600 }, (_, i) => call({ ts: from + i * 50 - (i % 2) * 3 * minute }));
  const seen = bench.live(both);
  assert.ok(seen.at(-2)!.deviations.requests_1m! > 3, `${seen.at(-2)!.deviations.requests_1m}`);
});

test('words say how many calls there were and how many are usual', () => {
  const bench = new Bench(rate);
  steady(bench, 72);
  bench.live(Array.from({ length: 99 }, (_, i) => call({ ts: monday + 72 * hour + i })));
  const last = call({ ts: monday + 72 * hour + 99 });
  const { text, observed, low, high, level } = rate.describe(bench.moment(last), 1, last);
  assert.equal(observed, 100);
  assert.match(text, /^100 calls within an hour, usually (9|10|11)$/);
  assert.ok(low! < 10 && high! > 10 && high! < 100);
  assert.equal(level, 'self');
});

test('five minutes of twice the usual calls of the hour are a surprise for a regular identity, in its own words', () => {
  const bench = new Bench(rate);
  const from = monday + 7 * day;
  for (let window = 0; window < 7 * 288; window++)
    bench.learn(call({ ts: monday + window * 5 * minute, sample_rate: 1 / (20 + (window % 5)) }));
  const usual = bench.judge(call({ ts: from, sample_rate: 1 / 22 }));
  assert.equal(usual.deviations.requests_5m, 0);
  const more = call({ ts: from, sample_rate: 1 / 48 });
  const { deviations, statistic } = bench.judge(more);
  assert.ok(deviations.requests_5m! > 1, `${deviations.requests_5m}`);
  assert.ok(statistic > deviations.requests_5m! - 1e-3);
  const said = rate.describe(bench.moment(more), 3, more);
  assert.match(said.text, /^48 calls within five minutes, usually (21|22|23) at this time$/);
});

test('a tenth more than usual is no evidence, however regular the identity is', () => {
  const bench = new Bench(rate);
  for (let window = 0; window < 7 * 288; window++)
    bench.learn(call({ ts: monday + window * 5 * minute, sample_rate: 1 / 1000 }));
  const { deviations } = bench.judge(call({ ts: monday + 7 * day, sample_rate: 1 / 1100 }));
  assert.equal(deviations.requests_5m, 0);
});
