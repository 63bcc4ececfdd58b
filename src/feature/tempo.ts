import { activeAt } from '../baseline/active-layout.ts';
import type { FunctionNumbers } from '../baseline/function-numbers.ts';
import { at, dimensionIndex } from '../baseline/row-layout.ts';
import { gather, knownShare, learnNormal, type Normal, shrink } from '../baseline/statistics.ts';
import { actorKindOf } from '../identity/peer-group.ts';
import { isHeldBack, type Moment, type Observed } from './family.ts';
import { dimensionText } from './observation.ts';
import { pauseMs } from './session.ts';

/**
 * How quickly one call follows another. What a function's callers read or type before they call it takes them some time each; a program that goes through the same
 * functions takes none. So a gap is compared with gaps before that function, and then with how quick the identity is at its functions.
 */
const fn = dimensionIndex('function');
/** What is quicker came at once, ms. */
const atOnceMs = 100;
/** Gaps that the functions' weigh against the identity's own habit, and that are remembered of it. */
const peerStrength = 16;
const memory = 256;
/** Nobody is so regular that less spread than this share of the function's would mean anything. */
const varianceMin = 0.3;
/** No gap moves what is known by more than so many deviations. */
const deviationsMax = 3;

/** Words of the identity's active row. */
const own = {
  mean: activeAt.tempo,
  variance: activeAt.tempo + 1,
  weight: activeAt.tempo + 2,
  /** Nats in favour of quicker gaps, and the calls and ms that they are from. */
  gathered: activeAt.tempo + 3,
  calls: activeAt.tempo + 4,
  ms: activeAt.tempo + 5,
} as const;

const found = { turn: 0, isStep: false, mean: 0, deviation: 1, logarithm: 0, gathered: 0 };
const habit: Normal = { mean: 0, variance: 0, weight: 0 };
const anybodys: Normal = { mean: 0, variance: 1, weight: peerStrength };
/** What the gap is expected to be, in deviations of the function's gaps. */
const usual: Normal = { mean: 0, variance: 0, weight: 0 };

function gapsOf({ shared, resolved }: Moment): FunctionNumbers {
  return shared.gaps[actorKindOf(resolved.event, resolved.identity_kind)];
}

function look(moment: Moment): void {
  if (found.turn === moment.turn) return;
  found.turn = moment.turn;
  const { active, activeRow, slab, row, observation, gapMs } = moment;
  const value = observation.values[fn]!;
  const goesOn = moment.history > 0 && gapMs < pauseMs;
  found.gathered = goesOn ? active.f32[activeRow + own.gathered]! : 0;
  // A clock that goes back is no haste.
  found.isStep = goesOn && value !== 0 && observation.ts >= slab.f64[(row + at.lastTs) / 2]!;
  if (!found.isStep) return;
  const gaps = gapsOf(moment);
  const { mean, deviation } = gaps.of(value);
  found.mean = mean;
  found.deviation = deviation;
  found.logarithm = Math.log(Math.max(atOnceMs, gapMs));
  habit.mean = active.f32[activeRow + own.mean]!;
  habit.variance = active.f32[activeRow + own.variance]!;
  habit.weight = active.f32[activeRow + own.weight]!;
  shrink(habit, anybodys, usual);
  const quicker =
    (usual.mean - (found.logarithm - mean) / deviation) / Math.sqrt(Math.max(varianceMin, usual.variance));
  found.gathered = gather(found.gathered, quicker, gaps.known(value) * knownShare(habit.weight, peerStrength));
}

/** What the quick succession of the calls so far comes to, nats. */
export function tempoNats(moment: Moment): number {
  look(moment);
  return found.isStep ? found.gathered : 0;
}

export function learnTempo(moment: Moment, weight: number): void {
  look(moment);
  const { f32 } = moment.active;
  const row = moment.activeRow;
  f32[row + own.gathered] = found.gathered;
  const goesOn = found.gathered > 0;
  f32[row + own.calls] = goesOn ? f32[row + own.calls]! + 1 : 0;
  f32[row + own.ms] = goesOn ? f32[row + own.ms]! + moment.gapMs : 0;
  if (found.isStep) learnGap(moment, weight);
  // What was looked at was before learning.
  found.turn = 0;
}

/** Clipped to three deviations, so that no gap moves a mean far. */
function learnGap(moment: Moment, weight: number): void {
  const { mean, deviation } = found;
  const logarithm = clip(found.logarithm, mean, deviationsMax * deviation);
  if (!isHeldBack(moment, weight)) gapsOf(moment).add(moment.observation.values[fn]!, { number: logarithm, weight: 1 });
  const number = clip((found.logarithm - mean) / deviation, usual.mean, deviationsMax * Math.sqrt(usual.variance));
  learnNormal(moment.active.f32, moment.activeRow + own.mean, { number, weight, memory });
}

function clip(value: number, middle: number, spread: number): number {
  return Math.max(middle - spread, Math.min(middle + spread, value));
}

const seconds = (ms: number): string => `${(ms / 1000).toPrecision(2)} s`;

export function describeTempo(moment: Moment): Observed {
  look(moment);
  const { f32 } = moment.active;
  const row = moment.activeRow;
  const calls = f32[row + own.calls]! + 1;
  const observed = seconds((f32[row + own.ms]! + moment.gapMs) / calls);
  const expected = seconds(Math.exp(found.mean + usual.mean * found.deviation));
  const isOwn = habit.weight >= peerStrength;
  return {
    ...{ observed, expected, low: null, high: null },
    level: isOwn ? 'self' : 'everyone',
    sampleSize: Math.round(habit.weight),
    text: `${calls} calls in a row ${observed} apart; ${isOwn ? 'it usually takes' : 'others take'} ${expected} before ${dimensionText(moment.resolved, fn) ?? '-'}`,
  };
}
