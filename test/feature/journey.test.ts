import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrafficEvent } from '../../src/event/traffic-event.ts';
import { describeJourney, journeyOf } from '../../src/feature/journey.ts';
import { token } from '../../src/feature/token.ts';
import { Bench, call, day, hour, minute, monday } from './moment.ts';
import { whole } from './whole.ts';

const berlin = { latitude: 52.5, longitude: 13.4, country: 'DE', asn: 3320 };
const sydney = { latitude: -33.9, longitude: 151.2, country: 'AU', asn: 1221 };
const use = (ts: number, where: Partial<TrafficEvent>) => call({ ts, subject: 'u', ...where });
const now = monday + day;

/** People of Berlin, each with a network that few share, and one who is known. */
function populated(): Bench {
  const bench = new Bench(whole(token));
  for (let who = 1; who <= 200; who++)
    for (let i = 0; i < 24; i++) bench.learn(use(monday + i * hour, { ...berlin, asn: 3320 + (who % 40) }), { who });
  bench.endFrame(now);
  return bench;
}
const bench = populated();
const kmh = (where: Partial<TrafficEvent>, ts: number) => journeyOf(bench.moment(use(ts, where), 40)).nats;

test('two continents within the hour are impossible, within a day they are not', () => {
  assert.ok(kmh(sydney, now + minute) > 2);
  assert.ok(bench.judge(use(now + minute, sydney), 40).deviations.travel! > 3);
  assert.equal(kmh(sydney, now + day), 0);
  assert.equal(bench.judge(use(now + day, sydney), 40).deviations.travel, 0);
});

test('a machine has no body', () => {
  assert.equal(kmh({ ...sydney, actor_kind: 'service' }, now + minute), 0);
});

test('the network that half of all share is an exit, not a place; one that the identity knows is no arrival', () => {
  const world = populated();
  for (let who = 300; who < 900; who++) world.learn(use(now, { ...sydney, asn: 64_500 }), { who });
  world.endFrame(now);
  assert.ok(journeyOf(world.moment(use(now + minute, { ...sydney, asn: 64_500 }), 40)).nats < 1);
  const known = populated();
  for (let i = 0; i < 4; i++) known.learn(use(now + i * minute, sydney), { who: 40 });
  assert.equal(known.judge(use(now + 10 * minute, sydney), 40).deviations.travel, 0);
  assert.equal(known.judge(use(now + 11 * minute, { ...berlin, asn: 3320 }), 40).deviations.travel, 0);
});

test('a thief’s calls, learned with suspicion, leave the victim where he was', () => {
  const world = populated();
  for (let i = 0; i < 5; i++) world.learn(use(now + i * minute, sydney), { who: 40, weight: 20 / 1024 });
  assert.equal(world.judge(use(now + 6 * minute, { ...berlin, asn: 3320 }), 40).statistic, 0);
  assert.ok(world.judge(use(now + 7 * minute, sydney), 40).deviations.travel! > 0);
});

test('where coordinates are missing countries do', () => {
  const where = { ...sydney, latitude: null, longitude: null };
  assert.ok(kmh(where, now + minute) > 2);
  assert.match(describeJourney(bench.moment(use(now + minute, where), 40)).text, /km away/);
});
