import { checkYaml } from '../../src/config/yaml.ts';
import { z } from '../../src/config/zod.ts';
import { hashOf } from '../../src/score/model-folder.ts';

const fusionRecipeSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+-v\d+$/, 'expected a name such as fusion-v1'),
  /** Of pipelines/simulate. */
  simulation: z.enum(['default', 'small']),
  /** Never those that `gait evaluate` measures with. */
  seeds: z.array(z.int().min(0)).min(1),
  /** Until so many days are over, what detectors say is not yet calibrated on the stream, and nothing is learned of it. */
  warmUpDays: z.number().positive(),
  people: z.strictObject({ days: z.int().min(1), humans: z.int().min(1), services: z.int().min(0) }),
  swaps: z.strictObject({ everyHours: z.number().positive(), calls: z.int().min(1) }),
  /** What the weights are before anything is learned, as ratios; a detector that is not named has 1. */
  prior: z.record(z.string(), z.number().min(0)),
  /** How strongly the prior may hold, in the units of the likelihood: families of attacks that are left out decide. */
  ridges: z.array(z.number().positive()).min(1),
  verdict: z.string().min(1),
});
/** The hash is of everything but the verdict, which is written when the tables have been read. */
export type FusionRecipe = z.infer<typeof fusionRecipeSchema> & { readonly hash: string };

export function parseFusionRecipe(text: string, fileName: string): FusionRecipe {
  const recipe = checkYaml(fusionRecipeSchema, text, fileName);
  return { ...recipe, hash: hashOf(JSON.stringify({ ...recipe, verdict: '' })) };
}
