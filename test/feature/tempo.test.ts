import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Family } from '../../src/feature/family.ts';
import { describeTempo, learnTempo, tempoNats } from '../../src/feature/tempo.ts';
import { Bench, call, hour, monday } from './moment.ts';

const tempo: Family = {
  name: 'rate',
  features: ['tempo'],
  extract: (moment) => tempoNats(moment),
  learn: learnTempo,
  describe: (moment) => describeTempo(moment),
};

/** Gaps around a median, none like another: the logarithm spreads by about half. */
const around = (ms: number, i: number): number => ms * Math.exp(0.8 * Math.sin(1.7 * i));

/** Calls from a time on, each after the gap that is told; the time of the last. */
function walk(bench: Bench, from: number, plan: { calls: number; gap: (i: number) => number; who?: number }): number {
  let ts = from;
  for (let i = 0; i < plan.calls; i++) {
    ts += Math.round(plan.gap(i));
    const route = ['/orders', '/orders/{id}', '/profile'][i % 3]!;
    bench.learn(call({ ts, route }), { who: plan.who ?? 1 });
    if (i % 5 === 4) bench.endFrame(ts);
  }
  return ts;
}

/** Ten people of whom each takes eight seconds before a call. */
function people(): { bench: Bench; end: number } {
  const bench = new Bench(tempo);
  let end = monday;
  for (let who = 1; who <= 10; who++)
    end = walk(bench, end + hour, { calls: 60, gap: (i) => around(8000, i + who), who });
  return { bench, end: end + hour };
}

test('what a person calls at a usual pace is no surprise, and the same calls by a program are one of a dozen nats within forty', () => {
  const { bench, end } = people();
  const slow = walk(bench, end, { calls: 40, gap: (i) => around(8000, i) });
  const usual = bench.judge(call({ ts: slow + 8000 })).statistic;
  assert.ok(usual < 3, `${usual}`);
  const quick = walk(bench, slow + hour, { calls: 40, gap: (i) => around(1500, i) });
  const found = bench.judge(call({ ts: quick + 1500 })).statistic;
  assert.ok(found > 12, `${found}`);
});

test('calls that a page makes at once are its functions’ way, whoever opens it', () => {
  const bench = new Bench(tempo);
  const page = (ts: number, who: number): void => {
    bench.learn(call({ ts, route: '/page' }), { who });
    for (let i = 1; i <= 6; i++) bench.learn(call({ ts: ts + 20 * i, route: `/part${i}` }), { who });
    bench.endFrame(ts);
  };
  for (let i = 0; i < 60; i++) page(monday + i * 9000, 1 + (i % 10));
  let most = 0;
  for (let i = 0; i < 20; i++) {
    page(monday + hour + i * 9000, 77);
    most = Math.max(most, bench.judge(call({ ts: monday + hour + i * 9000 + 150, route: '/part1' }), 77).statistic);
  }
  assert.ok(most < 4, `${most}`);
});

test('who is always quick is itself: what a program does from the first day on is forgotten as odd', () => {
  const { bench, end } = people();
  const first = walk(bench, end, { calls: 300, gap: (i) => around(1500, i), who: 20 });
  const again = walk(bench, first + hour, { calls: 40, gap: (i) => around(1500, i), who: 20 });
  const found = bench.judge(call({ ts: again + 1500 }), 20).statistic;
  assert.ok(found < 4, `${found}`);
});

test('a pause ends what has gathered, and a clock that goes back is no haste', () => {
  const { bench, end } = people();
  const quick = walk(bench, end, { calls: 40, gap: (i) => around(1000, i) });
  assert.equal(bench.judge(call({ ts: quick + hour })).statistic, 0);
  assert.equal(bench.judge(call({ ts: quick - 5000 })).statistic, 0);
});

test('words say how quick it is, how many calls long, and what is usual', () => {
  const { bench, end } = people();
  const quick = walk(bench, end, { calls: 30, gap: () => 1000 });
  const event = call({ ts: quick + 1000 });
  const said = tempo.describe(bench.moment(event), 0, event);
  assert.match(said.text, /^\d+ calls in a row 1\.0 s apart; it usually takes \d(\.\d)? s before GET \/orders$/);
  assert.equal(said.level, 'self');
});

test('who is quick where nobody is known yet, or is not known himself, is not in haste: a guess that is off would add up', () => {
  const nobody = new Bench(tempo);
  let ts = monday;
  const first = Array.from({ length: 200 }, () => {
    ts += 300;
    return call({ ts, route: '/orders' });
  });
  assert.equal(nobody.live(first).at(-1)!.statistic, 0);
  const { bench, end } = people();
  const known = walk(bench, end, { calls: 12, gap: () => 800 });
  const newcomer = walk(bench, end, { calls: 12, gap: () => 800, who: 77 });
  const [own, strange] = [known, newcomer].map(
    (at, i) => bench.judge(call({ ts: at + 800, route: '/orders' }), i === 0 ? 1 : 77).statistic,
  );
  assert.ok(strange! < own! / 2, `${strange} and ${own}`);
});
