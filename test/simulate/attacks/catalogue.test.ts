import assert from 'node:assert/strict';
import { test } from 'node:test';
import { families } from '../../../src/feature/registry.ts';
import { attacks, lookAlikes } from '../../../src/simulate/attacks/catalogue.ts';
import type { WireEvent } from '../../../src/simulate/world.ts';
import { play } from './played.ts';

const seed = 11;
const played = play(seed, { attacks: '{ count: 2 }', lookAlikes: '{ count: 2 }' });
const names = (kind: string) =>
  new Set(played.incidents.filter((each) => each.kind === kind).map((each) => each.recipe));

test('every attack and every look-alike happens', () => {
  const missing = [
    ...attacks.filter(({ name }) => !names('attack').has(name)),
    ...lookAlikes.filter(({ name }) => !names('look-alike').has(name)),
  ];
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
    `seed ${seed}`,
  );
});

test('names are used once, and each says what an analyst would expect, look-alikes nothing', () => {
  const all = [...attacks, ...lookAlikes];
  assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
  const known = new Set(families.map(({ name }) => `${name}.`));
  for (const each of attacks) {
    assert.equal(each.kind, 'attack');
    assert.ok(each.expected.length > 0, each.name);
    for (const prefix of each.expected) assert.ok(known.has(prefix), `${each.name}: ${prefix}`);
  }
  for (const each of lookAlikes) {
    assert.equal(each.kind, 'look-alike');
    assert.deepEqual(each.expected, [], each.name);
  }
});

test('every family of attacks has a look-alike', () => {
  const innocent = new Set(lookAlikes.map(({ family }) => family));
  const without = new Set(attacks.map(({ family }) => family).filter((family) => !innocent.has(family)));
  assert.deepEqual([...without], []);
});

test('an incident is labelled with the time of its events, after the warm-up, and at least one identity', () => {
  const here = new Set([...attacks, ...lookAlikes].map(({ name }) => name));
  for (const incident of played.incidents.filter(({ recipe }) => here.has(recipe))) {
    const own = played.withIds(incident.ids);
    assert.equal(incident.firstMs, Math.min(...own.map(({ ts }) => ts!)), incident.recipe);
    assert.equal(incident.lastMs, Math.max(...own.map(({ ts }) => ts!)), incident.recipe);
    assert.ok(incident.firstMs >= played.world.warmMs, incident.recipe);
    assert.ok(incident.identities.size > 0, incident.recipe);
  }
});

test('an attack carries no field, program, status or error that innocent traffic never has', () => {
  const hostile = played.withIds(played.incidents.filter(({ kind }) => kind === 'attack').flatMap(({ ids }) => ids));
  const innocent = played.ordinary;
  const fields = (event: WireEvent) =>
    Object.entries(event).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const known = new Set(innocent.flatMap(fields));
  assert.deepEqual(
    [...new Set(hostile.flatMap(fields))].filter((field) => !known.has(field)),
    [],
  );
  // Somebody has it, though perhaps nobody used it, or came from there, in these few days.
  const owned = played.world.personas.flatMap(({ devices }) =>
    devices.flatMap(({ userAgent, ja4 }) => [userAgent, ja4]),
  );
  const networks = played.world.networks.flatMap(({ asn, country }) => [asn, country]);
  for (const field of ['user_agent', 'ja4', 'status', 'method', 'asn', 'country', 'auth_method', 'acr'] as const) {
    const values = new Set<unknown>([...innocent.map((event) => event[field]), ...owned, ...networks]);
    const alone = [...new Set(hostile.map((event) => event[field]))].filter((value) => !values.has(value));
    assert.deepEqual(alone, [], field);
  }
});

test('attacks leave nearly everybody alone and victims go on living', () => {
  const attacked = new Set(
    played.incidents
      .filter(({ kind }) => kind === 'attack')
      .flatMap(({ identities }) => [...identities].filter((identity) => !identity.startsWith('address:'))),
  );
  assert.ok(attacked.size < attacks.length * 2 * 1.6, `${attacked.size} identities`);
  const lively = played.world.personas.filter(({ identity }) => attacked.has(identity));
  const subjects = new Set(played.ordinary.map(({ subject }) => subject));
  const alive = lively.filter(({ name, credential }) => credential.kind === 'user' && subjects.has(name));
  assert.ok(alive.length > 0.6 * lively.filter(({ credential }) => credential.kind === 'user').length);
});

test('the same seed gives the same incidents, another seed others', () => {
  const labels = (run: typeof played) =>
    JSON.stringify(run.incidents.map(({ recipe, ids, firstMs }) => [recipe, ids, firstMs]));
  const small = { identities: 150, days: 2, lookAlikes: '{ count: 0 }' };
  assert.equal(labels(play(3, small)), labels(play(3, small)));
  assert.notEqual(labels(play(3, small)), labels(play(4, small)));
});

test('intensity scales what is done, and stealth what it takes in time', () => {
  const small = { identities: 150, days: 2, lookAlikes: '{ count: 0 }' };
  const weak = play(5, { ...small, attacks: '{ count: 1, intensity: 0.5, stealth: 0 }' });
  const strong = play(5, { ...small, attacks: '{ count: 1, intensity: 2, stealth: 0 }' });
  const careful = play(5, { ...small, attacks: '{ count: 1, intensity: 2, stealth: 1 }' });
  for (const name of ['enumeration-fast', 'stuffing', 'exfiltration-burst', 'destructive-burst', 'coupon-abuse']) {
    assert.ok(strong.of(name)[0]!.length > 2 * weak.of(name)[0]!.length, name);
    if (name === 'stuffing') continue;
    const lasted = (run: typeof weak) => {
      const own = run.of(name)[0]!;
      return (own.at(-1)!.ts! - own[0]!.ts!) / own.length;
    };
    assert.ok(lasted(careful) > 1.3 * lasted(strong), name);
  }
});
