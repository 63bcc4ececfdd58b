import { featureNames, featureOffsets } from '../feature/registry.ts';

/** The family of each feature, by number. */
export const familyOf: readonly number[] = featureNames.map((_, f) =>
  featureOffsets.findLastIndex((first) => first <= f),
);

const scales = featureNames.map((name) =>
  name.endsWith('_rarity') ? 'rarity' : /^(rate|volume)\./.test(name) ? 'standardised' : 'nats',
);

/** Standardised deviations in nats (z²/2), log ratios as they are; rarities only serve the model. */
export function natsOf(deviation: number, feature: number): number {
  if (deviation <= 0) return 0;
  const scale = scales[feature]!;
  return scale === 'rarity' ? 0 : scale === 'standardised' ? (deviation * deviation) / 2 : deviation;
}
