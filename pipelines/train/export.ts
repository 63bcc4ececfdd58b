import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GaitError } from '../../src/core/errors.ts';
import { makeFolder } from '../../src/core/folder.ts';
import type { TrainedModel } from './fit.ts';
import type { ModelRecipe } from './recipe.ts';

/** Writes models/<name>/ as `writeFolder` does. Returns what was done, for a person. */
export function exportModel(trained: TrainedModel, recipe: ModelRecipe, out: string): string {
  return writeFolder({ ...trained, out, card: card(trained, recipe) });
}

/**
 * A released folder never changes: where one stands already, it must hold the same model, and nothing is written. Fails with MODEL_INVALID when
 * another model stands there.
 */
export function writeFolder(of: {
  readonly out: string;
  readonly manifest: { readonly name: string };
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly card: string;
}): string {
  const folder = join(of.out, of.manifest.name);
  const files = new Map([...of.files, ['manifest.json', Buffer.from(`${JSON.stringify(of.manifest, null, 2)}\n`)]]);
  if (existsSync(join(folder, 'manifest.json'))) {
    const changed = [...files].filter(([name, bytes]) => !sameFile(join(folder, name), bytes)).map(([name]) => name);
    if (changed.length === 0) return `${folder}: the same model again, byte for byte`;
    const why = 'a released model never changes; choose another name in the recipe, or another folder with --out';
    throw new GaitError('MODEL_INVALID', `${folder} holds another model (${changed.join(', ')} differ): ${why}`);
  }
  makeFolder(folder);
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  writeFileSync(join(folder, 'README.md'), of.card);
  return `${folder}: written`;
}

function sameFile(path: string, bytes: Uint8Array): boolean {
  return existsSync(path) && readFileSync(path).equals(bytes);
}

function card({ manifest, files }: TrainedModel, recipe: ModelRecipe): string {
  const { trainedOn, metrics, features } = manifest;
  const shape =
    recipe.kind === 'network'
      ? `autoencoder ${[features.length, ...recipe.hidden, features.length].join('-')}, ${recipe.activation}, ${files.get('weights.bin')!.length} bytes of weights, tfjs layers format`
      : `${recipe.components} principal components of ${features.length} features, as JSON`;
  const rows = Object.entries(metrics).map(([name, value]) => `| ${name} | ${value.toFixed(4)} |`);
  return `# ${manifest.name}

${shape}. Written by \`gait train\` (seed ${manifest.seed}, recipe ${manifest.recipeHash.slice(0, 12)}); do not edit.

**Use.** Gives an event's vector of deviations one number: how unlike ordinary combinations of deviations it is. It is one voice of an event's
\`surprise\`, with the weight ${manifest.weight}; it opens no finding by itself.

**Verdict.** ${recipe.verdict.trim()}

**Statistic.** x are the deviations above zero (less like the identity), each over its usual size and clipped to 6; y is what the model makes of them. Half the
sum of squared residuals (x - y) above zero, each over its usual size on training data and clipped to 6. Nats; calibrated on the stream before it is used.

**Data.** ${trainedOn.vectors} ordinary deviation vectors of ${trainedOn.events} synthesised events (pipelines/train/synthesize.ts), extracted by the engine's own
pass 1. No recorded traffic, no personal data, no attack, nothing of the sets that it is evaluated on.

| measured on held-out vectors | |
|---|---|
${rows.join('\n')}

**Limits.** Trained on made-up people: what real traffic correlates otherwise, it takes for odd, and the calibration on the stream only corrects the
scale. It sees one event at a time. Fields that a gateway never reports are zero and say nothing. Results: docs/evaluation.md.
`;
}
