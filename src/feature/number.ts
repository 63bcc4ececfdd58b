import type { BaselineLevel } from '../baseline/row-layout.ts';
import { learnNormal, type Normal, shrink } from '../baseline/statistics.ts';
import type { Moment, Observed } from './family.ts';

/** Where a number that is taken as normal lives, and what is assumed of it before anybody was seen. */
export type NumberOptions = {
  /** Its place among the population's moments. */
  readonly index: number;
  readonly ignorance: { readonly mean: number; readonly variance: number };
  /** Observations that the peers' habits weigh against the identity's own. */
  readonly peerStrength: number;
  /** The row's memory, in observations. */
  readonly memory: number;
  /** Nobody is so regular that less spread than this would mean anything. */
  readonly varianceMin: number;
};

/** Observations that everyone's habits weigh against the peers', and that ignorance weighs against everyone's. */
const everyoneStrength = 20;
const ignoranceStrength = 4;

/** A normal number's baseline in three words of the row (mean, variance, weight): self, shrunk towards peers, towards everyone, towards ignorance. */
export class NumberBaseline {
  readonly #options: NumberOptions;
  readonly #own: Normal = { mean: 0, variance: 0, weight: 0 };
  readonly #prior: Normal = { mean: 0, variance: 0, weight: 0 };
  readonly #predicted: Normal = { mean: 0, variance: 0, weight: 0 };

  constructor(options: NumberOptions) {
    this.#options = options;
  }

  /** Reused by the next prediction. */
  predict(moment: Moment, start: number): Normal {
    const { index, ignorance, peerStrength, varianceMin } = this.#options;
    const everyone = moment.population.sums(0).moments;
    const weight = everyone[index * 3]! + ignoranceStrength;
    let mean = (everyone[index * 3 + 1]! + ignoranceStrength * ignorance.mean) / weight;
    const assumed = ignorance.variance + ignorance.mean * ignorance.mean;
    let square = (everyone[index * 3 + 2]! + ignoranceStrength * assumed) / weight;
    if (moment.group > 0) {
      const peers = moment.population.sums(moment.group).moments;
      const shared = peers[index * 3]! + everyoneStrength;
      mean = (peers[index * 3 + 1]! + everyoneStrength * mean) / shared;
      square = (peers[index * 3 + 2]! + everyoneStrength * square) / shared;
    }
    this.#prior.mean = mean;
    this.#prior.variance = Math.max(varianceMin, square - mean * mean);
    const { f32 } = moment.slab;
    this.#own.mean = f32[start]!;
    this.#own.variance = f32[start + 1]!;
    this.#own.weight = f32[start + 2]!;
    this.#prior.weight = peerStrength;
    return shrink(this.#own, this.#prior, this.#predicted);
  }

  /** Clipped to three standard deviations around the prediction, so that no single value moves the mean far. */
  learn(moment: Moment, start: number, value: { readonly number: number; readonly weight: number }): void {
    const predicted = this.predict(moment, start);
    const spread = 3 * Math.sqrt(predicted.variance);
    const clipped = Math.max(predicted.mean - spread, Math.min(predicted.mean + spread, value.number));
    learnNormal(moment.slab.f32, start, { number: clipped, weight: value.weight, memory: this.#options.memory });
    moment.population.addNumber(moment.group, this.#options.index, clipped);
  }

  /** What was predicted, in the unit of what is measured, by the inverse of what made it a number. */
  describe(
    moment: Moment,
    start: number,
    { observed, measuredOf }: { readonly observed: number; readonly measuredOf: (number: number) => number },
  ): Omit<Observed, 'text'> & { readonly observations: number } {
    const predicted = this.predict(moment, start);
    const spread = 1.64 * Math.sqrt(predicted.variance);
    const self = moment.slab.f32[start + 2]!;
    const { index, peerStrength } = this.#options;
    const measured = (number: number): number => Math.max(0, Math.round(measuredOf(number)));
    const peers = moment.population.sums(moment.group).moments[index * 3]!;
    const everyone = moment.population.sums(0).moments[index * 3]!;
    const level: BaselineLevel =
      self >= peerStrength ? 'self' : moment.group > 0 && peers >= everyoneStrength ? 'peers' : 'everyone';
    return {
      observed,
      expected: measured(predicted.mean),
      low: measured(predicted.mean - spread),
      high: measured(predicted.mean + spread),
      level,
      sampleSize: Math.round(level === 'self' ? self : level === 'peers' ? peers : everyone),
      observations: self + everyone,
    };
  }
}
