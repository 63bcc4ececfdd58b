import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { exportModel } from '../../pipelines/train/export.ts';
import { fit } from '../../pipelines/train/fit.ts';
import { parseFusionRecipe } from '../../pipelines/train/fusion-recipe.ts';
import { parseRecipe, type Recipe } from '../../pipelines/train/recipe.ts';
import { GaitError } from '../core/errors.ts';
import { trainFusion } from './train-fusion.ts';

const packageRoot = new URL('../../../', import.meta.url);
const fromPackage = (path: string): string => fileURLToPath(new URL(path, packageRoot));

export type TrainCommandOptions = { readonly recipe?: string; readonly out?: string };

const recipes = ['recipe.yaml', 'fusion.yaml'].map((name) => fromPackage(`pipelines/train/${name}`));

/** `gait train`: recipes become model folders under `out`; the same recipe gives the same folders, byte for byte. */
export async function train(options: TrainCommandOptions): Promise<void> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const out = options.out ?? fromPackage('models');
  for (const path of options.recipe === undefined ? recipes : [options.recipe]) {
    const text = readText(path);
    // Only the recipe of a fusion is for all of them together.
    if (/^simulation:/m.test(text)) trainFusion(parseFusionRecipe(text, path), out, say);
    else await trainModels(parseRecipe(text, path), out, say);
  }
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
