import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { largestDeviation } from '../../pipelines/evaluate/largest-deviation.ts';
import { restSessions } from '../../pipelines/evaluate/rest-sessions.ts';
import type { Roc } from '../../pipelines/evaluate/roc.ts';
import { type EvaluationSet, type Measured, runShard } from '../../pipelines/evaluate/run.ts';
import { sourceActivity } from '../../pipelines/evaluate/source-activity.ts';
import { GaitError } from '../core/errors.ts';
import { featureCount } from '../feature/registry.ts';
import { batchMax } from '../score/batch.ts';
import { loadModel, type Model } from '../score/model.ts';

export type EvaluateCommandOptions = {
  /** Names, also several in one with commas; default: all. */
  readonly sets?: readonly string[] | string;
  /** Writes the result as JSON to this file too. */
  readonly out?: string;
  /** Prints JSON instead of the table. */
  readonly json?: boolean;
  /** Tries the models at this weight instead of the one they have earned. */
  readonly weight?: number;
};

export type EvaluationRow = { readonly set: string; readonly model: string; readonly weight: number } & Measured;
export type Evaluation = {
  readonly rows: readonly EvaluationRow[];
  /** Microseconds per event in batches of 512, by model. */
  readonly cost: Readonly<Record<string, number>>;
};

const sets = [sourceActivity, restSessions];
const modelNames = ['pca-v1', 'deviation-v1'];

/** `gait evaluate`: each set through the engine without a model, with the largest deviation in its place, with PCA and with the network. */
export async function evaluate(options: EvaluateCommandOptions): Promise<void> {
  const chosen = chooseSets(options.sets);
  const models = await Promise.all(modelNames.map(load));
  const weight = options.weight ?? Math.max(...models.map((model) => model.weight));
  const tried = models.map((model) => ({ ...model, weight: options.weight ?? model.weight }));
  const rows = chosen.flatMap((set) =>
    [null, largestDeviation(weight), ...tried].map((model) => ({
      set: set.name,
      model: model?.name ?? 'none',
      weight: model?.weight ?? 0,
      ...set.measure(runShard(set.events(), model)),
    })),
  );
  const cost = Object.fromEntries(
    models.map((model) => [`${model.name} (${model.backend})`, microsecondsPerEvent(model)]),
  );
  const json = `${JSON.stringify({ rows, cost } satisfies Evaluation, null, 2)}\n`;
  if (options.out !== undefined) writeFileSync(options.out, json);
  process.stdout.write(options.json === true ? json : table({ rows, cost }));
}

function chooseSets(names: EvaluateCommandOptions['sets']): readonly EvaluationSet[] {
  if (names === undefined) return sets;
  return [names].flat().flatMap((text) =>
    text.split(',').map((name) => {
      const found = sets.find((set) => set.name === name);
      if (found !== undefined) return found;
      throw new GaitError('USAGE', `unknown set ${name}; there are: ${sets.map((set) => set.name).join(', ')}`);
    }),
  );
}

function load(name: string): Promise<Model> {
  return loadModel({ dir: fileURLToPath(new URL(`../../../models/${name}`, import.meta.url)), backend: 'auto' });
}

/** The fastest of ten stretches: what it costs when nothing else runs. */
function microsecondsPerEvent(model: Model): number {
  const vectors = new Float32Array(batchMax * featureCount).fill(0.5);
  const rounds = 10;
  let fastest = Number.POSITIVE_INFINITY;
  for (let stretch = 0; stretch < 10; stretch++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < rounds; i++) model.score(vectors, batchMax);
    fastest = Math.min(fastest, Number(process.hrtime.bigint() - start));
  }
  return Math.round(fastest / (rounds * batchMax)) / 1000;
}

const columns = [
  'set',
  'model',
  'weight',
  'measure',
  'AUROC',
  'hits at 0.1 / 1 / 5 % false',
  'incidents seen',
  'findings',
];

/** Markdown, so that it can be pasted. */
function table({ rows, cost }: Evaluation): string {
  const lines = rows.flatMap((row) => [
    [
      row.set,
      row.model,
      String(row.weight),
      'mean surprise',
      ...rocCells(row.meanSurprise, row.incidents),
      findingsCell(row),
    ],
    ['', '', '', 'evidence', ...rocCells(row.evidence, row.incidents), ''],
  ]);
  const all = [columns, ...lines];
  const widths = columns.map((_, c) => Math.max(...all.map((line) => line[c]!.length)));
  const print = (line: readonly string[]): string =>
    `| ${line.map((cell, c) => cell.padEnd(widths[c]!)).join(' | ')} |\n`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|\n`;
  const costs = Object.entries(cost).map(([name, us]) => `${name} ${us.toFixed(2)} µs`);
  return `${print(columns)}${rule}${lines.map(print).join('')}\nModel cost per event at batch ${batchMax}: ${costs.join(', ')}\n`;
}

function rocCells(of: Roc, incidents: number): string[] {
  const hits = of.hits.map((hit) => hit.toFixed(3)).join(' / ');
  return [of.auroc.toFixed(4), hits, `${of.incidents.join(' / ')} of ${incidents}`];
}

function findingsCell({ findings, incidents }: Measured): string {
  if (findings === null) return '';
  return `raised ${findings.raised} of ${incidents}; ${findings.false} of ${findings.total} false (${findings.falseRate.toFixed(2)} per 1,000 identities and 30 days)`;
}
