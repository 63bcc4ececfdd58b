import { dimensionIndex } from '../baseline/row-layout.ts';
import { describeValue, learnValue, oneFact, type Surprise, surpriseOf } from './categorical.ts';
import type { Family } from './family.ts';

const dims = ['network', 'country', 'client', 'application', 'time_zone'] as const;
const indices = dims.map(dimensionIndex);
const surprise: Surprise = { ratio: 0, rarity: 0, chanceOfNew: 0 };

/** From where and with what: network, country, client program, application, time zone. D12. */
export const context: Family = {
  name: 'context',
  features: [...dims, 'client_rarity'],
  extract: (moment, out, offset) => {
    for (let i = 0; i < indices.length; i++) {
      surpriseOf(moment, indices[i]!, surprise);
      out[offset + i] = surprise.ratio;
      if (dims[i] === 'client') out[offset + dims.length] = surprise.rarity;
    }
    // A journey changes network, country and time zone, a new device program and application: one fact each, said once.
    const place = oneFact(oneFact(out[offset]!, out[offset + 1]!), out[offset + 4]!);
    return place + oneFact(out[offset + 2]!, out[offset + 3]!);
  },
  learn: (moment, weight) => {
    for (const dimension of indices) learnValue(moment, dimension, weight);
  },
  describe: (moment, feature, resolved) =>
    describeValue(moment, indices[feature < dims.length ? feature : 2]!, resolved),
};
