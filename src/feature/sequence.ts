import { activeAt } from '../baseline/active-layout.ts';
import { dimensionIndex } from '../baseline/row-layout.ts';
import { classOf, type Forecast, type Step } from '../baseline/transitions.ts';
import { actorKindOf } from '../identity/peer-group.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';
import type { Family, Moment, Observed } from './family.ts';
import { dimensionText } from './observation.ts';

const features = ['order', 'skipped', 'repeated'] as const;
const dimension = dimensionIndex('function');
/** A pause of this long ends a session, ms; and so does this length, so that a machine that never rests has an end too. */
const pauseMs = 1_800_000;
const sessionMs = 12 * 3_600_000;
const stepsMax = 60_000;
/** What stands before a session's first step. */
const beginning = 1;
/** Steps of its own from which a transition is the identity's habit: peers are not asked, and are told of every eighth only. */
const habit = 8;
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

const partialBit = 0x1_0000;
/** Steps that an identity's own way of surprising is remembered over, and at which it counts half. */
const biasMemory = 64;
const biasEnough = 16;
/** What is not expected of an identity's own group but of all of its sort counts this much: they have less in common. */
const wideTrust = 0.5;

/** Words of the identity's active row. */
const own = {
  last: activeAt.sequence,
  second: activeAt.sequence + 1,
  gathered: activeAt.sequence + 2,
  /** Steps of the session so far; and whether its beginning was not seen, so that what is missing may have been there. */
  steps: activeAt.sequence + 3,
  /** Seconds since 1970. */
  started: activeAt.sequence + 4,
  /** How much more surprising than its peers' the identity's steps usually are, in standard deviations. */
  bias: activeAt.sequence + 5,
  /** Own transitions: 12 bits of the one before, 12 of the next, 8 of the count. */
  transitions: activeAt.sequence + 6,
  /** The session's functions, the least recent gives way: hash, then 16 bits of the last step and 16 of the number of uses. */
  recent: activeAt.sequence + 18,
  /** Per class of functions: doublings of their repetition that an earlier session reached, four bits each. */
  habits: activeAt.sequence + 42,
} as const;
const transitionsMax = 12;
const recentMax = 12;
const habitClasses = 48;

/** What `extract` found of the event, for `describe` and `learn`. */
const found = {
  resolved: null as unknown,
  isStep: false,
  fresh: false,
  partial: false,
  steps: 0,
  /** Places in the active row, or -1. */
  transition: -1,
  recent: -1,
  /** The identity's own uses of this transition and of all after the same function; uses of the function in this session, this one included. */
  same: 0,
  after: 0,
  uses: 0,
  gathered: 0,
  skipped: -1,
  doublings: 0,
  /** How surprising the step is, in standard deviations of such steps; 0 for a habit. */
  deviation: 0,
};
const step: Step = { circle: 0, second: 0, first: 0, next: 0 };
/** Circles that the event is counted in: its peer group, and all identities of its sort. Groups are numbered from 0, sorts from here. */
const sortsFrom = 1 << 20;
const sorts = ['human', 'service', 'unknown'] as const;
const circles = [0, 0];
/** The circle that is asked: the narrower one, once it has seen enough. */
let circle = 0;
/** The population's group for it. */
let group = 0;
const forecast: Forecast = { surprise: 0, mean: 0, deviation: 1, context: 0, same: 0 };
/** Classes of functions since the last use of this one, and those that nearly always are among them. */
const before = new Uint32Array(2);
const required = new Uint32Array(2);
const nats = new Float64Array(features.length);

/** Where the event stands in its session. Refused and failed calls are no steps: nothing came of them. */
function enter(moment: Moment): void {
  const { observation, active, activeRow } = moment;
  const { u32 } = active;
  found.resolved = moment.resolved;
  step.next = observation.values[dimension]!;
  found.isStep = step.next !== 0 && observation.outcome === 0;
  if (!found.isStep) return;
  const steps = u32[activeRow + own.steps]! & 0xffff;
  const tooLong = observation.ts > u32[activeRow + own.started]! * 1000 + sessionMs || steps >= stepsMax;
  const paused = moment.gapMs >= pauseMs;
  found.fresh = steps === 0 || paused || tooLong;
  found.partial = found.fresh ? !paused && moment.history > 0 : (u32[activeRow + own.steps]! & partialBit) !== 0;
  found.steps = found.fresh ? 0 : steps;
  step.first = found.fresh ? beginning : u32[activeRow + own.last]!;
  step.second = found.fresh ? beginning : u32[activeRow + own.second]!;
  circles[0] = moment.group;
  circles[1] = sortsFrom + sorts.indexOf(actorKindOf(moment.resolved.event, moment.resolved.identity_kind));
  circle = circles[moment.group > 0 && moment.shared.transitions.speaks(moment.group) ? 0 : 1]!;
  group = circle === moment.group ? moment.group : 0;
  readOwn(u32, activeRow);
  readRecent(u32, activeRow);
}

