import type { Table } from '../../src/evaluate/table.ts';
import { percent } from '../../src/evaluate/table.ts';
import { fitFusion, found, largest, type Rule, type Weights, weighed } from './fusion.ts';
import type { DaysOf, LabelledDays } from './fusion-days.ts';

/** Clean identity-days per 1,000 that may be as high, in the tables. */
const per1000 = 1;
/** And for the choice of the ridge: at one budget alone a handful of incidents would decide. */
const budgets = [0.5, 1, 2, 5, 10];

type Group = 'recipe' | 'family';
export type Fit = { readonly prior: Weights; readonly ridge: number };

/** Incidents found by weights that were learned without their recipe, or without their whole family. */
export function leaveOut(days: LabelledDays, by: Group, of: Fit & { readonly budgets?: readonly number[] }): DaysOf[] {
  const groups = [...new Set(days.incidents.map((incident) => incident[by]))].sort();
  return groups.flatMap((group) => {
    const rest = days.incidents.filter((incident) => incident[by] !== group);
    const rule = weighed(fitFusion({ clean: days.clean, incidents: rest }, of));
    const held = { clean: days.clean, incidents: days.incidents.filter((incident) => incident[by] === group) };
    return (of.budgets ?? [per1000]).flatMap((each) => found(held, { rule, per1000: each }));
  });
}

/** Share found of each family, and the mean: families count alike here, too. */
function shareByFamily(
  days: LabelledDays,
  hits: readonly DaysOf[],
): { readonly mean: number; readonly shares: number[] } {
  const families = [...new Set(days.incidents.map(({ family }) => family))];
  const countOf = (of: readonly DaysOf[], name: string): number => of.filter(({ family }) => family === name).length;
  const shares = families.map((name) => countOf(hits, name) / countOf(days.incidents, name));
  return { mean: shares.reduce((a, b) => a + b, 0) / shares.length, shares };
}

/**
 * The strongest ridge that finds as much, of families that it has not seen, as the best does but for one standard error over the families (the rule of
 * Breiman et al. 1984): what a dozen families cannot tell apart is left to the prior.
 */
export function chooseRidge(days: LabelledDays, prior: Weights, ridges: readonly number[]): number {
  const scored = ridges.map((ridge) => {
    const { shares } = shareByFamily(days, leaveOut(days, 'family', { prior, ridge, budgets }));
    const scores = shares.map((share) => share / budgets.length);
    return { ridge, ...meanAndError(scores) };
  });
  const best = scored.reduce((a, b) => (b.mean > a.mean ? b : a));
  return Math.max(...scored.flatMap(({ ridge, mean }) => (mean >= best.mean - best.error ? [ridge] : [])));
}

function meanAndError(values: readonly number[]): { mean: number; error: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1);
  return { mean, error: Math.sqrt(variance / values.length) };
}

/** What the weights are worth, by name: share of incidents found, each kind of attack and each family alike, at 1 clean identity-day in 1,000. */
export function validate(days: LabelledDays, of: Fit): { table: Table; metrics: Record<string, number> } {
  const equal = weighed(of.prior.map(() => 1));
  const rules: readonly [string, (by: Group) => readonly DaysOf[]][] = [
    ['equal', always(days, equal)],
    ['max', always(days, largest)],
    ['prior', always(days, weighed(of.prior))],
    ['learned', (by) => leaveOut(days, by, of)],
  ];
  const hits = rules.map(([, hitsOf]) => ({ recipe: hitsOf('recipe'), family: hitsOf('family') }));
  const recipes = [...new Set(days.incidents.map(({ recipe }) => recipe))].sort();
  const rows = recipes.map((recipe) => {
    const own = (all: readonly DaysOf[]): number => all.filter((each) => each.recipe === recipe).length;
    const counts = hits.map((each) => String(own(each.recipe)));
    return [recipe, String(own(days.incidents)), ...counts, String(own(hits.at(-1)!.family))];
  });
  const all = days.incidents.length;
  const summary = hits.map((each) => percent(each.recipe.length, all));
  const metrics = Object.fromEntries(
    rules.flatMap(([name], i) => [
      [`${name}Found`, round(hits[i]!.recipe.length / all)],
      [`${name}FoundByFamily`, round(shareByFamily(days, hits[i]!.recipe).mean)],
    ]),
  );
  metrics.learnedFoundFamilyLeftOut = round(hits.at(-1)!.family.length / all);
  metrics.learnedFoundByFamilyLeftOut = round(shareByFamily(days, hits.at(-1)!.family).mean);
  const title = `Incidents found at ${per1000} clean identity-day in 1,000, the learned weights without that kind of attack, or without its family`;
  const columns = ['attack', 'incidents', ...rules.map(([name]) => name), 'family left out'];
  const last = ['all', String(all), ...summary, percent(hits.at(-1)!.family.length, all)];
  return { table: { title, columns, rows: [...rows, last] }, metrics };
}

function always(days: LabelledDays, rule: Rule): () => readonly DaysOf[] {
  const hits = found(days, { rule, per1000 });
  return () => hits;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
