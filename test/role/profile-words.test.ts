import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wordsOf } from '../../src/role/profile-words.ts';
import type { Profile } from '../../src/store/queries-profile.ts';

const at = (day: number): string => new Date(Date.UTC(2026, 0, 5 + day)).toISOString();
const identity = {
  identity: 'user:acme:ann',
  identity_kind: 'user',
  tenant: 'acme',
  first_seen: at(0),
  last_seen: at(20),
  events: 1200,
  errors: 6,
  surprise_max: 1,
  risk_max: 1,
  risk: 1,
  risk_at: at(20),
};
const use = (value: string, calls: number) => ({ value, calls, first_seen: at(0), last_seen: at(20) });
const weekdays = Array.from({ length: 7 }, (_, day) =>
  Array.from({ length: 24 }, (_, hour) => (day < 5 && hour >= 8 && hour < 16 ? 30 : 0)),
);
const profile: Profile = {
  risk_series: [],
  heat: weekdays,
  active_days: 15,
  route_count: 12,
  routes: [
    {
      method: 'GET',
      host: 'api.example',
      route: '/orders/{id}',
      calls: 480,
      errors: 0,
      first_seen: at(0),
      last_seen: at(20),
    },
  ],
  sessions: [],
  clients: [use('curl/8.0', 1200)],
  devices: [],
  networks: [use('AS64500 DE', 1164), use('AS64501 FR', 36)],
};

test('what an identity usually does is said in plain sentences', () => {
  assert.deepEqual(wordsOf(identity, profile), [
    'Known for 20 days, 1,200 calls; 80 on a day when it is active.',
    'Active Monday to Friday, mostly from 08:00 to 15:00 UTC (88 % of its calls).',
    'Uses 12 functions; GET api.example/orders/{id} makes 40 % of its calls.',
    'Comes from 2 networks: AS64500 DE (97 %), AS64501 FR (3 %).',
    'Uses 1 program: curl/8.0 (100 %).',
    '<1 % of its calls fail.',
  ]);
});

test('who is always there has no hours of its own, and who was hardly seen has no habits', () => {
  const always = { ...profile, heat: Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => 10)) };
  assert.ok(wordsOf(identity, always).includes('Active on any day, around the clock.'));
  const nights = Array.from({ length: 7 }, () =>
    Array.from({ length: 24 }, (_, hour) => (hour < 2 || hour >= 22 ? 9 : 0)),
  );
  assert.ok(
    wordsOf(identity, { ...profile, heat: nights }).some((words) => words.includes('mostly from 22:00 to 02:00')),
  );
  const hardly = { ...profile, heat: [[1], [], [], [], [], [], []], routes: [], clients: [], networks: [] };
  const seen = { ...identity, events: 1, errors: 1, first_seen: at(0), last_seen: at(0) };
  assert.deepEqual(wordsOf(seen, { ...hardly, active_days: 1 }), [
    'Known for 1 day, 1 call; 1 on a day when it is active.',
    '100 % of its calls fail.',
  ]);
});
