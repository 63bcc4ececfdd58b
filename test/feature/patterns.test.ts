import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrafficEvent } from '../../src/event/traffic-event.ts';
import { patterns } from '../../src/feature/patterns.ts';
import { Bench, call, day, hour, minute, monday } from './moment.ts';
import { whole } from './whole.ts';

const home: Partial<TrafficEvent> = {
  asn: 3320,
  country: 'DE',
  user_agent: 'Mozilla/5.0 Firefox/140.0',
  ja4: 'a',
  tz: '+0100',
};
const thief: Partial<TrafficEvent> = { asn: 9009, country: 'NL', user_agent: 'curl/8.5', ja4: 'b', tz: '+0100' };
const use = (ts: number, where: Partial<TrafficEvent> = home) => call({ ts, subject: 'u', ...where });
const days = 20;
const now = monday + days * day;

/** Users of twenty days, of whom one in eight is on a new mobile network each day, and one in forty buys another device on the tenth day. */
function populated(): Bench {
  const bench = new Bench(whole(patterns));
  for (let d = 0; d < days; d++) {
    for (let who = 1; who <= 240; who++)
      for (let i = 0; i < 4; i++) bench.learn(use(monday + d * day + i * hour, whereOf(who, d, i)), { who });
    bench.endFrame(monday + (d + 1) * day);
  }
  return bench;
}
function whereOf(who: number, d: number, i: number): Partial<TrafficEvent> {
  if (who % 8 === 0 && i === 2) return { ...home, asn: 10_000 + d };
  if (who % 40 === 1 && d >= 10) return { ...home, user_agent: 'Mozilla/5.0 (Macintosh) Safari/605.1', ja4: 'c' };
  return home;
}
const world = populated();

test('what is ordinary is nothing, and nobody is odd for being new', () => {
  assert.equal(world.judge(use(now), 2).statistic, 0);
  const fresh = world.live(
    Array.from({ length: 20 }, (_, i) => use(now + i * minute, { ...home, asn: 20_000 + i })),
    5000,
  );
  assert.ok(fresh.slice(0, 16).every(({ statistic }) => statistic === 0));
});

test('the more is new at once, and the fewer people’s days look so, the odder', () => {
  const nats = (where: Partial<TrafficEvent>) => world.judge(use(now, where), 2).statistic;
  const [network, device, country, all] = [
    nats({ ...home, asn: 77 }),
    nats({ ...home, user_agent: 'Mozilla/5.0 (Macintosh) Safari/605.1', ja4: 'c' }),
    nats({ ...home, asn: 9009, country: 'NL' }),
    nats(thief),
  ];
  assert.ok(network < 4, 'one in eight has a new network every day');
  assert.ok(
    network < Math.min(device, country) && Math.max(device, country) < all,
    String([network, device, country, all]),
  );
  assert.ok(all > 12);
});

test('who is always on another network is explained by that', () => {
  const traveller = world.judge(use(now, { ...home, asn: 88 }), 8).statistic;
  assert.ok(traveller < 1, String(traveller));
  assert.ok(world.judge(use(now, { ...home, asn: 88 }), 2).statistic > traveller + 1);
});

test('what became new in the morning adds to what becomes new in the afternoon, and nothing is said of the calls between', () => {
  const who = 3;
  const alone = world.judge(use(now + 3 * hour, { ...home, user_agent: 'curl/8.5' }), who).statistic;
  const [morning, noon, later] = world.live(
    [
      use(now, { ...home, asn: 9009, country: 'NL' }),
      use(now + hour),
      use(now + 3 * hour, { ...home, user_agent: 'curl/8.5' }),
    ],
    who,
  );
  assert.ok(morning!.statistic > 0);
  assert.equal(noon!.statistic, 0);
  assert.ok(later!.statistic > alone);
  assert.ok(
    world.judge(use(now + day, { ...home, user_agent: 'wget/1.2' }), who).statistic < later!.statistic,
    'a day later it is another day',
  );
});

test('coming back after a long time is nothing by itself, and much together with something new', () => {
  const back = now + 60 * day;
  assert.equal(world.judge(use(back), 2).statistic, 0);
  const { new_today, dormant } = world.judge(use(back, thief), 2).deviations;
  assert.equal(new_today, 0);
  assert.ok(dormant! > world.judge(use(now, thief), 2).statistic);
});

test('who is away often is not dormant', () => {
  const who = 6000;
  const visits = Array.from({ length: 30 }, (_, i) => use(monday + i * 30 * day));
  world.live(visits, who);
  assert.equal(world.judge(use(monday + 29 * 30 * day + 35 * day, thief), who).deviations.dormant, 0);
});

test('a release that reaches everybody in a day is soon no news, even if it is learned with suspicion', () => {
  const bench = populated();
  const released = (who: number) => use(now + who * 1000, { ...home, user_agent: 'ShopApp/1.0' });
  const first = bench.judge(released(2), 2).statistic;
  for (let who = 20; who < 140; who++) bench.learn(released(who), { who, weight: 20 / 1024 });
  bench.endFrame(now + hour);
  const last = bench.judge(released(2), 2).statistic;
  assert.ok(last < 3.5 && last < first - 1, `${first} then ${last}`);
});

test('words say what is new and how rare so much at once is', () => {
  const { text, observed } = patterns.describe(world.moment(use(now, thief), 2), 0, use(now, thief));
  assert.match(
    text,
    /new today: network AS9009, country NL, client curl\/#, TLS fingerprint, network that hardly anybody uses .*; so much at once on less than 0.01 % of \d+ days/,
  );
  assert.match(String(observed), /AS9009/);
  assert.match(
    patterns.describe(world.moment(use(now + 60 * day, thief), 2), 1, use(now, thief)).text,
    /long absence of \d+ days/,
  );
});
