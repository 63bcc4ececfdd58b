import { checkYaml } from '../config/yaml.ts';
import { z } from '../config/zod.ts';
import { incidentRecipes } from './catalogue.ts';

/**
 * Recipe: what `gait simulate` is asked for, as people write it (pipelines/simulate/*.yaml). In: YAML text. Out: a checked Recipe with defaults filled
 * in. What an attack or look-alike is stands in code (catalogue.ts); a recipe says how many and how strong.
 */
const share = z.number().min(0).max(1);
/** One number for all, or the range from which each incident takes its own. */
const knob = (max: number) =>
  z.union([z.number().min(0).max(max), z.tuple([z.number().min(0).max(max), z.number().min(0).max(max)])]);

const dose = z.strictObject({ count: z.int().min(0).max(1000), intensity: knob(100), stealth: knob(1) });

const incidents = (kind: 'attack' | 'look-alike') => {
  const names = incidentRecipes.filter((recipe) => recipe.kind === kind).map((recipe) => recipe.name);
  return z
    .strictObject({
      every: dose.partial().prefault({}),
      /** Other doses, by name of the recipe; `count: 0` leaves one out. */
      but: z.partialRecord(z.enum(names, `expected one of ${names.join(', ')}`), dose.partial()).default({}),
    })
    .prefault({});
};

const schema = z.strictObject({
  version: z.literal(1),
  /** The first moment, UTC. A Monday makes weeks easy to read. */
  start: z.iso.datetime().transform((text) => Date.parse(text)),
  days: z.number().min(0.5).max(400),
  identities: z.int().min(20).max(1_000_000),
  /** Customers of the multi-tenant API; the partner API has half as many. */
  tenants: z.int().min(1).max(10_000).default(24),
  /** Scales how often people and services come. */
  activity: z.number().min(0.01).max(100).default(1),
  /** Part of the span before the first incident. */
  warmUp: share.default(0.4),
  /** Attacks stop choosing identities when so many have been chosen. */
  attackedShareMax: share.default(0.04),
  /** Share of the identities by API. */
  apis: z
    .strictObject({ shop: share, bank: share, saas: share, partner: share, mesh: share })
    .refine(
      (shares) => Math.abs(Object.values(shares).reduce((a, b) => a + b) - 1) < 1e-6,
      'the shares must add up to 1',
    )
    .prefault({ shop: 0.42, bank: 0.2, saas: 0.24, partner: 0.08, mesh: 0.06 }),
  attacks: incidents('attack'),
  lookAlikes: incidents('look-alike'),
});

export type Recipe = Readonly<z.output<typeof schema>>;
export type Knob = z.output<ReturnType<typeof knob>>;
export type Dose = { readonly count: number; readonly intensity: Knob; readonly stealth: Knob };

/** Fails with CONFIG_INVALID, one line `file:line:column: field: cause` for each mistake. */
export function parseSimulationRecipe(text: string, fileName: string): Recipe {
  return checkYaml(schema, text, fileName) as Recipe;
}

/** How much of one incident recipe a recipe asks for. */
export function doseOf(recipe: Recipe, kind: 'attack' | 'look-alike', name: string): Dose {
  const { every, but } = kind === 'attack' ? recipe.attacks : recipe.lookAlikes;
  const own = but[name];
  return {
    count: own?.count ?? every.count ?? 3,
    intensity: own?.intensity ?? every.intensity ?? 1,
    stealth: own?.stealth ?? every.stealth ?? 0.5,
  };
}
