import { detectors } from '../../src/baseline/row-layout.ts';
import type { DaysOf, LabelledDays } from './fusion-days.ts';
import type { FusionRecipe } from './fusion-recipe.ts';

/**
 * How much each detector's word weighs: a logistic regression of "is this identity-day an attack's strongest?" on what the detectors said, with
 * weights that are never negative (no detector's alarm may speak for innocence) and a ridge towards a prior, because a few dozen kinds of
 * simulated attack are not all that there are.
 *
 *   minimise  sum_i c_i ln(1 + exp(-y_i (b0 + b·x_i)))  +  ridge/2 |b - s·prior|²,   b >= 0
 *
 * s is the prior's own best scale. Each family of attacks counts alike, however many kinds of it were made up.
 */
export type Weights = readonly number[];

/** Days as columns, one per detector, each with a last number that is the same everywhere and carries the intercept. */
type Samples = {
  readonly columns: readonly Float64Array[];
  readonly isAttack: Uint8Array;
  readonly count: Float64Array;
};

const sweepsMax = 300;
const stepEnough = 1e-5;
/** No step is longer, so that none of them overshoots. */
const stepMax = 0.5;

/** Weights relative to the largest, three decimals. */
export function fitFusion(days: LabelledDays, of: { readonly prior: Weights; readonly ridge: number }): Weights {
  const samples = samplesOf(days);
  const [scale] = regress({ ...samples, columns: [alongPrior(samples, of.prior)] }, { towards: [0], ridge: 0 });
  const towards = of.prior.map((weight) => weight * scale!);
  const weights = regress(samples, { towards, ridge: of.ridge });
  const largest = Math.max(...weights);
  return weights.map((weight) => Math.round((1000 * weight) / largest) / 1000);
}

export function priorOf({ prior }: Pick<FusionRecipe, 'prior'>): Weights {
  return detectors.map((name) => prior[name] ?? 1);
}

/** Of an incident the day on which most was said: on its others it may have done nothing. */
function samplesOf({ clean, incidents }: LabelledDays): Samples {
  const families = new Map<string, number>();
  for (const { family } of incidents) families.set(family, (families.get(family) ?? 0) + 1);
  const share = incidents.length / families.size;
  const rows = [...clean, ...incidents.map(({ days }) => strongest(days))];
  const attack = (i: number) => incidents[i - clean.length];
  return {
    columns: detectors.map((_, j) => Float64Array.from(rows, (row) => row[j]!)),
    isAttack: Uint8Array.from(rows, (_, i) => (i < clean.length ? 0 : 1)),
    count: Float64Array.from(rows, (_, i) => (i < clean.length ? 1 : share / families.get(attack(i)!.family)!)),
  };
}

function strongest(days: readonly Float64Array[]): Float64Array {
  return days.reduce((best, day) => (total(day) > total(best) ? day : best));
}

function alongPrior({ columns, count }: Samples, prior: Weights): Float64Array {
  return count.map((_, i) => columns.reduce((sum, column, j) => sum + prior[j]! * column[i]!, 0));
}

/** Coordinate descent with Newton's steps: the loss is convex, and the same days give the same weights. */
function regress(samples: Samples, of: { readonly towards: Weights; readonly ridge: number }): number[] {
  const { isAttack, count } = samples;
  const columns = [...samples.columns, count.map(() => 1)];
  const intercept = samples.columns.length;
  const attacks = count.reduce((sum, each, i) => sum + isAttack[i]! * each, 0);
  const weights = [...of.towards, Math.log(attacks / (total(count) - attacks))];
  const logits = count.map((_, i) => columns.reduce((sum, column, j) => sum + weights[j]! * column[i]!, 0));
  for (let sweep = 0, longest = 1; sweep < sweepsMax && longest > stepEnough; sweep++) {
    longest = 0;
    for (const [j, column] of columns.entries()) {
      const ridge = j === intercept ? 0 : of.ridge;
      const { slope, curve } = derivatives(samples, logits, column);
      const pull = ridge * (weights[j]! - (of.towards[j] ?? 0));
      const step = -(slope + pull) / (curve + ridge + 1e-9);
      const wanted = weights[j]! + Math.max(-stepMax, Math.min(stepMax, step));
      const moved = (j === intercept ? wanted : Math.max(0, wanted)) - weights[j]!;
      if (moved === 0) continue;
      weights[j]! += moved;
      for (let i = 0; i < column.length; i++) logits[i]! += moved * column[i]!;
      longest = Math.max(longest, Math.abs(moved));
    }
  }
  return weights.slice(0, intercept);
}

/** Of the negative log-likelihood along one weight. */
function derivatives({ isAttack, count }: Samples, logits: Float64Array, column: Float64Array) {
  let slope = 0;
  let curve = 0;
  for (let i = 0; i < column.length; i++) {
    const value = column[i]!;
    if (value === 0) continue;
    const p = 1 / (1 + Math.exp(-logits[i]!));
    slope += count[i]! * (p - isAttack[i]!) * value;
    curve += count[i]! * p * (1 - p) * value * value;
  }
  return { slope, curve };
}

/** What a rule makes of a day: the higher, the more suspicious. */
export type Rule = (day: Float64Array) => number;

export const weighed =
  (weights: Weights): Rule =>
  (day) =>
    dot(weights, day);
export const largest: Rule = (day) => Math.max(...day);

/** Incidents of which a day is above all but so many of a thousand clean days. */
export function found(days: LabelledDays, of: { readonly rule: Rule; readonly per1000: number }): readonly DaysOf[] {
  const { rule, per1000 } = of;
  const clean = days.clean.map(rule).sort((a, b) => b - a);
  const threshold = clean[Math.max(1, Math.round((per1000 / 1000) * clean.length))] ?? 0;
  return days.incidents.filter((incident) => incident.days.some((day) => rule(day) > threshold));
}

function dot(weights: Weights, x: Float64Array): number {
  let all = 0;
  for (let j = 0; j < weights.length; j++) all += weights[j]! * x[j]!;
  return all;
}

function total(day: Float64Array): number {
  return day.reduce((a, b) => a + b, 0);
}
