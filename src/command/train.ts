import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportModel } from '../../pipelines/train/export.ts';
import { fit } from '../../pipelines/train/fit.ts';
import { parseFusionRecipe } from '../../pipelines/train/fusion-recipe.ts';
import { parseRecipe, type Recipe } from '../../pipelines/train/recipe.ts';
import { loadConfig } from '../config/config.ts';
import { GaitError } from '../core/errors.ts';
import { trainFromStore } from './train-from-store.ts';
import { trainFusion } from './train-fusion.ts';

const packageRoot = new URL('../../../', import.meta.url);
const fromPackage = (path: string): string => fileURLToPath(new URL(path, packageRoot));

export type TrainCommandOptions = {
  readonly recipe?: string;
  readonly out?: string;
  /** From the operator's own events; what follows is for that alone. */
  readonly fromStore?: boolean;
  readonly config?: string;
  readonly days?: number;
  readonly name?: string;
};

const recipes = ['recipe.yaml', 'fusion.yaml'].map((name) => fromPackage(`pipelines/train/${name}`));

/** `gait train`: recipes become model folders under `out`; the same recipe gives the same folders, byte for byte. */
export async function train(options: TrainCommandOptions): Promise<void> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  if (options.fromStore) return fromStore(options, say);
  const out = options.out ?? fromPackage('models');
  for (const path of options.recipe === undefined ? recipes : [options.recipe]) {
    const text = readText(path);
    // Only the recipe of a fusion is for all of them together.
    if (/^simulation:/m.test(text)) trainFusion(parseFusionRecipe(text, path), out, say);
    else await trainModels(parseRecipe(text, path), out, say);
  }
}

function fromStore(
  { recipe, config: path, days = 30, name = 'own', out }: TrainCommandOptions,
  say: (line: string) => void,
) {
  const config = loadConfig(path);
  const from = recipe ?? recipes[0]!;
  const parsed = parseRecipe(readText(from), from);
  return trainFromStore({ config, recipe: parsed, days, name, out: out ?? join(config.dataDir, 'models'), say });
}

async function trainModels(recipe: Recipe, out: string, say: (line: string) => void): Promise<void> {
  const trained = await fit(recipe, say);
  for (const [i, model] of trained.entries()) say(exportModel(model, recipe.models[i]!, out));
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new GaitError('INPUT_UNREADABLE', `${path} cannot be read`, { cause });
  }
}
