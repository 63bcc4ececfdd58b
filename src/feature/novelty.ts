import { dimensionIndex } from '../baseline/row-layout.ts';
import { describeValue, learnValue, type Surprise, surpriseOf } from './categorical.ts';
import type { Family } from './family.ts';
import { describeOwnership, ownershipRatio } from './ownership.ts';

const dims = ['function', 'area', 'object_type', 'method', 'status'] as const;
const indices = dims.map(dimensionIndex);
const status = dimensionIndex('status');
const surprise: Surprise = { ratio: 0, rarity: 0, chanceOfNew: 0 };

/** What is called: function (method and route, or operation), part of the API, type of object, method, kind of answer. D06, D20, D26. */
export const novelty: Family = {
  name: 'novelty',
  features: [...dims, 'function_rarity', 'area_rarity', 'object'],
  extract: (moment, out, offset) => {
    let total = 0;
    for (let i = 0; i < indices.length; i++) {
      surpriseOf(moment, indices[i]!, surprise);
      out[offset + i] = surprise.ratio;
      if (i < 2) out[offset + dims.length + i] = surprise.rarity;
      // How it was answered is not the caller's choice: errors and probing look at it.
      if (indices[i] !== status) total += surprise.ratio;
    }
    out[offset + dims.length + 2] = ownershipRatio(moment);
    return total + out[offset + dims.length + 2]!;
  },
  learn: (moment, weight) => {
    for (const dimension of indices) {
      // A run of refusals must not become the identity's habit, however long it lasts: see errors.
      if (dimension !== status || weight >= 0.5) learnValue(moment, dimension, weight);
    }
  },
  describe: (moment, feature, resolved) =>
    feature === dims.length + 2
      ? describeOwnership(moment)
      : describeValue(moment, indices[feature % dims.length]!, resolved),
};
