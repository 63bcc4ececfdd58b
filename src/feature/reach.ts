import { activeAt } from '../baseline/active-layout.ts';
import { leastWeight } from '../baseline/change-patterns.ts';
import { anyRight, everyCircle } from '../baseline/reach-counts.ts';
import { at, dimensionIndex } from '../baseline/row-layout.ts';
import { hash32 } from '../core/hash.ts';
import { roleCircle } from '../identity/peer-group.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';
import { type Surprise, surpriseOf } from './categorical.ts';
import type { Family, Moment, Observed } from './family.ts';
import { circleOf, dayOf } from './known.ts';
import { dimensionText } from './observation.ts';
import { rightsBit } from './patterns.ts';
import { learnRights, newRight, rightsChanged } from './rights.ts';
import { viewOf } from './slot-view.ts';

const fn = dimensionIndex('function');
const area = dimensionIndex('area');
/** First uses that everyone's choice of functions weighs against the role's. */
const strength = 20;
/** A refused attempt says less than one that was let through. */
const refusedShare = 0.5;
const natsMax = 60;
/** Identities that must have been answered before an answer to nobody is odd. */
const answeredEnough = 3;

const surprise: Surprise = { ratio: 0, rarity: 0, chanceOfNew: 0 };

/** How much of the event's value is new to the identity: 1 when it was never used, 0 when it was, between when learned with caution. */
function newness(moment: Moment, dimension: number): number {
  return moment.observation.values[dimension] === 0 ? 0 : Math.max(0, 1 - viewOf(moment, dimension).count);
}

function circleOfRole({ resolved }: Moment): number {
  return hash32(roleCircle(resolved));
}

/**
 * ln P(takes it up | somebody of another role) - ln P(takes it up | one of its own). What is in nobody's repertoire counts as half a
 * use. Its own had only as many chances to take a function up as they took anything up since it appeared: a release is not foreign.
 */
function foreignness(moment: Moment, dimension: number): number {
  const { observation, shared } = moment;
  const { reach } = shared;
  const value = observation.values[dimension]!;
  const circle = circleOfRole(moment);
  const everybody = reach.allUses(everyCircle, dimension);
  const peers = reach.allUses(circle, dimension);
  const used = reach.uses(everyCircle, value);
  const usedByPeers = reach.uses(circle, value);
  const others = Math.max(0.5 / (everybody + 1), (used - usedByPeers) / (everybody - peers + strength));
  const chances = used < 0.5 ? 0 : peers * reach.presence(value, observation.ts);
  const all = (used + 0.5) / (everybody + 1);
  const own = (usedByPeers + strength * all) / (Math.max(usedByPeers, chances) + strength);
  return Math.log(others / own) * (observation.outcome === 0 ? 1 : refusedShare);
}

/** -ln of the chance that a day of this identity brings something new in the dimension, of as many calls as its days have. */
function rarityOfNews(moment: Moment, dimension: number): number {
  surpriseOf(moment, dimension, surprise);
  const { slab, row, history, observation } = moment;
  const days = 1 + Math.max(0, observation.ts / 1000 - slab.u32[row + at.firstSeen]!) / 86_400;
  return Math.max(0, -Math.log(surprise.chanceOfNew * Math.max(1, history / days)));
}

/** The newest event whose function was new to its identity before any family learned from it. */
let firstUseOf: ResolvedEvent | null = null;
let isFirstInArea = false;

/**
 * Freeman's ratio for a first use: how much likelier somebody of another role does this than this identity does. What was taken up before on the
 * same day adds to it (Page's CUSUM): twenty functions of other roles say more than one, and functions of its own take back.
 */
function firstUse(moment: Moment, dimension: number): number {
  const share = newness(moment, dimension);
  if (share === 0) return 0;
  const before = dimension === fn ? takenUpToday(moment) : 0;
  return share * Math.max(0, before + foreignness(moment, dimension) + rarityOfNews(moment, dimension));
}

/** What today's first uses of functions say so far, nats. */
function takenUpToday(moment: Moment): number {
  const word = moment.activeRow + activeAt.takenUp;
  return moment.active.u32[word] === dayOf(moment) ? moment.active.f32[word + 1]! : 0;
}

/** A right that its tokens never carried: how rarely that happens to anybody on a day, and how few bear it. */
function newRightNats(moment: Moment): number {
  const found = newRight(moment);
  if (found === null) return 0;
  const { reach, dayPatterns } = moment.shared;
  const share =
    (reach.bearers(found.right) + 0.5) / (Math.max(reach.bearers(anyRight), reach.bearers(found.right)) + 1);
  return -Math.log(dayPatterns.bitShare(circleOf(moment), rightsBit)) - Math.log(share);
}

