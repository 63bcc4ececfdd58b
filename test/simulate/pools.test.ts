import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dice } from '../../src/simulate/dice.ts';
import { createSimulation } from '../../src/simulate/simulate.ts';
import { aRecipe, nothing } from './a-recipe.ts';

const { world } = createSimulation(aRecipe(nothing), 5);
const customers = world.personas.filter((persona) => persona.api.name === 'shop' && persona.role === 'customer');
const [someone, other] = [customers[0]!, customers[1]!];
const orders = world.api('shop').route('orders.read').pool!;

test("what somebody owns exists, is nobody else's, and is the same whenever it is asked", () => {
  const own = [...orders.of(someone)];
  assert.ok(own.length > 0 && own.every((id) => orders.exists(id)));
  assert.deepEqual(orders.of(someone), own);
  assert.ok(!orders.of(other).some((id) => own.includes(id)));
  const dice = new Dice('pools');
  for (let i = 0; i < 200; i++) {
    const foreign = orders.foreign(someone, dice);
    assert.ok(orders.exists(foreign) && !own.includes(foreign));
  }
});

test('new numbers go up, most numbers in between exist and some do not', () => {
  const ids = Array.from({ length: 50 }, () => Number(orders.create(someone)));
  assert.ok(ids.every((id, i) => i === 0 || id > ids[i - 1]!));
  const between = Array.from({ length: ids.at(-1)! - ids[0]! }, (_, i) => orders.exists(String(ids[0]! + i)));
  const share = between.filter(Boolean).length / between.length;
  assert.ok(share > 0.6 && share < 0.95, String(share));
  assert.equal(orders.exists('99999999'), false);
});

test('nobody keeps more objects than the limit, the newest first', () => {
  for (let i = 0; i < 300; i++) orders.create(other);
  const newest = orders.create(other);
  assert.ok(orders.of(other).length <= 40);
  assert.equal(orders.of(other)[0], newest);
});
