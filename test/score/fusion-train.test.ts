import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fitFusion, found, largest, priorOf, weighed } from '../../pipelines/train/fusion.ts';
import { DayCollector, type LabelledDays } from '../../pipelines/train/fusion-days.ts';
import { exportFusion } from '../../pipelines/train/fusion-export.ts';
import { parseFusionRecipe } from '../../pipelines/train/fusion-recipe.ts';
import { chooseRidge, leaveOut, validate } from '../../pipelines/train/fusion-validation.ts';
import { Swaps } from '../../pipelines/train/swaps.ts';
import { synthesize } from '../../pipelines/train/synthesize.ts';
import { detectors } from '../../src/baseline/row-layout.ts';
import { defaultConfig } from '../../src/command/evaluate-engine.ts';
import { GaitError } from '../../src/core/errors.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { createPolicy } from '../../src/policy/decide.ts';
import { readPolicy } from '../../src/role/assemble.ts';
import { equalFusion, readFusion } from '../../src/score/fusion-folder.ts';

const out = mkdtempSync(join(tmpdir(), 'gait-fusion-'));
after(() => rmSync(out, { recursive: true }));
const recipe = parseFusionRecipe(
  readFileSync(join(import.meta.dirname, '../../../pipelines/train/fusion.yaml'), 'utf8'),
  'fusion.yaml',
);
const prior = priorOf(recipe);
const traffic = { days: 9, humans: 40, services: 4, seed: 7 };
const plan = { seed: 7, fromDay: 3, everyMs: 4 * 3_600_000, calls: 20 };

/** Days on which every detector says a little; attacks of two families, each loud in a detector of its own, and the last detector always noise. */
function madeUp(seed: number): LabelledDays {
  const random = seededRandom(seed);
  const day = (loud: number): Float64Array =>
    Float64Array.from(detectors, (_, d) => {
      const noise = -Math.log(1 - random.next()) * (d === detectors.length - 1 ? 4 : 1);
      return d === loud ? noise + 6 : noise;
    });
  const attack = (family: string, loud: number) =>
    Array.from({ length: 20 }, (_, i) => ({ recipe: `${family}-${i % 2}`, family, days: [day(-1), day(loud)] }));
  return {
    clean: Array.from({ length: 700 }, () => day(-1)),
    incidents: [...attack('first', 1), ...attack('second', 2)],
  };
}

test('what speaks for attacks weighs most, what speaks always weighs least, and nothing weighs less than nothing', () => {
  const weights = fitFusion(madeUp(1), { prior: equalFusion, ridge: 1 });
  assert.equal(Math.max(...weights), 1);
  assert.ok(weights.every((weight) => weight >= 0));
  assert.ok(Math.min(weights[1]!, weights[2]!) > 3 * weights.at(-1)!, weights.join());
});

test('with nothing but the prior to go by, the weights are the prior', () => {
  const weights = fitFusion(madeUp(1), { prior, ridge: 1e9 });
  assert.deepEqual(
    weights,
    prior.map((weight) => Math.round((1000 * weight) / 3) / 1000),
  );
});

test('the same days give the same weights, and they find more than the largest word alone', () => {
  const days = madeUp(2);
  const fit = { prior: equalFusion, ridge: chooseRidge(days, equalFusion, [1, 100]) };
  const weights = fitFusion(days, fit);
  assert.deepEqual(weights, fitFusion(madeUp(2), fit));
  const hits = (rule: typeof largest): number => found(days, { rule, per1000: 10 }).length;
  assert.ok(hits(weighed(weights)) > hits(largest));
  assert.deepEqual(validate(days, fit), validate(madeUp(2), fit));
});

test('an attack is judged by weights that never saw its kind', () => {
  const days = madeUp(3);
  // Labels of the one kind are moved onto clean days: had they been seen, they would be found.
  const quiet = days.clean.slice(0, 20).map((day) => ({ recipe: 'quiet', family: 'quiet', days: [day] }));
  const hits = leaveOut({ ...days, incidents: [...days.incidents, ...quiet] }, 'family', { prior, ridge: 1 });
  assert.ok(hits.filter(({ family }) => family === 'quiet').length <= 2);
});

