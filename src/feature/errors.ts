import { at, dimensionIndex, outcomes } from '../baseline/row-layout.ts';
import { readSlots, type SlotView } from '../baseline/slots.ts';
import { excessSurprise } from '../baseline/statistics.ts';
import { type Family, type Moment, usually } from './family.ts';

/** Half-life of the short memory, ms. */
const halfLifeMs = 300_000;
/** Calls that a wider circle's share of unsuccessful answers weighs against a narrower one's. */
const peerStrength = 20;
/** Assumed share where nobody has been seen yet. */
const ignorance = 0.03;
const kinds = ['denied', 'missing', 'failed'] as const;
const status = dimensionIndex('status');
const own: SlotView = { count: 0, total: 0, distinct: 0 };
const words = { denied: 'refused (401 or 403)', missing: 'other 4xx answers', failed: '5xx answers' };

/** What is left of a count after the gap since the identity's previous event. */
function left(moment: Moment): number {
  return moment.gapMs === 0 ? 1 : 2 ** (-moment.gapMs / halfLifeMs);
}

function decayed(moment: Moment, kind: number): number {
  return moment.slab.f32[moment.row + at.outcome + kind]! * left(moment);
}

/**
 * Expected share: how often the identity had this answer before, shrunk towards how often its peers have answers of the kind, shrunk towards
 * everyone. So a client that lives with a missing page is not odd for it, and a first refusal is measured by the peers.
 */
function expectedShare(moment: Moment, kind: number): number {
  const everyone = moment.population.sums(0).outcomes;
  const all = (everyone[kind]! + ignorance * peerStrength) / (everyone[0]! + peerStrength);
  const peers = moment.population.sums(moment.group).outcomes;
  const shared = (peers[kind]! + all * peerStrength) / (peers[0]! + peerStrength);
  readOwn(moment, kind);
  return (own.count + shared * peerStrength) / (own.total + peerStrength);
}

/** The identity's past before the last minutes, so that a burst is not measured by itself. */
function readOwn(moment: Moment, kind: number): void {
  readSlots(moment.slab, { row: moment.row, dimension: status, value: moment.observation.values[status]! }, own);
  own.count = Math.max(0, own.count - decayed(moment, kind));
  own.total = Math.max(own.count, own.total - decayed(moment, 0));
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
  learn: (moment, learned) => {
    const { f32 } = moment.slab;
    const { outcome, weight } = moment.observation;
    const share = left(moment);
    const start = moment.row + at.outcome;
    for (let kind = 0; kind < outcomes.length; kind++) {
      f32[start + kind] = f32[start + kind]! * share + (kind === 0 || kind === outcome ? weight : 0);
    }
    moment.population.addOutcome(moment.group, outcome, weight * learned);
  },
  describe: (moment, feature) => {
    const outcome = feature + 1;
    const trials = Math.round(decayed(moment, 0) + moment.observation.weight);
    const observed = Math.min(
      trials,
      Math.round(decayed(moment, outcome) + (moment.observation.outcome === outcome ? moment.observation.weight : 0)),
    );
    const share = expectedShare(moment, outcome);
    const seen = {
      self: own.total,
      peers: moment.group > 0 ? moment.population.sums(moment.group).outcomes[0]! : 0,
      everyone: moment.population.sums(0).outcomes[0]!,
    };
    const level = seen.self >= peerStrength ? 'self' : seen.peers >= peerStrength ? 'peers' : 'everyone';
    const expected = `${usually(seen.everyone)} ${(share * 100).toFixed(1)} %`;
    return {
      observed,
      expected: Math.round(share * trials * 10) / 10,
      low: 0,
      high: Math.ceil(share * trials + 1.64 * Math.sqrt(share * (1 - share) * trials)),
      level,
      sampleSize: Math.round(seen[level]),
      text: `${observed} of its last ${trials} calls or so were ${words[kinds[feature]!]}, ${expected}`,
    };
  },
};
