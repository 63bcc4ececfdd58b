import type { Family, Moment } from './family.ts';
import { succeeded, Tally } from './tally.ts';
import { largeAnswer } from './volume.ts';

/** Less than one large answer is no data leaving, even for who never took anything. In KiB; rows and sensitive values are counted from the first. */
const least = (moment: Moment, tally: number): number => (tally === 0 ? largeAnswer(moment) / 1024 : 0);

const tally = new Tally(
  'egress',
  (moment, _window, into) => {
    if (!succeeded(moment)) return;
    const { responseBytes, weight } = moment.observation;
    const { rows, sensitive } = moment.resolved.event;
    if (responseBytes > 0) into[0] = (weight * responseBytes) / 1024;
    if (rows !== null) into[1] = weight * rows;
    if (sensitive === null) return;
    for (const count of Object.values(sensitive)) into[2] = into[2]! + weight * count;
  },
  least,
);

const words = ['KiB received', 'rows or items received', 'sensitive values received'];

/** How much left, over windows: a burst of large answers, or many ordinary ones. D14. */
export const egress: Family = {
  name: 'egress',
  features: tally.names,
  extract: (moment, out, offset) => tally.extract(moment, out, offset),
  learn: (moment, weight) => tally.learn(moment, weight),
  describe: (moment, feature) => tally.describe(moment, feature, { name: (count) => `${count} ${words[feature]!}` }),
};
