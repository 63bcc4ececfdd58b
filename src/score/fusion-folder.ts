import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { detectors } from '../baseline/row-layout.ts';
import { z } from '../config/zod.ts';
import { describeError, GaitError } from '../core/errors.ts';

/**
 * What was learned of how much each detector's word weighs: a logistic regression with weights that are never negative, on simulated attacks of other
 * kinds than those it is judged by (docs/evaluation.md).
 */
const schema = z.strictObject({
  name: z.string(),
  kind: z.literal('fusion'),
  detectors: z.array(z.string()),
  weights: z.array(z.number().min(0)),
  /** SHA-256 of the recipe file, and the seeds of the simulated traffic. */
  recipeHash: z.string(),
  seeds: z.array(z.int()),
  metrics: z.record(z.string(), z.number()),
});

/** All detectors alike: what is used without a trained fusion, and what a trained one has to beat. */
export const equalFusion: readonly number[] = detectors.map(() => 1);

/** Weights in the order of `detectors`. Fails with MODEL_INVALID: unreadable, or trained for other detectors than this program has. */
export function readFusion(dir: string): readonly number[] {
  try {
    const { detectors: names, weights } = schema.parse(JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8')));
    if (names.join() !== detectors.join() || weights.length !== names.length)
      throw new GaitError('MODEL_INVALID', `${dir}: it was trained for other detectors; train it again: gait train`);
    return weights;
  } catch (cause) {
    if (cause instanceof GaitError) throw cause;
    throw new GaitError('MODEL_INVALID', `${dir}: ${describeError(cause)}`, { cause });
  }
}
