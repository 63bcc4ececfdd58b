import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { createDecoder } from '../../src/event/decode/decoder.ts';
import { createRedactor } from '../../src/event/redact.ts';
import { resolveIdentity } from '../../src/identity/resolve.ts';
import { simulatedHmacKey } from '../../src/simulate/personas.ts';
import type { Simulation } from '../../src/simulate/simulate.ts';
import type { WireEvent } from '../../src/simulate/world.ts';
import { aRecipe, nothing, runSimulation } from './a-recipe.ts';

const digest = (events: readonly WireEvent[]): string =>
  createHash('sha256').update(JSON.stringify(events)).digest('hex');

describe('a simulation with every attack and look-alike', () => {
  const recipe = aRecipe();
  let simulation: Simulation;
  let events: WireEvent[];
  before(() => {
    ({ simulation, events } = runSimulation(recipe, 7));
  });

  test('comes out the same, byte for byte, for the same recipe and seed, and otherwise for another seed', () => {
    const again = runSimulation(recipe, 7);
    assert.equal(digest(again.events), digest(events));
    const labels = (of: Simulation): string =>
      JSON.stringify(of.incidents().map((each) => [each.ids, [...each.identities]]));
    assert.equal(labels(again.simulation), labels(simulation));
    assert.notEqual(digest(runSimulation(recipe, 8).events), digest(events));
  });

  test('gives events in order of time, inside the span, with ids that come once', () => {
    const { startMs, endMs } = simulation.world;
    let last = startMs;
    for (const { ts } of events) {
      assert.ok(ts! >= last && ts! < endMs, `${ts} after ${last}`);
      last = ts!;
    }
    assert.equal(new Set(events.map((event) => event.event_id)).size, events.length);
  });

  test('gives events that gait takes as they are, and labels name the identities that gait finds', () => {
    const decoder = createDecoder({ format: 'canonical', redactor: createRedactor({ hmacKey: simulatedHmacKey }) });
    const found = new Map<string, string>();
    for (const event of events) {
      const outcomes = decoder.decode(JSON.stringify(event), simulation.world.endMs);
      assert.equal(outcomes.length, 1);
      const [outcome] = outcomes;
      assert.ok(outcome?.kind === 'ok', JSON.stringify([outcome, event]));
      const resolution = resolveIdentity(outcome.value);
      assert.ok(resolution !== null);
      found.set(outcome.value.event_id!, resolution.identity);
    }
    for (const incident of simulation.incidents()) {
      const missing = incident.ids.filter((id) => !incident.identities.has(found.get(id) as never));
      assert.deepEqual(missing, [], incident.recipe);
    }
  });

  test('labels each incident with its own events, after the warm-up, and no event of an attack is a look-alike too', () => {
    const times = new Map(events.map((event) => [event.event_id!, event.ts!]));
    const attacked = new Set<string>();
    for (const incident of simulation.incidents()) {
      const own = incident.ids.map((id) => times.get(id)!);
      assert.deepEqual([own[0], own.at(-1)], [incident.firstMs, incident.lastMs], incident.recipe);
      assert.ok(incident.firstMs >= simulation.world.warmMs - 24 * 3_600_000, incident.recipe);
      assert.equal(incident.expected.length > 0, incident.kind === 'attack', incident.recipe);
      if (incident.kind === 'attack') for (const id of incident.ids) attacked.add(id);
    }
    const both = simulation
      .incidents()
      .filter((each) => each.kind === 'look-alike' && each.ids.some((id) => attacked.has(id)));
    assert.deepEqual(
      both.map((each) => each.recipe),
      [],
    );
  });
});

test('an attack uses no network, program or field that ordinary traffic never has', () => {
  const { simulation, events } = runSimulation(
    aRecipe({ days: 2, identities: 1500, lookAlikes: nothing.lookAlikes }),
    7,
  );
  const labelled = new Set(simulation.incidents().flatMap((each) => each.ids));
  const partsOf = (event: WireEvent): string[] => [
    ...Object.keys(event).filter((name) => event[name as keyof WireEvent] !== undefined),
    `program ${event.user_agent?.replace(/[0-9][0-9._-]*/g, '#')}`,
    `network ${event.asn}`,
  ];
  const ordinary = new Set(events.filter((event) => !labelled.has(event.event_id!)).flatMap(partsOf));
  const odd = events
    .filter((event) => labelled.has(event.event_id!))
    .flatMap(partsOf)
    .filter((part) => !ordinary.has(part));
  assert.deepEqual([...new Set(odd)], []);
});

test('attacks choose no more identities than the recipe allows', () => {
  const { simulation } = runSimulation(aRecipe({ identities: 100, attackedShareMax: 0.02 }), 3);
  const known = new Set<string>(simulation.world.personas.map((persona) => persona.identity));
  const attacked = new Set(
    simulation.incidents().flatMap((each) => (each.kind === 'attack' ? [...each.identities] : [])),
  );
  assert.ok([...attacked].filter((identity) => known.has(identity)).length <= 5, String(attacked.size));
});
