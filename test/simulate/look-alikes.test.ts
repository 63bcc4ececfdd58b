import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changes } from '../../src/simulate/look-alikes/changes.ts';
import { crowds } from '../../src/simulate/look-alikes/crowds.ts';
import { work } from '../../src/simulate/look-alikes/work.ts';
import type { Recipe } from '../../src/simulate/recipe.ts';
import type { Incident, WireEvent } from '../../src/simulate/world.ts';
import { aRecipe, nothing, runSimulation } from './a-recipe.ts';

const names = [...changes, ...crowds, ...work].map((each) => each.name);
const recipe = aRecipe({ ...nothing, days: 8, identities: 300 });
const { simulation, events } = runSimulation({ ...recipe, lookAlikes: { every: { count: 0 }, but: all(2) } }, 1);

function all(count: number): Recipe['lookAlikes']['but'] {
  return Object.fromEntries(names.map((name) => [name, { count }]));
}

/** The first incident of a name, with its events. */
function happened(name: string): { readonly incident: Incident; readonly own: WireEvent[] } {
  const incident = simulation.incidents().find((each) => each.recipe === name);
  assert.ok(incident !== undefined, name);
  const ids = new Set(incident.ids);
  return { incident, own: events.filter((event) => ids.has(event.event_id!)) };
}

test('every change of the world happens', () => {
  const seen = new Set(simulation.incidents().map((incident) => incident.recipe));
  assert.deepEqual(
    names.filter((name) => !seen.has(name)),
    [],
  );
});

test('routes of a release are called by nobody before it, and by several after it', () => {
  const { incident, own } = happened('release');
  const routes = new Set(own.map((event) => `${event.host} ${event.route}`));
  const before = events.filter(
    (event) => event.ts! < incident.firstMs - 1 && routes.has(`${event.host} ${event.route}`),
  );
  assert.deepEqual(before, []);
  assert.ok(incident.identities.size > 1);
});

test('an app update changes program and fingerprint of people who keep their device', () => {
  const { own } = happened('mobile-update');
  const devices = new Set(own.filter((event) => / ?App\/9\./.test(event.user_agent!)).map((event) => event.device_id));
  assert.ok(devices.size > 0);
  assert.ok(events.some((event) => devices.has(event.device_id) && /App\/8\./.test(event.user_agent!)));
});

test('a campaign multiplies the calls of the customers whom it reaches', () => {
  const { incident, own } = happened('marketing-spike');
  const host = own[0]!.host;
  const span = incident.lastMs - incident.firstMs;
  const days = [-3, -2, -1, 1, 2].map((day) => {
    const from = incident.firstMs + day * 86_400_000;
    return events.filter((event) => event.host === host && event.ts! >= from && event.ts! < from + span).length;
  });
  const usual = days.reduce((a, b) => a + b) / days.length;
  assert.ok(own.length > 1.3 * usual, `${own.length} against ${days}`);
});

test('in a wave of resets log-ins fail and then succeed', () => {
  const { own } = happened('password-reset-wave');
  const logins = own.filter((event) => event.path?.endsWith('/auth/login'));
  assert.ok(logins.some((event) => event.status === 401) && logins.some((event) => event.status === 200));
});

test('a moved job keeps its identity and its calls, at another hour', () => {
  const { incident, own } = happened('nightly-job-moved');
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
  const { incident, own } = happened('new-employee');
  const subject = own[0]!.subject;
  assert.ok(own.length > 2, String(own.length));
  assert.ok(events.filter((event) => event.subject === subject)[0]!.ts! >= incident.firstMs - 3_600_000);
});

test('in an outage everybody gets 5xx for a while, and nobody later', () => {
  const { incident, own } = happened('outage');
  assert.ok(own.filter((event) => event.status! >= 500).length / own.length > 0.15);
  const later = events.filter((event) => event.source === own[0]!.source && event.ts! > incident.lastMs + 3_600_000);
  assert.ok(later.filter((event) => event.status! >= 500).length / Math.max(1, later.length) < 0.02);
});
