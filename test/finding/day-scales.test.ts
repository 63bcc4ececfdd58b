import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import { circlesMax, DayScales } from '../../src/finding/day-scales.ts';

/** Days of roles whose peaks of the second detector have these means, met in this order. */
function scalesOf(means: Readonly<Record<string, number>>, order: readonly string[]): DayScales {
  const scales = new DayScales();
  for (const role of order) {
    const random = seededRandom(means[role]!);
    for (let i = 0; i < 1000; i++) scales.add(scales.indexOf(role), 1, -means[role]! * Math.log(1 - random.next()));
  }
  scales.refit();
  return scales;
}

const means = { customer: 1, accountant: 4, machine: 7 };
const roles = Object.keys(means);

test('a day is compared with those of the same role, and where none was seen with all others', () => {
  const scales = scalesOf(means, roles);
  const [customer, accountant, machine, unseen] = [...roles, 'unseen'].map((role) => {
    return scales.pValue(scales.indexOf(role), 1, 20);
  });
  assert.ok(customer! < accountant! / 3 && accountant! < machine! / 5, `${customer} ${accountant} ${machine}`);
  assert.ok(unseen! > accountant! && unseen! < machine!, `${unseen}`);
});

test('which role is met first changes nothing, to the last bit', () => {
  const [one, other] = [scalesOf(means, roles), scalesOf(means, roles.toReversed())];
  for (const role of [...roles, 'unseen'])
    for (const peak of [0.5, 3, 9, 30])
      assert.equal(one.pValue(one.indexOf(role), 1, peak), other.pValue(other.indexOf(role), 1, peak));
});

test('roles beyond the limit share one circle, and a restored one knows the same roles', () => {
  const scales = new DayScales();
  const indices = Array.from({ length: circlesMax + 10 }, (_, i) => scales.indexOf(`role ${i}`));
  assert.equal(new Set(indices).size, circlesMax);
  assert.ok(indices.slice(circlesMax - 1).every((index) => index === 0));
  const restored = new DayScales();
  restored.restore(structuredClone(scales.snapshot()));
  assert.deepEqual(
    indices.map((_, i) => restored.indexOf(`role ${i}`)),
    indices,
  );
});
