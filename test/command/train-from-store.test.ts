import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseRecipe, type Recipe } from '../../pipelines/train/recipe.ts';
import { synthesize } from '../../pipelines/train/synthesize.ts';
import { trainFromStore } from '../../src/command/train-from-store.ts';
import { type Config, type ConfigOutcome, parseConfig } from '../../src/config/config.ts';
import type { Verdict } from '../../src/pipeline.ts';
import { assembleModel } from '../../src/role/assemble.ts';
import { ScorePacker } from '../../src/role/pack.ts';
import { openStore } from '../../src/store/clickhouse.ts';
import { migrated, writerOf } from '../store/embedded-store.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'gait-from-store-'));
after(() => rmSync(dataDir, { recursive: true, force: true }));
const recipe: Recipe = parseRecipe(
  `
seed: 5
traffic: { days: 8, burnInDays: 1, humans: 25, services: 2 }
ordinaryAbove: 0.01
vectorsMax: 800
models:
  - { name: net-v1, kind: network, hidden: [6, 3, 6], activation: relu, epochs: 1, batchSize: 64, learningRate: 0.005, weight: 0.3, verdict: a test }
  - { name: pca-v1, kind: pca, components: 3, weight: 0.2, verdict: a test }
`,
  'tiny.yaml',
);

function outcomeOf(detect: string): ConfigOutcome {
  const text = (): string => `dataDir: ${dataDir}\nlog: { kind: embedded }\ndetect: { ${detect} }\n`;
  return parseConfig({ name: 'gait.yaml', text }, {});
}

function configOf(detect: string): Config {
  const outcome = outcomeOf(detect);
  assert.equal(outcome.kind, 'ok', JSON.stringify(outcome));
  return (outcome as Extract<ConfigOutcome, { kind: 'ok' }>).config;
}

/** Eight days of made-up people, stored as a shard's reader stores them, and one finding that an analyst knows of. */
async function fill(config: Config): Promise<void> {
  assert.equal(config.store.kind, 'embedded');
  mkdirSync(join(dataDir, 'store'), { recursive: true });
  const store = await migrated(await openStore({ path: join(dataDir, 'store') }));
  const verdicts = [...synthesize({ ...recipe.traffic, seed: recipe.seed })].map((resolved, seq): Verdict => {
    return { resolved, seq, surprise: 0, evidence: 0, risk: 0, top: [], findings: [] };
  });
  const scores = new ScorePacker(0);
  scores.add(verdicts);
  const records = scores.end().map(({ value }, offset) => ({ offset, value: value as Buffer }));
  const writer = writerOf(store);
  await writer.scores({ topic: 'gait.scores', partition: 0, records });
  const { ts } = verdicts.at(-1)!.resolved.event;
  const known = { finding_id: 'fnd_1', identity: 'user:shop:nobody', first_seen: ts - 1000, last_seen: ts, version: 1 };
  const value = Buffer.from(JSON.stringify({ ...known, reasons: [] }));
  await writer.findings({ topic: 'gait.findings', partition: 0, records: [{ offset: 0, value }] });
  await store.close();
}

describe('gait train --from-store', { timeout: 120_000 }, () => {
  const said: string[] = [];
  const run = async (detect: string): Promise<string> => {
    said.length = 0;
    const out = join(dataDir, 'models');
    await trainFromStore({
      config: configOf(detect),
      recipe,
      days: 30,
      name: 'own',
      out,
      say: (line) => said.push(line),
    });
    return said.join('\n');
  };
  before(() => fill(configOf('model: none')));

  test('trains challengers on the older days and compares them with the champion on the newest third', async () => {
    const text = await run('model: none, findingsPer1000PerDay: 100');
    assert.match(text, /^8 days from 2025-01-06 to 2025-01-13; held out from 2025-01-11 on/);
    for (const name of ['none \\(champion\\)', 'own-network-v1', 'own-pca-v1'])
      assert.match(text, new RegExp(`\\| ${name} +\\| +\\d+\\.\\d\\d +\\| .*\\| \\d\\.\\d{4} +\\| 0 of 1`));
    assert.match(text, /detect\.model: own-network-v1 in the configuration; to go back: detect\.model: none/);
  });

  test('a challenger is taken into service, and sent back, by one value of the configuration', async () => {
    const model = await assembleModel(configOf('model: own-pca-v1'));
    assert.deepEqual([model?.name, model?.weight], ['own-pca-v1', 0.2]);
    assert.equal(await assembleModel(configOf('model: none')), null);
    const missing = outcomeOf('model: own-pca-v9');
    assert.match(
      missing.kind === 'invalid' ? missing.problems[0]! : '',
      /gait\.yaml:3:.*detect\.model: the file .*own-pca-v9/,
    );
    const outside = outcomeOf('model: ../../elsewhere');
    assert.match(outside.kind === 'invalid' ? outside.problems[0]! : '', /is not the name of a model/);
  });

  test('once more, with a challenger for champion: new versions beside the old, the same events give the same weights', async () => {
    const text = await run('model: own-pca-v1');
    assert.match(text, /own-pca-v1 \(champion\)/);
    const weights = (version: number): Buffer =>
      readFileSync(join(dataDir, `models/own-network-v${version}/weights.bin`));
    assert.ok(weights(1).equals(weights(2)));
  });
});
