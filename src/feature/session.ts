import { activeAt } from '../baseline/active-layout.ts';
import { dimensionIndex } from '../baseline/row-layout.ts';
import { classOf, type Step } from '../baseline/transitions.ts';
import { actorKindOf } from '../identity/peer-group.ts';
import type { Moment } from './family.ts';

/**
 * Where an event stands in its identity's session: what came before it, how often, and what the identity's own way is. In: a moment. Out:
 * `found`, `step` and `before`, reused for every event. A session is a stretch of an identity's calls without a pause: tokens are renewed
 * in the middle of one, and two devices share one.
 */
export const dimension = dimensionIndex('function');
/** A pause of this long ends a session, ms; and so does this length, so that a machine that never rests has an end too. */
export const pauseMs = 1_800_000;
const sessionMs = 12 * 3_600_000;
const stepsMax = 60_000;
/** What stands before a session's first step. */
export const beginning = 1;
const partialBit = 0x1_0000;

/** Words of the identity's active row. */
export const own = {
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
export const found = {
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
  /** The circle that is asked: the narrower one, once it has seen enough; and the population's group for it. */
  circle: 0,
  group: 0,
};
export const step: Step = { circle: 0, second: 0, first: 0, next: 0 };
/** Circles that the event is counted in: its peer group, and all identities of its sort. Groups are numbered from 0, sorts from here. */
export const sortsFrom = 1 << 20;
const sorts = ['human', 'service', 'unknown'] as const;
export const circles = [0, 0];
/** Classes of functions since the last use of this one: two halves of a set. */
export const before = new Uint32Array(2);

/** Where the event stands in its session. Refused and failed calls are no steps: nothing came of them. */
export function enter(moment: Moment): void {
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
  found.circle = circles[moment.group > 0 && moment.shared.transitions.speaks(moment.group) ? 0 : 1]!;
  found.group = found.circle === moment.group ? moment.group : 0;
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

/** Doublings of the function's repetition that an earlier session of the identity reached. */
export function knownDoublings(moment: Moment, value: number): number {
  return (moment.active.u32[habitWord(moment.activeRow, value)]! >>> habitShift(value)) & 15;
}

function habitWord(row: number, value: number): number {
  return row + own.habits + ((value % habitClasses) >>> 3);
}

function habitShift(value: number): number {
  return ((value % habitClasses) & 7) * 4;
}

/** The step is taken. What is improbable is no habit. */
export function leave(moment: Moment, weight: number): void {
  const { u32 } = moment.active;
  const row = moment.activeRow;
  if (weight >= 0.5) learnOwn(u32, row);
  if (found.fresh) {
    endSession(moment, weight);
    u32[row + own.started] = Math.floor(moment.observation.ts / 1000);
  }
  learnRecent(moment, weight);
  u32[row + own.second] = step.first;
  u32[row + own.last] = step.next;
  u32[row + own.steps] = (found.steps + 1) | (found.partial ? partialBit : 0);
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
