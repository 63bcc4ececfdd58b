import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { hourOfWeek } from '../../src/simulate/week.ts';
import type { Persona, WireEvent, World } from '../../src/simulate/world.ts';
import { aRecipe, nothing, runSimulation } from './a-recipe.ts';

const dayMs = 86_400_000;

describe('two weeks of ordinary life', () => {
  let world: World;
  let events: WireEvent[];
  const own = new Map<Persona, WireEvent[]>();
  before(() => {
    const run = runSimulation(aRecipe({ ...nothing, days: 14, identities: 500 }), 11);
    ({ events } = run);
    ({ world } = run.simulation);
    const byName = new Map(world.personas.map((persona) => [persona.name, persona]));
    for (const event of events) {
      const persona = byName.get(event.subject ?? event.consumer ?? event.mtls_subject ?? event.client_id ?? '');
      if (persona !== undefined && event.status !== 401)
        own.set(persona, [...(own.get(persona) ?? []), event].slice(-5_000));
    }
  });

  const share = (of: readonly Persona[], at: (hour: number) => boolean): number => {
    const hours = of.flatMap((persona) => (own.get(persona) ?? []).map((event) => hourOfWeek(event.ts!, persona.zone)));
    return hours.filter(at).length / hours.length;
  };

  test('most identities are sparse: they come on a few days only', () => {
    const days = [...own.values()].map((each) => new Set(each.map((event) => Math.floor(event.ts! / dayMs))).size);
    assert.ok(days.filter((count) => count <= 5).length / days.length > 0.5);
    const people = [...own]
      .filter(([persona]) => persona.kind === 'human')
      .map(([, each]) => each.length)
      .sort((a, b) => a - b);
    assert.ok(people[Math.floor(people.length / 2)]! < 80, 'half of the people make fewer than 80 calls');
    const total = people.reduce((a, b) => a + b, 0);
    const busiest = people.slice(-Math.ceil(people.length / 10)).reduce((a, b) => a + b, 0);
    assert.ok(busiest / total > 0.35, 'a tenth of the people makes more than a third of the calls');
  });

  test('offices work by day on weekdays, customers come in the evening, machines never sleep', () => {
    const office = world.personas.filter((each) => each.role === 'member' || each.role === 'advisor');
    const customers = world.personas.filter((each) => each.role === 'customer');
    const mesh = world.personas.filter((each) => each.api.name === 'mesh');
    assert.ok(share(office, (hour) => hour < 120 && hour % 24 >= 7 && hour % 24 < 19) > 0.8);
    assert.ok(share(customers, (hour) => hour % 24 >= 17 && hour % 24 < 23) > 0.35);
    assert.ok(share(customers, (hour) => hour % 24 < 5) < 0.1);
    assert.ok(share(mesh, (hour) => hour % 24 < 6) > 0.12);
  });

  test('calls go wrong as they do: some 404, 422, 401 and 5xx, all of them rare', () => {
    const rate = (fits: (status: number) => boolean): number =>
      events.filter((event) => fits(event.status!)).length / events.length;
    for (const fits of [
      (s: number) => s === 404,
      (s: number) => s === 401,
      (s: number) => s === 422,
      (s: number) => s >= 500,
    ]) {
      assert.ok(rate(fits) > 0.0005 && rate(fits) < 0.03, String(rate(fits)));
    }
  });

  test('tokens are used between issue and expiry, save for a 401 that says so, and are renewed under the same session', () => {
    const tokens = new Map<string, Set<string>>();
    for (const event of events) {
      if (event.token_id === undefined) continue;
      if (event.status !== 401)
        assert.ok(event.ts! / 1000 >= event.token_iat! - 1 && event.ts! / 1000 <= event.token_exp! + 1);
      if (event.session_id)
        tokens.set(event.session_id, (tokens.get(event.session_id) ?? new Set()).add(event.token_id!));
    }
    assert.ok([...tokens.values()].some((each) => each.size > 2));
  });

  test('people change phones, travel, update browsers and get new addresses, without anything being wrong', () => {
    const people = [...own].filter(([persona, each]) => persona.kind === 'human' && each.length > 50);
    const many = (value: (event: WireEvent) => unknown, least: number): number =>
      people.filter(([, each]) => new Set(each.map(value)).size >= least).length / people.length;
    assert.ok(many((event) => event.user_agent, 2) > 0.3);
    assert.ok(many((event) => event.client_ip, 3) > 0.5);
    const abroad = many((event) => event.country, 2);
    assert.ok(abroad > 0.02 && abroad < 0.35, String(abroad));
  });

  test('people in an office, behind a VPN or on phones share addresses', () => {
    const users = new Map<string, Set<string>>();
    for (const event of events)
      if (event.subject) users.set(event.client_ip!, (users.get(event.client_ip!) ?? new Set()).add(event.subject!));
    assert.ok([...users.values()].filter((each) => each.size >= 3).length > 5);
  });
});
