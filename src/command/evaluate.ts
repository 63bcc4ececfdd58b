import { appendFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { GaitError } from '../core/errors.ts';
import { type Claim, claimsOf, claimTable, nabClaims } from '../evaluate/claims.ts';
import { largestDeviation } from '../evaluate/largest-deviation.ts';
import { measure, type SetResult } from '../evaluate/measure.ts';
import { evaluateNab } from '../evaluate/nab.ts';
import { Peers } from '../evaluate/peers/peers.ts';
import { nabTable, tablesOf } from '../evaluate/report.ts';
import { printTable, type Table } from '../evaluate/table.ts';
import { loadModel, type Model } from '../score/model.ts';
import { defaultConfig, Engine, pass } from './evaluate-engine.ts';
import { evaluateFeedback } from './evaluate-feedback.ts';
import { evaluateLearning } from './evaluate-learning.ts';
import { type EvaluationSet, recordedSets, simulatedFolder, simulatedSet } from './evaluate-sets.ts';

export type EvaluateCommandOptions = {
  /** Names, also several in one with commas; default: all. */
  readonly sets?: readonly string[] | string;
  /** Folders that `gait simulate` wrote, evaluated beside the sets, or instead of them when no set is named. */
  readonly data?: readonly string[] | string;
  /** Of simulated traffic. */
  readonly seed?: number;
  /** A folder of the Numenta Anomaly Benchmark, for the rate family's detector. */
  readonly nab?: string;
  /** Names of models, the first in the place of the shipped one; default: the shipped one, none, PCA and the network. */
  readonly models?: readonly string[] | string;
  /** A small part of it, for continuous integration. */
  readonly short?: boolean;
  /** Writes the result as JSON to this file too. */
  readonly out?: string;
  /** Prints JSON instead of the tables. */
  readonly json?: boolean;
};

export type Evaluation = {
  readonly sets: readonly object[];
  readonly tables: readonly Table[];
  readonly claims: readonly Claim[];
};

const defaultBudget = 1;
const otherBudgets = [0.1, 10];
/** Not a set, but what attacks teach, which several streams are made for. */
const learning = 'learning';
/** Nor this: what verdicts change, on simulated traffic. */
const feedback = 'feedback';
const shortSets = ['rest-sessions', 'cloudtrail', 'newcomers', 'simulated-small'];
/** Of simulated traffic; no constant of the engine was looked at with it. */
const defaultSeed = 1000;

/** `gait evaluate`: each set through Gait as shipped, at three budgets, with other models, and through the peers; then what must hold. */
export async function evaluate(options: EvaluateCommandOptions): Promise<void> {
  const chosen = chooseParts(options);
  // A place that cannot be written to is told of now, not when all is measured.
  if (options.out !== undefined) appendFileSync(options.out, '');
  const models = await chooseModels(options);
  const own = new Set(models.map(labelOf));
  const tables: Table[] = [];
  const claims: Claim[] = [];
  const sets: object[] = [];
  const tell = (more: readonly Table[]): void => {
    tables.push(...more);
    if (options.json !== true) process.stdout.write(more.map((table) => `${printTable(table)}\n`).join(''));
  };
  for (const part of chosen) {
    if (part === learning || part === feedback) {
      const model = models[0]!;
      const recipe = options.short ? 'small' : 'default';
      const set = (): EvaluationSet => simulatedSet(recipe, options.seed ?? defaultSeed);
      const result = part === learning ? evaluateLearning(model) : evaluateFeedback(set(), model);
      tell(result.tables);
      claims.push(...result.claims);
      continue;
    }
    const result = run(part(), models, options.short ? [] : otherBudgets);
    tell(tablesOf(result));
    claims.push(...claimsOf(result, own));
    sets.push(plain(result));
  }
  if (options.nab !== undefined) {
    const rows = evaluateNab(options.nab);
    tell([nabTable(rows)]);
    claims.push(...nabClaims(rows));
  }
  tell([claimTable(claims)]);
  const json = `${JSON.stringify({ sets, tables, claims } satisfies Evaluation, null, 2)}\n`;
  if (options.out !== undefined) writeFileSync(options.out, json);
  if (options.json === true) process.stdout.write(json);
}

/** The first model is the shipped one. All score the same events in one pass. */
function run(set: EvaluationSet, models: readonly (Model | null)[], budgets: readonly number[]): SetResult {
  const shipped = models[0]!;
  const engines = [
    ...[defaultBudget, ...budgets].map((findingsPer1000PerDay) => ({ model: shipped, findingsPer1000PerDay })),
    ...models.slice(1).map((model) => ({ model, findingsPer1000PerDay: defaultBudget })),
  ].map((each) => new Engine({ name: labelOf(each.model), ...each }));
  const peers = new Peers();
  const traffic = pass(set, (event, index) => {
    for (const engine of engines) engine.accept(event);
    peers.accept(event, index);
  });
  const scored = engines.map((engine) => engine.end(traffic));
  return measure({ set: set.name, traffic, engines: scored, peers: peers.end(), items: set.items });
}

function labelOf(model: Model | null): string {
  return `Gait, ${model?.name ?? 'no model'}`;
}

function chooseParts({
  sets,
  data,
  short,
  seed = defaultSeed,
}: EvaluateCommandOptions): ((() => EvaluationSet) | typeof learning | typeof feedback)[] {
  const folders = listOf(data).map((folder) => () => simulatedFolder(folder));
  const known: Readonly<Record<string, () => EvaluationSet>> = {
    ...recordedSets,
    simulated: () => simulatedSet('default', seed),
    'simulated-small': () => simulatedSet('small', seed),
    'simulated-company': () => simulatedSet('company', seed),
  };
  const all = [...Object.keys(known), learning, feedback];
  const byDefault = folders.length > 0 ? [] : short ? shortSets : all.filter((name) => name !== 'simulated-small');
  const named = (sets === undefined ? byDefault : listOf(sets)).map((name) => {
    const found = name === learning || name === feedback ? name : known[name];
    if (found !== undefined) return found;
    throw new GaitError('USAGE', `unknown set ${name}; there are: ${all.join(', ')}`);
  });
  return [...named, ...folders];
}

function listOf(names: readonly string[] | string | undefined): string[] {
  return names === undefined ? [] : [names].flat().flatMap((text) => text.split(','));
}

async function chooseModels({ models, short }: EvaluateCommandOptions): Promise<(Model | null)[]> {
  const { model } = defaultConfig().detect;
  const shipped = model === 'pca' ? 'pca-v1' : model;
  const names = models === undefined ? [shipped, ...(short ? [] : ['none', 'pca-v1', 'deviation-v1'])] : listOf(models);
  return Promise.all([...new Set(names)].map(load));
}

async function load(name: string): Promise<Model | null> {
  if (name === 'none') return null;
  if (name === 'largest-deviation') return largestDeviation(0.25);
  return loadModel({ dir: fileURLToPath(new URL(`../../../models/${name}`, import.meta.url)), backend: 'auto' });
}

/** What a program wants to read: numbers only. */
function plain({ set, ranked, spent }: SetResult): object {
  return {
    set,
    ranked: ranked.map(({ rankings, ...rest }) => ({
      ...rest,
      rankings: { ...rankings, byFamily: Object.fromEntries(rankings.byFamily) },
    })),
    spent: spent.map(({ outcomes, ...rest }) => ({
      ...rest,
      outcomes: outcomes.map(({ incident: { ids, identities, expected, ...incident }, ...outcome }) => ({
        ...incident,
        calls: ids.length,
        ...outcome,
      })),
    })),
  };
}
