import type { Forecast } from '../baseline/transitions.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';
import type { Family, Moment, Observed } from './family.ts';
import { dimensionText } from './observation.ts';
import {
  before,
  beginning,
  circles,
  dimension,
  enter,
  found,
  knownDoublings,
  leave,
  own,
  sortsFrom,
  step,
} from './session.ts';

const features = ['order', 'skipped', 'repeated'] as const;
/** Steps of its own from which a transition is the identity's habit: peers are not asked, and are told of every eighth only. */
const habit = 8;
/** And from which all of its sort are told no more of it: what is its own way is not everybody's. */
const told = 2;
/** Steps that the peers' forecast weighs against the identity's own transitions. */
const peerStrength = 4;
/** Steps in a context, and identities that use a function, at which what peers say has half its weight. */
const contextEnough = 20;
const usersEnough = 5;
/** Of what has gathered this much is left after a step: a memory of about sixteen. */
const fading = 15 / 16;
/** In favour of a step one standard deviation more surprising than usual: z - 1/2 nats (Page's CUSUM for a shift of one). */
const drift = 0.5;
const gainLeast = -3;
const gainMost = 4;
const natsMax = 60;
/** Uses of a function in a session that peers learn predecessors from. */
const usesLearned = 3;
/** Fewer repetitions than this are nobody's business: 2 to the power of two. */
const doublingsLeast = 2;
/** What is assumed of a tail weighs as many sessions. */
const fewSessions = 2;

/** Steps that an identity's own way of surprising is remembered over, and at which it counts half. */
const biasMemory = 64;
const biasEnough = 16;
/** What is not expected of an identity's own group but of all of its sort counts this much: they have less in common. */
const wideTrust = 0.5;

const forecast: Forecast = { surprise: 0, mean: 0, deviation: 1, context: 0, same: 0 };
/** Classes of functions that nearly always come before this one. */
const required = new Uint32Array(2);
const nats = new Float64Array(features.length);

/** The peers' forecast of the step. A function that nobody used yet is the novelty family's matter. */
function ask(moment: Moment): void {
  const { population, shared } = moment;
  const share =
    (population.valueEvents(found.group, step.next) + 0.5) / (population.sums(found.group).events[dimension]! + 1);
  step.circle = found.circle;
  shared.transitions.forecast(step, Math.min(1, share), forecast);
}

/** How much more surprising than usual the step is, nats: about zero on average for any session of its kind, however varied. */
function gainOf(moment: Moment): number {
  found.deviation = 0;
  if (found.same >= habit) return -drift;
  ask(moment);
  const chance = (found.same + peerStrength * Math.exp(-forecast.surprise)) / (found.after + peerStrength);
  const z = (-Math.log(chance) - forecast.mean) / forecast.deviation;
  found.deviation = Math.min(gainMost, Math.max(gainLeast, z));
  const bias = Math.max(0, moment.active.f32[moment.activeRow + own.bias]!);
  const gain = found.deviation - (bias * moment.history) / (moment.history + biasEnough) - drift;
  if (gain <= 0) return gain;
  const users = moment.population.valueIdentities(found.group, step.next);
  return gain * trust() * (forecast.context / (forecast.context + contextEnough)) * (users / (users + usersEnough));
}

function trust(): number {
  return found.circle >= sortsFrom ? wideTrust : 1;
}

/** -ln of the share of uses that lack what this one lacks, less the more often the identity took the same step. */
function skippedNats(moment: Moment): number {
  found.skipped = -1;
  if (found.partial) return 0;
  const { transitions } = moment.shared;
  transitions.required(found.circle, step.next, required);
  let most = 0;
  for (let half = 0; half < 2; half++)
    for (let missing = required[half]! & ~before[half]!; missing !== 0; missing &= missing - 1) {
      const of = half * 32 + (31 - Math.clz32(missing & -missing));
      const { all, having } = transitions.uses(found.circle, step.next, of);
      // A session counts up to three times: what is known of it is known from a third as many.
      const lacking = -Math.log(((all - having) / usesLearned + 1) / (all / usesLearned + 2));
      if (lacking <= most) continue;
      most = lacking;
      found.skipped = of;
    }
  return (trust() * most) / (1 + found.same);
}

/**
 * -ln of the share of sessions that use the function so often, of those that use it as often as the identity did in sessions before; at
 * doublings only. Where nobody got so far, half of those who do are taken to go on: a heavy tail.
 */
function repeatedNats(moment: Moment): number {
  const { uses } = found;
  found.doublings = 31 - Math.clz32(uses);
  if ((uses & (uses - 1)) !== 0 || found.doublings < doublingsLeast) return 0;
  const known = knownDoublings(moment, step.next);
  const { transitions } = moment.shared;
  let total = 0;
  let reached = transitions.repeats(found.circle, step.next, known);
  for (let k = known; k < found.doublings; k++) {
    const further = Math.min(reached, transitions.repeats(found.circle, step.next, k + 1));
    total -= Math.log((further + fewSessions / 2) / (reached + fewSessions));
    reached = further;
  }
  return trust() * total;
}

