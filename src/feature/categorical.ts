import { historyBucket, historyBuckets } from '../baseline/population.ts';
import { at, type BaselineLevel, dimensions } from '../baseline/row-layout.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';
import { type Moment, type Observed, skipsHabit } from './family.ts';
import { dimensionText } from './observation.ts';
import { learnView, viewOf } from './slot-view.ts';

/** Events that peers' experience of novelty weighs against the identity's own. */
const noveltyStrength = 16;
/** Memory of the identity's own share of new values, events. */
const noveltyMemory = 32;
/** Events that everyone's use of a value weighs against the peers'. */
const peerStrength = 20;
const ratioMax = 8;
/** No single dimension proves more than this: one in fifty-five. A thief shares some of the victim's habits. */
const proofLimit = 4;

/**
 * Categorical surprise with back-off: an event's value is either one that the identity repeats or one that is new to it.
 * P(new) comes from how often identities with as long a history meet something new, shrunk towards the identity's own share
 * (Freeman et al., NDSS 2016, for the back-off; the new/seen split is that of Witten and Bell's smoothing).
 */
export type Surprise = {
  /** ln P(value | somebody else of its kind) - ln P(value | this identity): Freeman's ratio. Nats. */
  ratio: number;
  /** -ln of the share of the peers that ever used the value; 0 for a value the identity itself repeats. Nats. */
  rarity: number;
  /** P(new) as predicted. */
  chanceOfNew: number;
};

/** Reused: fresh ones would be most of what an event leaves to the garbage collector. */
const use = { value: 0, history: 0, novel: false, weight: 0 };

function chanceOfNew(moment: Moment, dimension: number, total: number): number {
  const bucket = dimension * historyBuckets + historyBucket(total);
  const everyone = moment.population.sums(0);
  const prior = 1 / (1 + total);
  const all = (everyone.novel[bucket]! + noveltyStrength * prior) / (everyone.seen[bucket]! + noveltyStrength);
  const peers = moment.population.sums(moment.group);
  const kind = (peers.novel[bucket]! + noveltyStrength * all) / (peers.seen[bucket]! + noveltyStrength);
  const own = moment.slab.f32[moment.row + at.novelty + dimension]!;
  const weight = Math.min(total, noveltyMemory);
  return Math.min(0.98, Math.max(1e-4, (weight * own + noveltyStrength * kind) / (weight + noveltyStrength)));
}

/** P(value) among the identity's peers, backed by everyone; a value that nobody used counts as half an event. */
function populationShare(moment: Moment, dimension: number, own: number): number {
  const { population, group } = moment;
  const value = moment.observation.values[dimension]!;
  const everyone = population.sums(0).events[dimension]! + 1;
  const all = Math.max(0.5, population.valueEvents(0, value) - own) / everyone;
  if (group === 0) return Math.min(1, all);
  const peers = population.sums(group).events[dimension]!;
  const count = Math.max(0, population.valueEvents(group, value) - own);
  return Math.min(1, (count + peerStrength * all) / (peers + peerStrength));
}

/** Nothing known and nothing said is no surprise: a missing value gives zeros. */
export function surpriseOf(moment: Moment, dimension: number, into: Surprise): void {
  const value = moment.observation.values[dimension]!;
  into.ratio = 0;
  into.rarity = 0;
  into.chanceOfNew = 0;
  if (value === 0) return;
  const view = viewOf(moment, dimension);
  const chance = chanceOfNew(moment, dimension, view.total);
  into.chanceOfNew = chance;
  const newness = -Math.log(chance);
  if (view.count === 0) {
    into.ratio = Math.min(ratioMax, newness);
    const identities = moment.population.sums(moment.group).firsts[dimension]!;
    into.rarity = Math.log((identities + 2) / (moment.population.valueIdentities(moment.group, value) + 1));
    return;
  }
  const elsewhere = populationShare(moment, dimension, view.count);
  const here = (1 - chance) * ((view.count + elsewhere) / (view.total + 1));
  // Having done something a few times proves little, however rare it is elsewhere: else one misuse would excuse the next.
  const proofMax = Math.min(proofLimit, Math.log1p(view.count));
  const known = Math.max(-proofMax, Math.min(ratioMax, Math.log(elsewhere / here)));
  // What was learned with caution is still new for the rest: a second call from the thief's network is not an old habit.
  into.ratio = view.count >= 1 ? known : view.count * known + (1 - view.count) * Math.min(ratioMax, newness);
}

/** What two dimensions that change together say: the odder if one is odd, and otherwise the more usual. */
export function oneFact(a: number, b: number): number {
  return a > 0 || b > 0 ? Math.max(a, b) : Math.min(a, b);
}

export function learnValue(moment: Moment, dimension: number, weight: number): void {
  const value = moment.observation.values[dimension]!;
  if (value === 0 || skipsHabit(moment, weight)) return;
  const { count, total } = viewOf(moment, dimension);
  const novel = count === 0;
  const { f32 } = moment.slab;
  const index = moment.row + at.novelty + dimension;
  const step = weight / Math.min(noveltyMemory, total + 1);
  f32[index] = f32[index]! + step * ((novel ? 1 : 0) - f32[index]!);
  learnView(moment, dimension, weight);
  use.value = value;
  use.history = total;
  use.novel = novel;
  use.weight = weight;
  moment.population.addValue(moment.group, dimension, use);
}

export function describeValue(moment: Moment, dimension: number, resolved: ResolvedEvent): Observed {
  const value = moment.observation.values[dimension]!;
  const view = viewOf(moment, dimension);
  const name = dimensions[dimension]!.name.replace('_', ' ');
  const text = dimensionText(resolved, dimension) ?? '-';
  const peers = Math.round(moment.population.valueIdentities(moment.group, value));
  const level: BaselineLevel = view.total >= noveltyStrength ? 'self' : moment.group > 0 ? 'peers' : 'everyone';
  const sampleSize = Math.round(
    level === 'self' ? view.total : moment.population.sums(moment.group).events[dimension]!,
  );
  const others = peers === 0 ? 'and never used by its peers' : `and used by ${peers} of its peers`;
  const sentence =
    view.count === 0
      ? `${name} ${text}: never used before by this identity in ${Math.round(view.total)} events, ${others}`
      : `${name} ${text}: ${view.count < 1 ? 'hardly ever' : `${Math.round(view.count)} times`} in this identity's last ${Math.round(view.total)} events`;
  return {
    observed: text,
    expected: `one of ${view.distinct} known`,
    low: null,
    high: null,
    level,
    sampleSize,
    text: sentence,
  };
}
