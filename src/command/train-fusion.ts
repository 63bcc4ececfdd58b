import { fitFusion, priorOf } from '../../pipelines/train/fusion.ts';
import { DayCollector, type LabelledDays } from '../../pipelines/train/fusion-days.ts';
import { exportFusion } from '../../pipelines/train/fusion-export.ts';
import type { FusionRecipe } from '../../pipelines/train/fusion-recipe.ts';
import { chooseRidge, validate } from '../../pipelines/train/fusion-validation.ts';
import { synthesize } from '../../pipelines/train/synthesize.ts';
import { detectors } from '../baseline/row-layout.ts';
import { printTable } from '../evaluate/table.ts';
import type { ShardOptions } from '../pipeline.ts';
import { createPolicy } from '../policy/decide.ts';
import { readPolicy } from '../role/assemble.ts';
import { equalFusion } from '../score/fusion-folder.ts';
import { defaultConfig, pass } from './evaluate-engine.ts';
import { simulatedSet } from './evaluate-sets.ts';

const hourMs = 3_600_000;

type Say = (line: string) => void;

/** The weights of the detectors: identity-days of simulated traffic, a regression, and what it is worth on attacks that it was not shown. */
export function trainFusion(recipe: FusionRecipe, out: string, say: Say): void {
  const days = joined(collect(recipe, say));
  const prior = priorOf(recipe);
  const ridge = chooseRidge(days, prior, recipe.ridges);
  const weights = fitFusion(days, { prior, ridge });
  const { table, metrics } = validate(days, { prior, ridge });
  say(printTable(table));
  say(`ridge ${ridge}; ${detectors.map((name, d) => `${name} ${weights[d]}`).join(', ')}`);
  say(exportFusion({ recipe, weights, days, metrics: { ridge, ...metrics }, table }, out));
}

function collect(recipe: FusionRecipe, say: Say): LabelledDays[] {
  const plan = { fromDay: recipe.warmUpDays, everyMs: recipe.swaps.everyHours * hourMs, calls: recipe.swaps.calls };
  const tell = (name: string, days: LabelledDays): LabelledDays => {
    say(`${name}: ${days.clean.length} identity-days of nobody's incident, ${days.incidents.length} incidents`);
    return days;
  };
  const simulated = recipe.seeds.map((seed) => {
    const collector = new DayCollector(engineOptions(), { ...plan, seed });
    const set = simulatedSet(recipe.simulation, seed);
    const { incidents } = pass(set, (event) => collector.accept(event));
    return tell(set.name, collector.end(incidents));
  });
  const seed = recipe.seeds[0]!;
  const collector = new DayCollector(engineOptions(), { ...plan, seed });
  for (const event of synthesize({ ...recipe.people, seed })) collector.accept(event);
  return [...simulated, tell('people with habits', collector.end([]))];
}

/** The engine as shipped, but with all detectors alike, so that what is learned does not depend on what was learned before. */
function engineOptions(): ShardOptions {
  const config = defaultConfig();
  const own = { shard: 0, fusion: equalFusion, model: null, policy: createPolicy(readPolicy(config)) };
  return { ...config.detect, ...own };
}

function joined(all: readonly LabelledDays[]): LabelledDays {
  return { clean: all.flatMap(({ clean }) => clean), incidents: all.flatMap(({ incidents }) => incidents) };
}
