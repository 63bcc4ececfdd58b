import type { Family } from './family.ts';
import { succeeded, Tally } from './tally.ts';

const tally = new Tally('egress', (moment, _window, into) => {
  if (!succeeded(moment)) return;
  const { responseBytes, weight } = moment.observation;
  const { rows, sensitive } = moment.resolved.event;
  if (responseBytes > 0) into[0] = (weight * responseBytes) / 1024;
  if (rows !== null) into[1] = weight * rows;
  if (sensitive === null) return;
  for (const count of Object.values(sensitive)) into[2] = into[2]! + weight * count;
});

const words = ['KiB received', 'rows or items received', 'sensitive values received'];

/** How much left, over windows: a burst of large answers, or many ordinary ones. D14. */
export const egress: Family = {
  name: 'egress',
  features: tally.names,
  extract: (moment, out, offset) => tally.extract(moment, out, offset),
  learn: (moment, weight) => tally.learn(moment, weight),
  describe: (moment, feature) => tally.describe(moment, feature, { name: (count) => `${count} ${words[feature]!}` }),
};