function readOwn(u32: Uint32Array, row: number): void {
  const tag = transitionTag();
  found.transition = -1;
  found.same = 0;
  found.after = 0;
  for (let i = row + own.transitions; i < row + own.transitions + transitionsMax; i++) {
    const word = u32[i]!;
    if (word >>> 20 !== tag >>> 12 || word === 0) continue;
    found.after += word & 0xff;
    if (word >>> 8 !== tag) continue;
    found.transition = i;
    found.same = word & 0xff;
  }
}

function transitionTag(): number {
  return ((step.first >>> 20) << 12) | (step.next >>> 20);
}

function readRecent(u32: Uint32Array, row: number): void {
  found.recent = -1;
  found.uses = 1;
  before[0] = 0;
  before[1] = 0;
  if (found.fresh) return;
  const start = row + own.recent;
  const end = start + 2 * recentMax;
  let last = 0;
  for (let i = start; i < end; i += 2) {
    if (u32[i] !== step.next) continue;
    found.recent = i;
    found.uses = (u32[i + 1]! & 0xffff) + 1;
    last = u32[i + 1]! >>> 16;
  }
  for (let i = start; i < end; i += 2) {
    if (u32[i] === 0 || u32[i] === step.next || u32[i + 1]! >>> 16 <= last) continue;
    const of = classOf(u32[i]!);
    before[of >>> 5]! |= 1 << (of & 31);
  }
}

/** The peers' forecast of the step. A function that nobody used yet is the novelty family's matter. */
function ask(moment: Moment): void {
  const { population, shared } = moment;
  const share = (population.valueEvents(group, step.next) + 0.5) / (population.sums(group).events[dimension]! + 1);
  step.circle = circle;
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
  const users = moment.population.valueIdentities(group, step.next);
  return gain * trust() * (forecast.context / (forecast.context + contextEnough)) * (users / (users + usersEnough));
}

function trust(): number {
  return circle >= sortsFrom ? wideTrust : 1;
}

