import { at, dimensionIndex, outcomes } from '../baseline/row-layout.ts';
import { excessSurprise } from '../baseline/statistics.ts';
import { type Family, type Moment, usually } from './family.ts';
import { viewOf } from './slot-view.ts';

/** Half-life of the short memory, ms. */
const halfLifeMs = 300_000;
/** Calls that a wider circle's share of unsuccessful answers weighs against a narrower one's. */
const strength = 20;
/** A circle of fewer identities than this counts less. */
const identitiesEnough = 20;
/** Assumed share where nobody has been seen yet. */
const ignorance = 0.03;
const crowd = 10;
const kinds = ['denied', 'missing', 'failed'] as const;
const status = dimensionIndex('status');
const area = dimensionIndex('area');
const failed = 1 + kinds.indexOf('failed');
const own = { count: 0, total: 0 };
const words = { denied: 'refused (401 or 403)', missing: 'other 4xx answers', failed: '5xx answers' };

/** What is left of a count after the gap since the identity's previous event. */
function left({ turn, gapMs }: Moment): number {
  if (turn === leftTurn) return leftShare;
  leftTurn = turn;
  leftShare = gapMs === 0 ? 1 : 2 ** (-gapMs / halfLifeMs);
  return leftShare;
}
/** Of the moment that was asked about last: it is asked several times. */
let leftTurn = 0;
let leftShare = 1;

function decayed(moment: Moment, kind: number): number {
  return moment.slab.f32[moment.row + at.outcome + kind]! * left(moment);
}

/**
 * What a call counts in what is learned of everybody, the less the more calls its identity made in the last minutes (at `crowd` of them, half).
 * A flood is one identity's story; counted call by call it would make itself the rule.
 */
export function voice(moment: Moment): number {
  // In whole 1024ths, so that sums do not depend on the order in which they are made.
  return Math.round(1024 / (1 + decayed(moment, 0) / crowd)) / 1024;
}

/**
 * Expected share: how often the identity had this answer before, shrunk towards how often its peers have answers of the kind, shrunk towards
 * everyone; and then the geometric mean of that and of the peers' share. The identity's past is half the argument: a client that lives
 * with a missing page is not odd for it, and nobody who is refused often enough makes refusals ordinary.
 */
function expectedShare(moment: Moment, kind: number): number {
  const shared = circleShare(moment, 0, { kind, wider: ignorance });
  const peers = moment.group === 0 ? shared : circleShare(moment, moment.group, { kind, wider: shared });
  readOwn(moment, kind);
  const share = Math.sqrt(peers * ((own.count + peers * strength) / (own.total + strength)));
  return kind === failed ? Math.max(share, failingShare(moment, share)) : share;
}

/** What fails for others too is expected to fail. */
function failingShare({ shared, slab, row, observation }: Moment, expected: number): number {
  return shared.outages.share(observation.values[area]!, slab.u32[row + at.keyLow]!, expected);
}

/** A circle's share, shrunk towards that of the wider one: the more the fewer identities are behind it, for one of them may be all there is. */
function circleShare(moment: Moment, group: number, of: { readonly kind: number; readonly wider: number }): number {
  const { outcomes: counts, firsts } = moment.population.sums(group);
  const weight = strength * Math.max(1, identitiesEnough / Math.max(1, firsts[status]!));
  return (counts[of.kind]! + of.wider * weight) / (counts[0]! + weight);
}

/** The identity's past before the last minutes, so that a burst is not measured by itself. */
function readOwn(moment: Moment, kind: number): void {
  const { count, total } = viewOf(moment, status);
  own.count = Math.max(0, count - decayed(moment, kind));
  own.total = Math.max(own.count, total - decayed(moment, 0));
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
    const { outcome, weight, values } = moment.observation;
    moment.shared.outages.add(values[area]!, moment.slab.u32[moment.row + at.keyLow]!, outcome === failed);
    moment.population.addOutcome(moment.group, outcome, weight * learned * voice(moment));
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
    const seen = {
      self: own.total,
      peers: moment.group > 0 ? moment.population.sums(moment.group).outcomes[0]! : 0,
      everyone: moment.population.sums(0).outcomes[0]!,
    };
    const level = seen.self >= strength ? 'self' : seen.peers >= strength ? 'peers' : 'everyone';
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
