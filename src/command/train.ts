import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { exportModel } from '../../pipelines/train/export.ts';
import { fit } from '../../pipelines/train/fit.ts';
import { parseRecipe } from '../../pipelines/train/recipe.ts';
import { GaitError } from '../core/errors.ts';

const packageRoot = new URL('../../../', import.meta.url);
const fromPackage = (path: string): string => fileURLToPath(new URL(path, packageRoot));

export type TrainCommandOptions = { readonly recipe?: string; readonly out?: string };

/** `gait train`: a recipe becomes model folders under `out`; the same recipe gives the same folders, byte for byte. */
export async function train(options: TrainCommandOptions): Promise<void> {
  const path = options.recipe ?? fromPackage('pipelines/train/recipe.yaml');
  const recipe = parseRecipe(readText(path), path);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const trained = await fit(recipe, say);
  for (const [i, model] of trained.entries()) {
    say(exportModel(model, recipe.models[i]!, options.out ?? fromPackage('models')));
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new GaitError('INPUT_UNREADABLE', `${path} cannot be read`, { cause });
  }
}