const isNobody = ({ resolved }: Moment): boolean =>
  resolved.identity_kind === 'address' && resolved.claimed_identity === null;

const isAnswered = ({ resolved }: Moment): boolean => resolved.event.status !== null && resolved.event.status < 300;

/** An answer to nobody in particular, where answers go to identities. D22. */
function openAnswer(moment: Moment): number {
  if (!isNobody(moment) || !isAnswered(moment)) return 0;
  const value = moment.observation.values[fn]!;
  const { reach } = moment.shared;
  return value === 0 || reach.answered(value) < answeredEnough ? 0 : -Math.log(reach.openShare(value));
}

const features = ['function', 'area', 'rights', 'open_answer'] as const;

/**
 * What an identity may reach: functions and parts of the API that only others use, rights that its tokens never carried, answers that
 * need an identity and had none. D06, D18, D22.
 */
export const reach: Family = {
  name: 'reach',
  features,
  extract: (moment, out, offset) => {
    out[offset] = firstUse(moment, fn);
    firstUseOf = newness(moment, fn) === 1 ? moment.resolved : null;
    isFirstInArea = newness(moment, area) === 1;
    out[offset + 1] = firstUse(moment, area);
    out[offset + 2] = rightsChanged(moment) ? newRightNats(moment) : 0;
    out[offset + 3] = openAnswer(moment);
    let most = 0;
    for (let i = 0; i < features.length; i++) most = Math.max(most, out[offset + i]!);
    return most;
  },
  learn: (moment, weight) => {
    learnRights(moment, weight);
    const { active, shared, observation } = moment;
    if (firstUseOf !== moment.resolved) return;
    const word = moment.activeRow + activeAt.takenUp;
    active.f32[word + 1] = Math.min(natsMax, Math.max(0, takenUpToday(moment) + foreignness(moment, fn)));
    active.u32[word] = dayOf(moment);
    if (isAnswered(moment)) shared.reach.addAnswer(observation.values[fn]!, !isNobody(moment));
    if (observation.outcome !== 0) return;
    const circle = circleOfRole(moment);
    for (const dimension of [fn, area]) {
      const value = observation.values[dimension]!;
      if (value === 0 || (dimension === area && !isFirstInArea)) continue;
      if (shared.reach.uses(everyCircle, value) === 0) shared.reach.addFunction(value, observation.ts);
      shared.reach.addUse(circle, { dimension, value, weight: Math.max(leastWeight, weight) });
    }
  },
  describe: (moment, feature) => describers[feature]!(moment),
};

function said(observed: string, expected: string, of: { text: string; sampleSize: number }): Observed {
  return { observed, expected, low: null, high: null, level: 'peers', ...of };
}

function describeUse(dimension: number): (moment: Moment) => Observed {
  return (moment) => {
    const value = moment.observation.values[dimension]!;
    const { reach } = moment.shared;
    const circle = circleOfRole(moment);
    const peers = Math.round(reach.uses(circle, value));
    const others = Math.max(0, Math.round(reach.uses(everyCircle, value)) - peers);
    const name = dimensionText(moment.resolved, dimension) ?? '-';
    const view = viewOf(moment, dimension);
    const known = Math.round(view.total);
    const text = `first use of ${name} by this identity in ${known} calls: taken up by ${peers} others of its role and ${others} of other roles`;
    return said(name, `one of ${view.distinct} known`, {
      text,
      sampleSize: Math.round(reach.allUses(circle, dimension)),
    });
  };
}

const describers: readonly ((moment: Moment) => Observed)[] = [
  describeUse(fn),
  describeUse(area),
  (moment) => {
    const found = newRight(moment);
    const bearers = Math.round(moment.shared.reach.bearers(found?.right ?? anyRight));
    const sampleSize = Math.round(moment.shared.reach.bearers(anyRight));
    const text = `its token carries ${found?.text ?? '-'} for the first time, which ${bearers} of ${sampleSize} identities have`;
    return said(found?.text ?? '-', 'rights that it had before', { text, sampleSize });
  },
  (moment) => {
    const sampleSize = Math.round(moment.shared.reach.answered(moment.observation.values[fn]!));
    const name = dimensionText(moment.resolved, fn) ?? '-';
    const text = `${name} answered without an identity, and was first answered to ${sampleSize} that had one`;
    return said('no identity', 'an identity', { text, sampleSize });
  },
];
