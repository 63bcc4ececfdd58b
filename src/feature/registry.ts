import { createHash } from 'node:crypto';
import { families as familyNames } from '../baseline/row-layout.ts';
import { calendar } from './calendar.ts';
import { change } from './change.ts';
import { context } from './context.ts';
import { egress } from './egress.ts';
import { errors } from './errors.ts';
import type { Family } from './family.ts';
import { novelty } from './novelty.ts';
import { objects } from './objects.ts';
import { patterns } from './patterns.ts';
import { probing } from './probing.ts';
import { rate } from './rate.ts';
import { reach } from './reach.ts';
import { rhythm } from './rhythm.ts';
import { sequence } from './sequence.ts';
import { source } from './source.ts';
import { token } from './token.ts';
import { volume } from './volume.ts';

/** In the order of `families` in the row layout. */
export const families: readonly Family[] = [
  rate,
  novelty,
  context,
  calendar,
  errors,
  volume,
  objects,
  change,
  probing,
  egress,
  rhythm,
  token,
  reach,
  patterns,
  source,
  sequence,
];

/** `family.feature` for every number of the deviation vector, in order. */
export const featureNames: readonly string[] = families.flatMap((family) =>
  family.features.map((feature) => `${family.name}.${feature}`),
);
export const featureCount = featureNames.length;
export const featureOffsets: readonly number[] = familyNames.map((_, i) =>
  families.slice(0, i).reduce((sum, family) => sum + family.features.length, 0),
);

/** A model is trained for exactly these features in this order; its manifest carries the same hash. */
export const featureHash = createHash('sha256').update(featureNames.join('\n')).digest('hex');
