import { detectors } from '../../src/baseline/row-layout.ts';
import { printTable, type Table } from '../../src/evaluate/table.ts';
import type { FusionManifest } from '../../src/score/fusion-folder.ts';
import { hashOf } from '../../src/score/model-folder.ts';
import { writeFolder } from './export.ts';
import type { Weights } from './fusion.ts';
import type { LabelledDays } from './fusion-days.ts';
import type { FusionRecipe } from './fusion-recipe.ts';

export type TrainedFusion = {
  readonly recipe: FusionRecipe;
  readonly weights: Weights;
  readonly days: LabelledDays;
  readonly metrics: Readonly<Record<string, number>>;
  readonly table: Table;
};

/** Writes models/<name>/ under the same rule as every model: a released folder never changes. */
export function exportFusion(trained: TrainedFusion, out: string): string {
  const { recipe, weights, days, metrics } = trained;
  const file = Buffer.from(`${JSON.stringify(weights)}\n`);
  const manifest: FusionManifest = {
    name: recipe.name,
    kind: 'fusion',
    detectors: [...detectors],
    recipeHash: recipe.hash,
    seeds: [...recipe.seeds],
    trainedOn: { cleanDays: days.clean.length, incidents: days.incidents.length },
    metrics: { ...metrics },
    sha256: { 'weights.json': hashOf(file) },
  };
  return writeFolder({ out, manifest, files: new Map([['weights.json', file]]), card: card(trained) });
}

function card({ recipe, weights, days, table }: TrainedFusion): string {
  const { swaps, seeds } = recipe;
  const rows = detectors.map((name, d) => `| ${name} | ${weights[d]} |`);
  return `# ${recipe.name}

Weights of the ${detectors.length} detectors in an identity-day's evidence. Written by \`gait train\` (recipe ${recipe.hash.slice(0, 12)}); do not edit.

**Use.** What each detector has to say of an identity's day beyond the ordinary (nats) is multiplied by its weight and added up; how rare the sum is among
identity-days is the evidence (src/finding/evidence-budget.ts). Only ratios matter once a stream has been calibrated.

**Verdict.** ${recipe.verdict.trim()}

| detector | weight |
|---|---|
${rows.join('\n')}

**Method.** Logistic regression, weights never negative, ridge towards a prior of equal weights with ${JSON.stringify(recipe.prior)}. Each family of attacks counts
alike. The ridge is the strongest that is within one standard error of the best on families of attacks left out.

**Data.** ${days.clean.length} identity-days of nobody's incident, ${days.incidents.length} incidents (of each its strongest day), from simulated traffic of the seeds ${seeds.join(', ')} and from
synthesised people with habits. In both, every ${swaps.everyHours} hours ${swaps.calls} consecutive calls of one identity were made under the name, device and place of another of
its tenant. No recorded traffic, nothing of the sets that it is evaluated on.

${printTable(table)}
**Limits.** Attacks made up by the same people who made the detectors. What gateways report decides which detectors can speak at all. Results: docs/evaluation.md.
`;
}
