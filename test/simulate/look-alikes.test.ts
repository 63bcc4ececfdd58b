import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Incident, WireEvent } from '../../src/simulate/world.ts';
import { aRecipe, nothing, runSimulation } from './a-recipe.ts';

/** The only incident of its kind in eight days, with its events and all others. */
function play(
  name: string,
  seed = 1,
): { readonly incident: Incident; readonly own: WireEvent[]; readonly events: WireEvent[] } {
  const recipe = aRecipe({
    ...nothing,
    days: 8,
    identities: 250,
    lookAlikes: { every: { count: 0 }, but: { [name]: { count: 1 } } },
  });
  const { simulation, events } = runSimulation(recipe, seed);
  const [incident] = simulation.incidents();
  assert.ok(incident !== undefined, name);
  const ids = new Set(incident.ids);
  return { incident, events, own: events.filter((event) => ids.has(event.event_id!)) };
}

test('routes of a release are called by nobody before it, and by several after it', () => {
  const { incident, own, events } = play('release');
  const routes = new Set(own.map((event) => `${event.host} ${event.route}`));
  const before = events.filter(
    (event) => event.ts! < incident.firstMs - 1 && routes.has(`${event.host} ${event.route}`),
  );
  assert.deepEqual(before, []);
  assert.ok(incident.identities.size > 1);
});

test('an app update changes program and fingerprint of people who keep their device', () => {
  const { own, events } = play('mobile-update');
  const devices = new Set(own.filter((event) => / ?App\/9\./.test(event.user_agent!)).map((event) => event.device_id));
  assert.ok(devices.size > 0);
  assert.ok(events.some((event) => devices.has(event.device_id) && /App\/8\./.test(event.user_agent!)));
});

test('a campaign multiplies the calls of the customers whom it reaches', () => {
  const { incident, own, events } = play('marketing-spike');
  const host = own[0]!.host;
  const span = incident.lastMs - incident.firstMs;
  const usual = events.filter(
    (event) =>
      event.host === host &&
      event.ts! >= incident.firstMs - 24 * 3_600_000 &&
      event.ts! < incident.firstMs - 24 * 3_600_000 + span,
  );
  assert.ok(own.length > 1.5 * usual.length, `${own.length} against ${usual.length}`);
});

test('in a wave of resets log-ins fail and then succeed', () => {
  const { own } = play('password-reset-wave');
  const logins = own.filter((event) => event.path?.endsWith('/auth/login'));
  assert.ok(logins.some((event) => event.status === 401) && logins.some((event) => event.status === 200));
});

test('a moved job keeps its identity and its calls, at another hour', () => {
  const { incident, own, events } = play('nightly-job-moved', 2);
  assert.equal(incident.identities.size, 1);
  const name = (event: WireEvent): string | null | undefined => event.consumer ?? event.client_id;
  const hours = (of: readonly WireEvent[]): Set<number> =>
    new Set(of.map((event) => Math.floor(event.ts! / 3_600_000) % 24));
  const before = hours(
    events.filter((event) => name(event) === name(own[0]!) && event.ts! < incident.firstMs - 24 * 3_600_000),
  );
  assert.ok([...hours(own)].some((hour) => !before.has(hour)));
});

test('a new employee was never there before', () => {
  const { incident, own, events } = play('new-employee');
  const subject = own[0]!.subject;
  assert.ok(own.length > 2, String(own.length));
  assert.ok(events.filter((event) => event.subject === subject)[0]!.ts! >= incident.firstMs - 3_600_000);
});

test('in an outage everybody gets 5xx for a while, and nobody later', () => {
  const { incident, own, events } = play('outage', 4);
  assert.ok(own.filter((event) => event.status! >= 500).length / own.length > 0.15);
  const later = events.filter((event) => event.source === own[0]!.source && event.ts! > incident.lastMs + 3_600_000);
  assert.ok(later.filter((event) => event.status! >= 500).length / Math.max(1, later.length) < 0.02);
});

test('every look-alike of the world happens in a world of 300', () => {
  const names = [
    'daylight-saving',
    'vpn-change',
    'provider-change',
    'holiday',
    'month-end',
    'load-test',
    'marketing-spike',
    'outage',
  ];
  const but = Object.fromEntries(names.map((name) => [name, { count: 2 }]));
  const recipe = aRecipe({ ...nothing, days: 8, identities: 300, lookAlikes: { every: { count: 0 }, but } });
  const happened = new Set(
    runSimulation(recipe, 1)
      .simulation.incidents()
      .map((incident) => incident.recipe),
  );
  assert.deepEqual(
    names.filter((name) => !happened.has(name)),
    [],
  );
});
