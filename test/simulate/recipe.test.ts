import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { doseOf, parseSimulationRecipe } from '../../src/simulate/recipe.ts';

const head = 'version: 1\nstart: 2026-04-20T00:00:00Z\ndays: 2\nidentities: 50\n';

function problem(text: string): string {
  try {
    parseSimulationRecipe(head + text, 'r.yaml');
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
}

test('every mistake is named with file, line and column', () => {
  assert.match(
    problem('attacks: { but: { teleport: { count: 1 } } }\n'),
    /^r\.yaml:5:\d+: unknown key attacks\.but\.teleport/,
  );
  assert.match(problem('tenant: 3\n'), /^r\.yaml:5:1: unknown key tenant; did you mean tenants\?/);
  assert.match(
    problem('apis: { shop: 0.9, bank: 0.9, saas: 0, partner: 0, mesh: 0 }\n'),
    /r\.yaml:5:1: apis: the shares must add up to 1/,
  );
  assert.match(problem('lookAlikes: { every: { stealth: 2 } }\n'), /^r\.yaml:5:\d+: lookAlikes\.every\.stealth/);
});

test('a dose is that of the name, else that of every, else three of middle strength', () => {
  const recipe = parseSimulationRecipe(
    `${head}attacks: { every: { count: 2, stealth: [0, 1] }, but: { stuffing: { count: 5 } } }\n`,
    'r.yaml',
  );
  assert.deepEqual(doseOf(recipe, 'attack', 'stuffing'), { count: 5, intensity: 1, stealth: [0, 1] });
  assert.deepEqual(doseOf(recipe, 'attack', 'spraying'), { count: 2, intensity: 1, stealth: [0, 1] });
  assert.deepEqual(doseOf(recipe, 'look-alike', 'release'), { count: 3, intensity: 1, stealth: 0.5 });
});

test('the recipes that are shipped are recipes', () => {
  for (const name of ['default', 'small']) {
    const path = join(import.meta.dirname, `../../../pipelines/simulate/${name}.yaml`);
    assert.ok(parseSimulationRecipe(readFileSync(path, 'utf8'), path).identities > 0);
  }
});
