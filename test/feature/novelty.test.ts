import assert from 'node:assert/strict';
import { test } from 'node:test';
import { novelty } from '../../src/feature/novelty.ts';
import { Bench, call, minute, monday } from './moment.ts';

const nth = (i: number, route: string) => call({ ts: monday + i * minute, route });
const routine = (bench: Bench, who: number, events = 60): void => {
  for (let i = 0; i < events; i++) bench.learn(nth(i, i % 3 === 0 ? '/carts' : '/orders'), { who });
};

test('what is repeated becomes ordinary', () => {
  const seen = new Bench(novelty).live(Array.from({ length: 60 }, (_, i) => nth(i, '/orders')));
  assert.ok(seen[0]!.deviations.function! < 0.1, 'where nothing is known everything is new');
  assert.ok(seen.at(-1)!.deviations.function! < 0, 'by then more typical of the identity than of others');
  assert.ok(seen.at(-1)!.statistic < seen[0]!.statistic);
});

test('what is new after a long routine is a surprise, and the longer the routine the greater', () => {
  const surprises = [5, 30, 300].map((events) => {
    const bench = new Bench(novelty);
    routine(bench, 1, events);
    return bench.judge(nth(events, '/admin/keys')).deviations.function!;
  });
  assert.ok(surprises[0]! < surprises[1]! && surprises[1]! < surprises[2]!, `${surprises}`);
  assert.ok(surprises[2]! > 2);
});

test('one who always tries something new surprises less than one who never does', () => {
  const bench = new Bench(novelty);
  routine(bench, 1);
  for (let i = 0; i < 60; i++) bench.learn(nth(i, `/new/${i}`), { who: 2 });
  const strict = bench.judge(nth(60, '/admin/keys'), 1).deviations.function!;
  const explorer = bench.judge(nth(60, '/admin/keys'), 2).deviations.function!;
  assert.ok(strict > explorer + 1, `${strict} and ${explorer}`);
});

test('a function that every peer uses is less rare than one that none does', () => {
  const bench = new Bench(novelty);
  for (let who = 1; who <= 20; who++) {
    routine(bench, who);
    if (who > 1) bench.learn(nth(61, '/reports'), { who });
  }
  bench.endFrame();
  const common = bench.judge(nth(70, '/reports'), 1).deviations.function_rarity!;
  const unheard = bench.judge(nth(70, '/admin/keys'), 1).deviations.function_rarity!;
  assert.ok(unheard > common + 1, `${unheard} and ${common}`);
});

test('what is learned with little weight stays a surprise for longer', () => {
  const surpriseAfter = (weight: number): number => {
    const bench = new Bench(novelty);
    routine(bench, 1);
    for (let i = 0; i < 20; i++) bench.learn(nth(100 + i, '/admin/keys'), { weight });
    return bench.judge(nth(200, '/admin/keys')).deviations.function!;
  };
  assert.ok(surpriseAfter(0.02) > surpriseAfter(1) + 0.5);
});

test('words name the function, its past and the peers', () => {
  const bench = new Bench(novelty);
  routine(bench, 1);
  const odd = nth(60, '/admin/keys');
  const { text, observed, level } = novelty.describe(bench.moment(odd), 0, odd);
  assert.equal(observed, 'GET /admin/keys');
  assert.match(text, /GET \/admin\/keys: never used before by this identity in 60 events, and never used by its peers/);
  assert.equal(level, 'self');
});
