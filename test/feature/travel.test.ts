import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dimensionIndex } from '../../src/baseline/row-layout.ts';
import type { TrafficEvent } from '../../src/event/traffic-event.ts';
import { context } from '../../src/feature/context.ts';
import { countryPlaces } from '../../src/feature/country-places.ts';
import { describeTravel, networkShare, type Place, placeOf, travel } from '../../src/feature/travel.ts';
import { Bench, call, hour, minute, monday } from './moment.ts';

const rare = { before: 1e-4, now: 1e-4 };
const berlin = { latitude: 52.52, longitude: 13.4 };
const newYork = { latitude: 40.71, longitude: -74.01 };

function place(fields: Partial<TrafficEvent>, afterMs = 0): Place {
  const at = placeOf(call({ ...fields, ts: monday + afterMs }).event);
  assert.ok(at !== null);
  return at;
}

test('two places that no airliner joins in the time are evidence, and those that one does are none', () => {
  const start = place(berlin);
  assert.ok(travel(start, place(newYork, 5 * minute), rare).nats > 4);
  assert.ok(travel(start, place(newYork, 5 * hour), rare).nats > 0);
  assert.equal(travel(start, place(newYork, 7.1 * hour), rare).nats, 0);
  assert.ok(Math.abs(travel(start, place(newYork, hour), rare).km - (6385 - 100)) < 20);
});

test('the faster, the stronger, up to what one value may say', () => {
  const after = [6, 4, 2, 1, 0.5, 0.1].map((hours) => travel(place(berlin), place(newYork, hours * hour), rare).nats);
  assert.deepEqual(
    after,
    [...after].sort((a, b) => a - b),
  );
  assert.ok(travel(place(berlin), place(newYork), { before: 1e-9, now: 1e-9 }).nats <= 8);
  assert.ok(Number.isFinite(travel(place(berlin), place(newYork), rare).nats));
});

test('places less than 500 km apart are near, however quick it went', () => {
  assert.equal(travel(place(berlin), place({ latitude: 48.14, longitude: 11.58 }, 1), rare).nats, 0);
  assert.equal(travel(place(berlin), place(berlin, 1), rare).nats, 0);
});

test('of countries the nearest borders count: neighbours are no travel, oceans are', () => {
  const pairs = (list: string): number[] =>
    list.split(' ').map((pair) => {
      const [from, to] = pair.split('-') as [string, string];
      return travel(place({ country: from }), place({ country: to }, minute), rare).nats;
    });
  assert.deepEqual(pairs('US-CA CA-US FR-DE NL-BE RU-CN RU-NO ES-PT IN-PK SG-MY CL-AR US-MX'), new Array(11).fill(0));
  assert.ok(Math.min(...pairs('NL-US DE-CN GB-AU FR-RE US-JP BR-NG NZ-ZA')) > 3);
});

test('a network that many use, before or now, takes the evidence away', () => {
  const nats = (before: number, now: number): number =>
    travel(place(berlin), place(newYork, minute), { before, now }).nats;
  assert.ok(nats(0.001, 0.001) > 4);
  assert.ok(nats(0.001, 0.4) < 1 && nats(0.4, 0.001) < 1);
  assert.equal(nats(1, 0.001), 0);
  assert.ok(nats(0.01, 0.01) <= -Math.log(0.01));
});

test('the share of a network is counted among peers or everyone, whichever is more, and nothing known is half', () => {
  const bench = new Bench(context);
  const share = (asn: number, who = 1): number => {
    const moment = bench.moment(call({ asn }), who);
    return networkShare(moment, moment.observation.values[dimensionIndex('network')]!);
  };
  assert.equal(share(1), 0.5);
  for (let who = 1; who <= 100; who++) bench.learn(call({ asn: who <= 40 ? 1 : 1000 + who }), { who });
  bench.endFrame();
  assert.ok(Math.abs(share(1) - 0.4) < 0.05, `${share(1)}`);
  assert.ok(share(1050) < 0.03 && share(7) < 0.02);
});

test('the gateway’s coordinates win over the country, and an unknown place is no place', () => {
  assert.deepEqual(placeOf(call({ ...berlin, country: 'US' }).event), {
    lat: 52.52,
    lon: 13.4,
    radiusKm: 50,
    ts: monday,
  });
  assert.equal(placeOf(call({ country: 'NL' }).event)?.lat, countryPlaces.get('NL')?.lat);
  const nowhere: Partial<TrafficEvent>[] = [{}, { country: 'ZZ' }, { country: 'nl ' }, { country: '__proto__' }];
  nowhere.push({ latitude: 0, longitude: 0 }, { latitude: 52 });
  for (const fields of nowhere) assert.equal(placeOf(call(fields).event), null, JSON.stringify(fields));
});

test('any two places give the same finite evidence in both directions and in any order of time', () => {
  const anywhere = fc.record({
    lat: fc.double({ min: -90, max: 90, noNaN: true }),
    lon: fc.double({ min: -180, max: 180, noNaN: true }),
    radiusKm: fc.integer({ min: 0, max: 9000 }),
    ts: fc.integer({ min: 0, max: 1e13 }),
  });
  fc.assert(
    fc.property(anywhere, anywhere, (a, b) => {
      const there = travel(a, b, rare);
      assert.ok(there.nats >= 0 && there.nats <= 8 && there.km <= 20_016, JSON.stringify(there));
      assert.ok(Math.abs(there.nats - travel(b, a, rare).nats) < 1e-6);
    }),
  );
});

test('every country stands on the earth, and those that traffic comes from are there', () => {
  for (const [code, { lat, lon, radiusKm }] of countryPlaces) {
    assert.match(code, /^[A-Z]{2}$/);
    assert.ok(Math.abs(lat) <= 90 && Math.abs(lon) <= 180 && radiusKm > 0 && radiusKm < 10_000, code);
  }
  assert.ok(countryPlaces.size > 240);
  for (const code of 'US CN IN BR DE FR GB JP RU NG ZA AU CA MX ID SG HK TW UA IR IL XK'.split(' '))
    assert.ok(countryPlaces.has(code), code);
});

test('the words say how far, how soon and how fast, no more exactly than it is known', () => {
  const words = describeTravel(travel(place(berlin), place(newYork, 20 * minute), rare));
  assert.deepEqual(words, {
    observed: '6,300 km in 20 min',
    expected: 'at most 900 km/h',
    text: 'was at least 6,300 km away 20 min before: 19,000 km/h, and an airliner makes 900',
  });
});
