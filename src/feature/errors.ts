import { at, outcomes } from '../baseline/row-layout.ts';
import { excessSurprise } from '../baseline/statistics.ts';
import type { Family, Moment } from './family.ts';

/** Half-life of the short memory, ms. */
const halfLifeMs = 300_000;
/** Calls that the peers' share of unsuccessful answers weighs against the identity's own. */
const peerStrength = 20;
/** Assumed share where nobody has been seen yet. */
const ignorance = 0.03;
const kinds = ['denied', 'missing', 'failed'] as const;
const words = { denied: 'refused (401 or 403)', missing: 'other 4xx answers', failed: '5xx answers' };

/** What is left of a count after the gap since the identity's previous event. */
function left(moment: Moment): number {
  return moment.gapMs === 0 ? 1 : 2 ** (-moment.gapMs / halfLifeMs);
}

function decayed(moment: Moment, kind: number): number {
  return moment.slab.f32[moment.row + at.outcome + kind]! * left(moment);
}

/** Expected share of the kind among the peers, backed by everyone. An identity's own habit of errors is the calibration's business. */
function expectedShare(moment: Moment, kind: number): number {
  const everyone = moment.population.sums(0).outcomes;
  const all = (everyone[kind]! + ignorance * peerStrength) / (everyone[0]! + peerStrength);
  const peers = moment.population.sums(moment.group).outcomes;
  return (peers[kind]! + all * peerStrength) / (peers[0]! + peerStrength);
}

/** Share of refused, missing and failed answers over the last minutes. D08, D09, D20. Only an unsuccessful answer is evidence. */
export const errors: Family = {
  name: 'errors',
  features: [...kinds],
  extract: (moment, out, offset) => {
    const { outcome, weight } = moment.observation;
    out.fill(0, offset, offset + kinds.length);
    if (outcome === 0) return 0;
    const trials = decayed(moment, 0) + weight;
    const surprise = excessSurprise(decayed(moment, outcome) + weight, trials, expectedShare(moment, outcome));
    out[offset + outcome - 1] = surprise;
    return surprise;
  },
  learn: (moment) => {
    const { f32 } = moment.slab;
    const { outcome, weight } = moment.observation;
    const share = left(moment);
    const start = moment.row + at.outcome;
    for (let kind = 0; kind < outcomes.length; kind++) {
      f32[start + kind] = f32[start + kind]! * share + (kind === 0 || kind === outcome ? weight : 0);
    }
  },
  describe: (moment, feature) => {
    const outcome = feature + 1;
    const trials = Math.round(decayed(moment, 0) + moment.observation.weight);
    const observed = Math.min(
      trials,
      Math.round(decayed(moment, outcome) + (moment.observation.outcome === outcome ? moment.observation.weight : 0)),
    );
    const share = expectedShare(moment, outcome);
    const peers = moment.population.sums(moment.group).outcomes[0]!;
    return {
      observed,
      expected: Math.round(share * trials * 10) / 10,
      low: 0,
      high: Math.ceil(share * trials + 1.64 * Math.sqrt(share * (1 - share) * trials)),
      level: moment.group > 0 && peers >= peerStrength ? 'peers' : 'everyone',
      sampleSize: Math.round(peers),
      text: `${observed} of about ${trials} recent calls were ${words[kinds[feature]!]}, usually ${(share * 100).toFixed(1)} %`,
    };
  },
};
