import { featureCount, featureNames } from '../feature/registry.ts';
import type { Model } from '../score/model.ts';

/** Rarities repeat what novelty and context say; rate and volume are standardised, the others log ratios, so nats as they are. */
const counted = featureNames.map((name) => !name.endsWith('_rarity'));
const standardised = featureNames.map((name) => name.startsWith('rate.') || name.startsWith('volume.'));

/** The simplest rival of a model: the largest deviation alone, in nats. Trained on nothing. */
export function largestDeviation(weight: number): Model {
  const score = (vectors: Float32Array, rows: number): Float32Array =>
    Float32Array.from({ length: rows }, (_, row) => {
      let largest = 0;
      for (let f = 0; f < featureCount; f++) {
        const deviation = Math.max(0, vectors[row * featureCount + f]!);
        if (counted[f]) largest = Math.max(largest, standardised[f] ? deviation ** 2 / 2 : deviation);
      }
      return largest;
    });
  return { name: 'largest deviation', weight, backend: 'plain', score };
}