function judge(moment: Moment): number {
  enter(moment);
  nats.fill(0);
  if (!found.isStep) return 0;
  const gain = gainOf(moment);
  nats[0] = Math.max(0, gain);
  nats[1] = skippedNats(moment);
  nats[2] = repeatedNats(moment);
  const carried = found.fresh ? 0 : moment.active.f32[moment.activeRow + own.gathered]! * fading;
  found.gathered = Math.min(natsMax, Math.max(0, carried + Math.max(gain, nats[1])));
  return Math.min(natsMax, found.gathered + nats[2]);
}

function learn(moment: Moment, weight: number): void {
  if (found.resolved !== moment.resolved) judge(moment);
  if (!found.isStep) return;
  const { transitions } = moment.shared;
  const { f32 } = moment.active;
  const row = moment.activeRow;
  if (!transitions.isNamed(step.next)) {
    const name = dimensionText(moment.resolved, dimension);
    if (name !== null) transitions.name(step.next, name);
  }
  if (weight >= 0.5) {
    const heard = found.same < told ? circles.length : 1;
    if (found.same < habit || found.same % habit === 0) {
      if (found.same >= habit) ask(moment);
      for (let i = 0; i < heard; i++) {
        step.circle = circles[i]!;
        transitions.add(step, forecast.surprise);
      }
    }
    if (found.uses <= usesLearned && !found.partial)
      for (let i = 0; i < heard; i++) {
        step.circle = circles[i]!;
        transitions.addUse(step, before[0]!, before[1]!);
      }
    const bias = f32[row + own.bias]!;
    f32[row + own.bias] = bias + (found.deviation - bias) / Math.min(biasMemory, moment.history + 1);
  }
  f32[row + own.gathered] = found.gathered;
  leave(moment, weight);
}

/** A class may have several functions: the one that is used and leads here is meant. */
function missingName({ shared: { transitions }, population }: Moment): string | undefined {
  const members = transitions
    .members(Math.max(0, found.skipped))
    .filter((value) => population.valueEvents(found.group, value) > 0);
  const worth = new Map(members.map((value) => [value, transitions.leading(found.circle, value, step.next)]));
  const used = (value: number): number => population.valueEvents(found.group, value);
  members.sort((a, b) => worth.get(b)! - worth.get(a)! || used(b) - used(a) || a - b);
  return members.length === 0 ? undefined : transitions.nameOf(members[0]!);
}

const percent = (share: number): string => `${(share * 100).toFixed(share > 0.1 && share < 0.995 ? 0 : 1)} %`;

function describe(moment: Moment, feature: number, resolved: ResolvedEvent): Observed {
  if (found.resolved !== moment.resolved) judge(moment);
  const { transitions } = moment.shared;
  const name = dimensionText(resolved, dimension) ?? '-';
  const level = found.group === 0 ? 'everyone' : 'peers';
  const peers = found.group === 0 ? 'all' : "its peers'";
  const plain = { low: null, high: null, level } as const;
  if (feature === 0) {
    ask(moment);
    const first =
      step.first === beginning ? 'the beginning of a session' : (transitions.nameOf(step.first) ?? 'another call');
    const share = percent(forecast.same / Math.max(1, forecast.context));
    const sampleSize = Math.round(forecast.context);
    const text = `${name} right after ${first}: ${share} of ${sampleSize} of ${peers} steps from there`;
    return { observed: name, expected: share, ...plain, sampleSize, text };
  }
  if (feature === 1) {
    const { all, having } = transitions.uses(found.circle, step.next, Math.max(0, found.skipped));
    const missing = missingName(moment) ?? 'what comes before it';
    const sampleSize = Math.round(all);
    const text = `calls ${name} without ${missing} before it; ${percent(having / Math.max(1, all))} of the last ${sampleSize} of ${peers} calls have it`;
    return { observed: name, expected: missing, ...plain, sampleSize, text };
  }
  const sessions = transitions.repeats(found.circle, step.next, 0);
  const share = percent(transitions.repeats(found.circle, step.next, found.doublings) / Math.max(1, sessions));
  const text = `calls ${name} ${found.uses} times in a session; ${share} of ${Math.round(sessions)} of ${peers} sessions with it come that far`;
  return { observed: found.uses, expected: share, ...plain, sampleSize: Math.round(sessions), text };
}

/**
 * The order of calls: steps less probable than such sessions' steps are, steps without what nearly always comes before them, and
 * the same step again and again. D07.
 */
export const sequence: Family = {
  name: 'sequence',
  features,
  extract: (moment, out, offset) => {
    const statistic = judge(moment);
    for (let f = 0; f < features.length; f++) out[offset + f] = nats[f]!;
    return statistic;
  },
  learn,
  describe,
};
