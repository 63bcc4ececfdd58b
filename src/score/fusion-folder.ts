import { detectors } from '../baseline/row-layout.ts';
import { z } from '../config/zod.ts';
import { parseFile, readListed, refuse } from './model-folder.ts';

/**
 * What was learned of how much each detector's word weighs: a logistic regression with weights that are never negative, on simulated attacks
 * and on people who act under another's name (pipelines/train/fusion.ts).
 */
const manifestSchema = z.strictObject({
  name: z.string(),
  kind: z.literal('fusion'),
  detectors: z.array(z.string()),
  /** SHA-256 of the recipe but for its verdict, and the seeds of the simulated traffic. */
  recipeHash: z.string(),
  seeds: z.array(z.int()),
  trainedOn: z.strictObject({ cleanDays: z.int(), incidents: z.int() }),
  metrics: z.record(z.string(), z.number()),
  /** Of every other file in the folder that is not Markdown. */
  sha256: z.record(z.string(), z.string()),
});
export type FusionManifest = z.infer<typeof manifestSchema>;

/** In the order of the manifest's detectors. */
const weightsSchema = z.array(z.number().min(0)).length(detectors.length);

/** All detectors alike: what is used without a trained fusion, and what a trained one has to beat. */
export const equalFusion: readonly number[] = detectors.map(() => 1);

/** Weights in the order of `detectors`. Fails with MODEL_INVALID: unreadable, tampered with, or trained for other detectors than this program has. */
export function readFusion(dir: string): readonly number[] {
  const { detectors: names, sha256 } = parseFile(manifestSchema, dir, 'manifest.json');
  if (names.join() !== detectors.join())
    throw refuse(dir, 'it was trained for other detectors; train it again: gait train');
  if (!readListed(dir, sha256).has('weights.json')) throw refuse(dir, 'manifest.json does not list weights.json');
  return parseFile(weightsSchema, dir, 'weights.json');
}
