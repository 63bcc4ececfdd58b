import { activeAt, tallyWindowsMs } from '../baseline/active-layout.ts';
import { dimensionIndex } from '../baseline/row-layout.ts';
import type { Family } from './family.ts';
import { distinctIncrement, markDistinct, Tally } from './tally.ts';

const functionDimension = dimensionIndex('function');

const tally = new Tally('probing', (moment, window, into) => {
  const { values, outcome, weight } = moment.observation;
  const of = { value: values[functionDimension]!, window, count: tally.soFar(moment, window, 0) };
  into[0] = distinctIncrement(moment, activeAt.functionsSeen[window]!, of);
  if (outcome === 1) into[1] = weight;
  if (outcome === 2) into[2] = weight;
});

const words = ['distinct functions called', 'calls refused (401 or 403)', 'calls answered with another 4xx'];

/** How much of the API is tried, and how often in vain. D08, D20. */
export const probing: Family = {
  name: 'probing',
  features: tally.names,
  extract: (moment, out, offset) => tally.extract(moment, out, offset),
  learn: (moment, weight) => {
    tally.learn(moment, weight);
    for (let window = 0; window < tallyWindowsMs.length; window++)
      markDistinct(moment, activeAt.functionsSeen[window]!, moment.observation.values[functionDimension]!);
  },
  describe: (moment, feature) => tally.describe(moment, feature, { name: (count) => `${count} ${words[feature]!}` }),
};
