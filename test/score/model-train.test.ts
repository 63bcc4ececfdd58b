import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { exportModel } from '../../pipelines/train/export.ts';
import { fit, type TrainedModel } from '../../pipelines/train/fit.ts';
import { parseRecipe } from '../../pipelines/train/recipe.ts';
import { synthesize } from '../../pipelines/train/synthesize.ts';
import { GaitError } from '../../src/core/errors.ts';
import { loadModel } from '../../src/score/model.ts';

const text = `
seed: 11
traffic: { days: 6, burnInDays: 1, humans: 20, services: 2 }
ordinaryAbove: 0.01
vectorsMax: 1500
models:
  - { name: tiny-v1, kind: network, hidden: [6, 3, 6], activation: relu, epochs: 2, batchSize: 64, learningRate: 0.005, weight: 0.5, verdict: a test }
  - { name: plain-v1, kind: pca, components: 4, weight: 0, verdict: a test }
`;
const recipe = parseRecipe(text, 'tiny.yaml');
const out = mkdtempSync(join(tmpdir(), 'gait-train-'));
after(() => rmSync(out, { recursive: true }));
let trained: readonly TrainedModel[];
before(async () => {
  trained = await fit(recipe, () => {});
});

test('the same recipe gives the same files, hash for hash', async () => {
  const again = await fit(recipe, () => {});
  assert.deepEqual(
    again.map((model) => model.manifest),
    trained.map((model) => model.manifest),
  );
  assert.deepEqual(Object.keys(trained[0]!.manifest.sha256).sort(), ['model.json', 'reference.json', 'weights.bin']);
});

test('another seed gives other weights', async () => {
  const other = await fit({ ...recipe, seed: 12 }, () => {});
  for (const [i, model] of other.entries()) {
    const file = i === 0 ? 'weights.bin' : 'model.json';
    assert.notEqual(model.manifest.sha256[file], trained[i]!.manifest.sha256[file]);
  }
});

test('what is exported loads, with the weight and the name of the recipe', async () => {
  for (const [i, model] of trained.entries()) {
    exportModel(model, recipe.models[i]!, out);
    const { name, weight } = recipe.models[i]!;
    assert.ok(readdirSync(join(out, name)).includes('README.md'));
    const loaded = await loadModel({ dir: join(out, name), backend: 'wasm' });
    assert.deepEqual([loaded.name, loaded.weight], [name, weight]);
  }
});

test('training over a released model changes nothing: the same is said to be the same, another is refused', () => {
  const path = join(out, 'tiny-v1', 'weights.bin');
  assert.match(exportModel(trained[0]!, recipe.models[0]!, out), /the same model again/);
  const released = readFileSync(path);
  writeFileSync(path, Buffer.concat([released, Buffer.of(0)]));
  assert.throws(
    () => exportModel(trained[0]!, recipe.models[0]!, out),
    (error) =>
      error instanceof GaitError && error.code === 'MODEL_INVALID' && /weights\.bin differ/.test(error.message),
  );
  assert.equal(readFileSync(path).length, released.length + 1);
});

test('synthesised events come in the order of their times, under more than one shape', () => {
  let last = 0;
  const tenants = new Set<string | null>();
  for (const { event } of synthesize({ ...recipe.traffic, seed: 5 })) {
    assert.ok(event.ts >= last);
    last = event.ts;
    tenants.add(event.tenant);
  }
  assert.ok(tenants.size >= 3);
});

test('a mistake in a recipe is named with its line', () => {
  assert.throws(() => parseRecipe(text.replace('relu', 'step'), 'tiny.yaml'), /tiny\.yaml:7:\d+/);
});