const ordinary = [...synthesize(traffic)];
const swapped = (seed: number): { events: ResolvedEvent[]; swaps: Swaps } => {
  const swaps = new Swaps({ ...plan, seed });
  return { events: ordinary.map((event) => swaps.pass(event)), swaps };
};

test('a swap is the victim by name, device and place, and the donor by what is done; seeds choose who', () => {
  const { events, swaps } = swapped(7);
  assert.ok(swaps.incidents.length > 10);
  const victims = new Map(swaps.incidents.flatMap(({ ids, identities }) => ids.map((id) => [id, identities[0]])));
  for (const [i, event] of events.entries()) {
    const donor = ordinary[i]!;
    const victim = victims.get(donor.event_id);
    if (victim === undefined) assert.equal(event, donor);
    else {
      assert.equal(event.identity, victim);
      assert.notEqual(event.identity, donor.identity);
      const { route, operation, status, ts } = event.event;
      assert.deepEqual(
        [route, operation, status, ts],
        [donor.event.route, donor.event.operation, donor.event.status, donor.event.ts],
      );
      assert.equal(event.event.tenant, donor.event.tenant);
    }
  }
  assert.deepEqual(swapped(7).swaps.incidents, swaps.incidents);
  assert.notDeepEqual(swapped(8).swaps.incidents, swaps.incidents);
});

function shardOptions() {
  const config = defaultConfig();
  const own = { shard: 0, fusion: equalFusion, model: null, policy: createPolicy(readPolicy(config)) };
  return { ...config.detect, ...own };
}

test('identity-days of the engine are clean or an incident’s, never both, and the same each time', () => {
  const collect = (): LabelledDays => {
    const collector = new DayCollector(shardOptions(), plan);
    for (const event of ordinary) collector.accept(event);
    return collector.end([]);
  };
  const days = collect();
  assert.ok(days.clean.length > 50 && days.incidents.length > 10);
  assert.deepEqual(days, collect());
  const taken = new Set(days.incidents.flatMap((incident) => incident.days));
  assert.ok(days.clean.every((day) => !taken.has(day) && day.every((said) => said >= 0 && Number.isFinite(said))));
});

const trained = {
  recipe: { ...recipe, name: 'tiny-v1' },
  weights: equalFusion.map((_, d) => d / 100),
  days: madeUp(1),
  metrics: { ridge: 1 },
  table: { title: 'none', columns: ['a'], rows: [] },
};
const refused = (why: RegExp): void =>
  assert.throws(
    () => readFusion(join(out, 'tiny-v1')),
    (error) => error instanceof GaitError && error.code === 'MODEL_INVALID' && why.test(error.message),
  );

test('a fusion that is exported is read again; with a changed weight, or for other detectors, it is refused', () => {
  assert.match(exportFusion(trained, out), /written/);
  assert.deepEqual(readFusion(join(out, 'tiny-v1')), trained.weights);
  assert.match(exportFusion(trained, out), /the same model again/);
  const path = (file: string): string => join(out, 'tiny-v1', file);
  const [weights, manifest] = ['weights.json', 'manifest.json'].map((file) => readFileSync(path(file), 'utf8'));
  writeFileSync(path('weights.json'), weights!.replace('0.01', '0.09'));
  refused(/SHA-256 differs/);
  assert.throws(() => exportFusion(trained, out), /never changes/);
  writeFileSync(path('weights.json'), weights!);
  writeFileSync(path('manifest.json'), manifest!.replace(detectors[3]!, 'something-else'));
  refused(/other detectors/);
  rmSync(path('manifest.json'));
  refused(/cannot be read/);
});

test('fusions that are shipped are for the detectors of this program; the learned one came out of the recipe that is shipped', () => {
  const folder = (name: string): string => join(import.meta.dirname, '../../../models', name);
  for (const name of ['fusion-v1', 'fusion-v3', recipe.name])
    assert.equal(readFusion(folder(name)).length, detectors.length);
  const manifest = JSON.parse(readFileSync(join(folder(recipe.name), 'manifest.json'), 'utf8')) as {
    recipeHash: string;
  };
  assert.equal(manifest.recipeHash, recipe.hash);
});
