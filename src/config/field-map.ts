import { readFileSync } from 'node:fs';
import { GaitError } from '../core/errors.ts';
import { checkYaml } from './yaml.ts';
import { z } from './zod.ts';

const path = z.string().min(1);
const rule = z
  .union([
    path.transform((from) => ({ from })),
    z.strictObject({ from: z.union([path, z.array(path).min(1)]), case: z.enum(['lower', 'upper']).optional() }),
    z.strictObject({ constant: z.union([z.string(), z.number(), z.boolean()]) }),
  ])
  .describe('a path into the record, {from, case} or {constant}');
export type FieldMapFile = { readonly fields: Readonly<Partial<Record<string, z.output<typeof rule>>>> };

/**
 * A mapping file (`--map`): canonical field to where it stands in the record. Fails with CONFIG_INVALID and the place, also for a field that is
 * not among `names`: a typing error would lose it in silence.
 */
export function readFieldMap(fileName: string, names: readonly string[]): FieldMapFile {
  let text: string;
  try {
    text = readFileSync(fileName, 'utf8');
  } catch (cause) {
    throw new GaitError('CONFIG_INVALID', `the mapping file ${fileName} cannot be read`, { cause });
  }
  return checkYaml(z.strictObject({ fields: z.partialRecord(z.enum(names), rule) }), text, fileName);
}
