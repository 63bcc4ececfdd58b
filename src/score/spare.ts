import { behaviourFamilies, families as familyNames } from '../baseline/row-layout.ts';
import type { Moment } from '../feature/family.ts';
import { families, featureCount, featureNames, featureOffsets } from '../feature/registry.ts';
import type { Contribution } from './contribution.ts';
import { natsOf } from './feature-nats.ts';
import type { Judgement } from './scorer.ts';

/**
 * What people said is to be expected of an event: by feature, so many nats and no more. `observed` puts the event's value into a word, and is asked
 * only where the expectation is of certain values.
 */
export type Excuse = {
  /** Whose word it is: the id of the suppression. */
  readonly by: string;
  readonly allowed: (feature: string, observed: () => string) => number;
};

/** An event as it is when what was excused is left out. What was measured and learned of it is another matter, and stays as it was. */
export type Spared = {
  readonly excuse: Excuse;
  /** Each family's statistic, nats. */
  readonly statistics: Float64Array;
  readonly behaviourP: number;
  readonly contributions: readonly Contribution[];
};

export type SparedOf = {
  readonly moment: Moment;
  readonly vector: { readonly values: Float32Array; readonly offset: number };
  readonly judgement: Judgement;
  readonly contributions: readonly Contribution[];
  readonly excuse: Excuse;
  /** P-value of behaviour's statistic. */
  readonly pOf: (ratio: number) => number;
};

const behaviour = behaviourFamilies.map((name) => familyNames.indexOf(name));

/**
 * A family's statistic is the sum of what its features say, or the most of them, so it is at most the sum of what is left of each. Null when
 * nothing of the event was excused.
 */
export function spare(of: SparedOf): Spared | null {
  const { judgement, excuse } = of;
  const statistics = Float64Array.from(judgement.statistics);
  let isSpared = false;
  for (let k = 0; k < families.length; k++) {
    if (statistics[k]! <= 0) continue;
    const left = leftOf(of, k);
    if (left >= statistics[k]!) continue;
    statistics[k] = left;
    isSpared = true;
  }
  if (!isSpared) return null;
  let [before, after] = [0, 0];
  for (const family of behaviour) {
    before += judgement.statistics[family]!;
    after += statistics[family]!;
  }
  const contributions = of.contributions.flatMap((each) => {
    const nats = each.nats - excuse.allowed(each.feature, () => String(each.observed.observed));
    return nats <= 0 ? [] : [{ ...each, nats }];
  });
  const behaviourP = after < before ? of.pOf(after) : judgement.behaviourP;
  return { excuse, statistics, behaviourP, contributions };
}

/** What a family still has to say: nothing when all its features are excused whatever they say, any amount when none is. */
function leftOf({ moment, vector, excuse }: SparedOf, family: number): number {
  const start = featureOffsets[family]!;
  const end = featureOffsets[family + 1] ?? featureCount;
  let left = 0;
  let isTouched = false;
  let isWhole = true;
  for (let f = start; f < end; f++) {
    const nats = natsOf(vector.values[vector.offset + f]!, f);
    const observed = (): string =>
      nats <= 0 ? '' : String(families[family]!.describe(moment, f - start, moment.resolved).observed);
    const allowed = excuse.allowed(featureNames[f]!, observed);
    if (allowed < Number.POSITIVE_INFINITY) isWhole = false;
    if (allowed > 0 && nats > 0) isTouched = true;
    left += Math.max(0, nats - allowed);
  }
  return isWhole ? 0 : isTouched ? left : Number.POSITIVE_INFINITY;
}