/** -ln of the share of uses that lack what this one lacks, less the more often the identity took the same step. */
function skippedNats(moment: Moment): number {
  found.skipped = -1;
  if (found.partial) return 0;
  const { transitions } = moment.shared;
  transitions.required(circle, step.next, required);
  let most = 0;
  for (let half = 0; half < 2; half++)
    for (let missing = required[half]! & ~before[half]!; missing !== 0; missing &= missing - 1) {
      const of = half * 32 + (31 - Math.clz32(missing & -missing));
      const { all, having } = transitions.uses(circle, step.next, of);
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
  const { u32 } = moment.active;
  const known = (u32[habitWord(moment.activeRow, step.next)]! >>> habitShift(step.next)) & 15;
  const { transitions } = moment.shared;
  let total = 0;
  let reached = transitions.repeats(circle, step.next, known);
  for (let k = known; k < found.doublings; k++) {
    const further = Math.min(reached, transitions.repeats(circle, step.next, k + 1));
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
  const { u32, f32 } = moment.active;
  const row = moment.activeRow;
  if (!transitions.isNamed(step.next)) {
    const name = dimensionText(moment.resolved, dimension);
    if (name !== null) transitions.name(step.next, name);
  }
  if (weight >= 0.5) {
    if (found.same < habit || found.same % habit === 0) {
      if (found.same >= habit) ask(moment);
      for (const each of circles) {
        step.circle = each;
        transitions.add(step, forecast.surprise);
      }
    }
    if (found.uses <= usesLearned && !found.partial)
      for (const each of circles) {
        step.circle = each;
        transitions.addUse(step, before[0]!, before[1]!);
      }
    learnOwn(u32, row);
    const bias = f32[row + own.bias]!;
    f32[row + own.bias] = bias + (found.deviation - bias) / Math.min(biasMemory, moment.history + 1);
  }
  if (found.fresh) {
    endSession(moment, weight);
    u32[row + own.started] = Math.floor(moment.observation.ts / 1000);
  }
  learnRecent(moment, weight);
  u32[row + own.second] = step.first;
  u32[row + own.last] = step.next;
  u32[row + own.steps] = (found.steps + 1) | (found.partial ? partialBit : 0);
  f32[row + own.gathered] = found.gathered;
}

function habitWord(row: number, value: number): number {
  return row + own.habits + ((value % habitClasses) >>> 3);
}

function habitShift(value: number): number {
  return ((value % habitClasses) & 7) * 4;
}

/** How often the finished session repeated its functions is what the identity does. */
function endSession(moment: Moment, weight: number): void {
  const { u32 } = moment.active;
  const start = moment.activeRow + own.recent;
  for (let i = start; i < start + 2 * recentMax; i += 2) {
    if (u32[i] === 0) continue;
    const doublings = learnRepeats(moment, i, weight);
    const word = habitWord(moment.activeRow, u32[i]!);
    const shift = habitShift(u32[i]!);
    if (doublings > ((u32[word]! >>> shift) & 15)) u32[word] = (u32[word]! & ~(15 << shift)) | (doublings << shift);
  }
  u32.fill(0, start, start + 2 * recentMax);
}

/** Tells the peers how often the session used a function, when that is known: not in the middle, where it would be measured by itself. */
function learnRepeats({ active: { u32 }, shared }: Moment, place: number, weight: number): number {
  const doublings = 31 - Math.clz32(u32[place + 1]! & 0xffff);
  for (let k = 0; k <= doublings && weight >= 0.5; k++)
    for (const each of circles) shared.transitions.addRepeat(each, u32[place]!, k);
  return doublings;
}

function learnOwn(u32: Uint32Array, row: number): void {
  const start = row + own.transitions;
  let place = found.transition;
  if (place < 0) {
    place = start;
    for (let i = start; i < start + transitionsMax; i++) if ((u32[i]! & 0xff) < (u32[place]! & 0xff)) place = i;
    u32[place] = (transitionTag() << 8) >>> 0;
  }
  u32[place]! += 1;
  if ((u32[place]! & 0xff) < 0xff) return;
  for (let i = start; i < start + transitionsMax; i++) u32[i] = ((u32[i]! & ~0xff) | ((u32[i]! & 0xff) >>> 1)) >>> 0;
}

function learnRecent(moment: Moment, weight: number): void {
  const { u32 } = moment.active;
  let place = found.recent;
  if (place < 0) {
    const start = moment.activeRow + own.recent;
    place = start;
    for (let i = start; i < start + 2 * recentMax; i += 2) if (u32[i + 1]! < u32[place + 1]!) place = i;
    if (u32[place] !== 0) learnRepeats(moment, place, weight);
  }
  u32[place] = step.next;
  u32[place + 1] = (((found.steps + 1) << 16) | Math.min(0xffff, found.uses)) >>> 0;
}

const percent = (share: number): string => `${(share * 100).toFixed(share > 0.1 && share < 0.995 ? 0 : 1)} %`;

function describe(moment: Moment, feature: number, resolved: ResolvedEvent): Observed {
  if (found.resolved !== moment.resolved) judge(moment);
  const { transitions } = moment.shared;
  const name = dimensionText(resolved, dimension) ?? '-';
  const level = group === 0 ? 'everyone' : 'peers';
  const peers = group === 0 ? 'all' : "its peers'";
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
    const { all, having } = transitions.uses(circle, step.next, Math.max(0, found.skipped));
    const missing = transitions.predecessor(circle, step.next, Math.max(0, found.skipped)) ?? 'what comes before it';
    const sampleSize = Math.round(all);
    const text = `calls ${name} without ${missing} before it; ${percent(having / Math.max(1, all))} of the last ${sampleSize} of ${peers} calls have it`;
    return { observed: name, expected: missing, ...plain, sampleSize, text };
  }
  const sessions = transitions.repeats(circle, step.next, 0);
  const share = percent(transitions.repeats(circle, step.next, found.doublings) / Math.max(1, sessions));
  const text = `calls ${name} ${found.uses} times in a session; ${share} of ${Math.round(sessions)} of ${peers} sessions with it come that far`;
  return { observed: found.uses, expected: share, ...plain, sampleSize: Math.round(sessions), text };
}

/**
 * The order of calls: steps less probable than such sessions' steps are, steps without what nearly always comes before them, and
 * the same step again and again. D07. A session is a stretch of an identity's calls without a pause: tokens are renewed in the middle of one,
 * and two devices share one.
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
