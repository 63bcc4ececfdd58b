import { checkYaml } from '../../src/config/yaml.ts';
import { z } from '../../src/config/zod.ts';
import { hashOf } from '../../src/score/model-folder.ts';

const count = z.int().min(1);
const described = {
  /** Folder under models/; ends in its version. */
  name: z.string().regex(/^[a-z0-9-]+-v\d+$/, 'expected a name such as deviation-v1'),
  /** Share in an event's surprise, and why it has earned no more. Decided by a person who has read docs/evaluation.md. */
  weight: z.number().min(0).max(1),
  verdict: z.string().min(1),
};

const recipeSchema = z.strictObject({
  seed: z.int().min(0),
  traffic: z.strictObject({ days: count, burnInDays: z.int().min(0), humans: count, services: count }),
  ordinaryAbove: z.number().min(0).max(1),
  vectorsMax: count,
  models: z
    .array(
      z.discriminatedUnion('kind', [
        z.strictObject({
          ...described,
          kind: z.literal('network'),
          hidden: z.array(count).min(1),
          activation: z.enum(['tanh', 'relu']),
          epochs: count,
          batchSize: count,
          learningRate: z.number().positive(),
        }),
        z.strictObject({ ...described, kind: z.literal('pca'), components: count }),
      ]),
    )
    .min(1),
});
/** The hash is of everything but the verdicts, which are written when the tables have been read. */
export type Recipe = z.infer<typeof recipeSchema> & { readonly hash: string };
export type ModelRecipe = Recipe['models'][number];

export function parseRecipe(text: string, fileName: string): Recipe {
  const recipe = checkYaml(recipeSchema, text, fileName);
  const models = recipe.models.map((model) => ({ ...model, verdict: '' }));
  return { ...recipe, hash: hashOf(JSON.stringify({ ...recipe, models })) };
}
