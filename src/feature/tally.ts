import {
  activeAt,
  type TallyFamily,
  tallies,
  tallyCount,
  tallyFamilies,
  tallyWindowsMs,
} from '../baseline/active-layout.ts';
import type { BaselineLevel } from '../baseline/row-layout.ts';
import { type Normal, shrink, studentSurprise } from '../baseline/statistics.ts';
import { habitAt } from '../baseline/tally-habits.ts';
import { carriedOver, carryOver } from './drift.ts';
import { type Moment, type Observed, usually } from './family.ts';
import { callsToday, endShareDay, expectedShare, isOfKind, shareKind, shareNats } from './tally-share.ts';

/** Finished windows that the peers' weigh against the identity's own, everyone's against the peers', and ignorance against everyone's. */
const peerStrength = 6;
const everyoneStrength = 20;
const ignoranceStrength = 4;
const ignorance = { mean: 0.5, square: 1.25 };
/** Nobody is so regular that less spread of the logarithm would mean anything. */
const varianceMin = 0.1;
/** An identity's own memory, in finished windows. */
const memory = 128;
const windowNames = ['10 minutes', 'a day'] as const;
/** From this many nats on the days before are worth a word. */
const worthWords = 3;
const day = 1;

/** Where a family's tallies begin among all of them. */
const firsts = Object.fromEntries(
  tallyFamilies.map((family, i) => [
    family,
    tallyFamilies.slice(0, i).reduce((sum, before) => sum + tallies[before].length, 0),
  ]),
) as Readonly<Record<TallyFamily, number>>;

/** Whether the window that the row is in is the one that the event falls into; an event from an earlier one joins the current. */
export function isCurrent(moment: Moment, window: number): boolean {
  const number = moment.active.f32[moment.activeRow + activeAt.windows + window * 2]!;
  return number >= Math.floor(moment.observation.ts / tallyWindowsMs[window]!) % 0xffffff;
}

function cellStart(moment: Moment, cell: number): number {
  return moment.activeRow + activeAt.tallies + cell * 4;
}

/**
 * What a window is expected to come to: the chance that there is anything at all, and then the logarithm of how much. Written anew by
 * every prediction: a call asks for several, and what each would leave to the garbage collector adds up.
 */
const own: Normal = { mean: 0, variance: 0, weight: 0 };
const prior: Normal = { mean: 0, variance: 0, weight: peerStrength };
const expected = { chance: 0, mean: 0, variance: 0, weight: 0 };

function predict(moment: Moment, window: number, cell: number): void {
  const everyone = moment.shared.habits.of(0);
  const place = habitAt(cell);
  const known = everyone[place]! + ignoranceStrength;
  let mean = (everyone[place + 1]! + ignoranceStrength * ignorance.mean) / known;
  let square = (everyone[place + 2]! + ignoranceStrength * ignorance.square) / known;
  let chance = (everyone[place]! + 1) / (everyone[window]! + ignoranceStrength);
  if (moment.group > 0) {
    const peers = moment.shared.habits.of(moment.group);
    const shared = peers[place]! + everyoneStrength;
    mean = (peers[place + 1]! + everyoneStrength * mean) / shared;
    square = (peers[place + 2]! + everyoneStrength * square) / shared;
    chance = (peers[place]! + everyoneStrength * chance) / (peers[window]! + everyoneStrength);
  }
  const { f32 } = moment.active;
  const start = cellStart(moment, cell);
  own.mean = f32[start + 1]!;
  own.variance = f32[start + 2]!;
  own.weight = f32[start + 3]!;
  prior.mean = mean;
  prior.variance = Math.max(varianceMin, square - mean * mean);
  const finished = f32[moment.activeRow + activeAt.windows + window * 2 + 1]!;
  expected.chance = (own.weight + peerStrength * chance) / (finished + peerStrength);
  shrink(own, prior, expected);
}

/** How surprising that there is anything, and that it is as much. Nats. */
function surprise(count: number): number {
  const z = (Math.log1p(count) - expected.mean) / Math.sqrt(expected.variance);
  return z <= 0 ? 0 : studentSurprise(z, expected.weight) - Math.log(Math.min(1, expected.chance));
}

/**
 * Counts of one family over windows of ten minutes and a day, each compared with finished windows of the identity, its peers and everyone on a
 * logarithmic scale (normal-inverse-gamma, Student's tail), and made comparable by how rare such a surprise is among finished windows.
 * `increments` says by how much the event raises each count, before anything is learned from it.
 */
export class Tally {
  readonly family: TallyFamily;
  readonly names: readonly string[];
  readonly #first: number;
  readonly #increments: (moment: Moment, window: number, into: Float32Array) => void;
  readonly #least: (moment: Moment, tally: number) => number;
  /** Per window: by how much the event of the moment `#turn` raises each tally, asked for once. */
  readonly #by: readonly Float32Array[];
  /** Per tally: the kind of call that it counts, or -1. */
  readonly #kinds: readonly number[];
  #turn = 0;

  /** `least`: a count up to this is nobody's business, however unusual for the identity. */
  constructor(
    family: TallyFamily,
    increments: (moment: Moment, window: number, into: Float32Array) => void,
    least: (moment: Moment, tally: number) => number = () => 0,
  ) {
    this.family = family;
    this.#least = least;
    this.names = tallies[family];
    this.#first = firsts[family];
    this.#increments = increments;
    this.#kinds = this.names.map((name) => shareKind(`${family}.${name}`));
    this.#by = tallyWindowsMs.map(() => new Float32Array(this.names.length));
  }

  /** Nats per tally, the higher of its windows', to `out`; returns the highest. Only what the event raises can say something. */
  extract(moment: Moment, out: Float32Array, offset: number): number {
    this.#ask(moment);
    let most = 0;
    for (let i = 0; i < this.names.length; i++) out[offset + i] = 0;
    for (let window = 0; window < tallyWindowsMs.length; window++) {
      const by = this.#by[window]!;
      for (let i = 0; i < by.length; i++) {
        if (by[i] === 0) continue;
        const nats = this.#nats(moment, window, i);
        if (nats > out[offset + i]!) out[offset + i] = nats;
        if (nats > most) most = nats;
      }
    }
    for (let i = 0; i < this.names.length; i++) {
      const nats = this.#shareNats(moment, i);
      if (nats > out[offset + i]!) out[offset + i] = nats;
      if (nats > most) most = nats;
    }
    return most;
  }

  /** What the share of such calls among today's says. */
  #shareNats(moment: Moment, tally: number): number {
    const kind = this.#kinds[tally]!;
    return kind < 0 || this.#by[day]![tally] === 0 || !isCurrent(moment, day) ? 0 : shareNats(moment, kind);
  }

  learn(moment: Moment, weight: number): void {
    this.#ask(moment);
    for (let window = 0; window < tallyWindowsMs.length; window++) {
      if (!isCurrent(moment, window)) finish(moment, window, weight);
      const by = this.#by[window]!;
      const { f32 } = moment.active;
      for (let i = 0; i < by.length; i++) {
        if (by[i] === 0) continue;
        const start = cellStart(moment, this.#cell(window, i));
        f32[start] = f32[start]! + by[i]!;
      }
    }
    for (let i = 0; i < this.names.length; i++)
      if (this.#kinds[i]! >= 0 && this.#by[day]![i] !== 0) isOfKind(moment, this.#kinds[i]!);
    // What was asked for was before learning.
    this.#turn = 0;
  }

  /** What is said of a tally in the window in which it is the more surprising; `name` puts a count into words. */
  describe(
    moment: Moment,
    tally: number,
    { name, note }: { readonly name: (count: number) => string; readonly note?: (count: number) => string },
  ): Observed {
    this.#ask(moment);
    let window = 0;
    let most = -1;
    for (let w = 0; w < tallyWindowsMs.length; w++) {
      const nats = this.#nats(moment, w, tally);
      if (nats > most) [window, most] = [w, nats];
    }
    if (this.#shareNats(moment, tally) > most) return this.#describeShare(moment, this.#kinds[tally]!, name);
    const count = Math.round(this.#count(moment, window, tally));
    predict(moment, window, this.#cell(window, tally));
    const { chance, mean } = expected;
    const spread = 1.64 * Math.sqrt(expected.variance);
    const of = (number: number): number => Math.max(0, Math.round(Math.expm1(number)));
    const { habits } = moment.shared;
    const self = moment.active.f32[moment.activeRow + activeAt.windows + window * 2 + 1]!;
    const peers = moment.group > 0 ? habits.count(moment.group, window) : 0;
    const everyone = habits.count(0, window);
    const level: BaselineLevel = self >= peerStrength ? 'self' : peers >= everyoneStrength ? 'peers' : 'everyone';
    const usual = chance < 0.5 ? 0 : of(mean);
    const hasBefore = window === day && carriedOver(moment, this.#first + tally) >= worthWords;
    const before = hasBefore ? ', after days of more than usual' : '';
    return {
      observed: count,
      expected: usual,
      low: chance < 0.95 ? 0 : of(mean - spread),
      high: of(mean + spread),
      level,
      sampleSize: Math.round(level === 'self' ? self : level === 'peers' ? peers : everyone),
      text: `${name(count)} in ${windowNames[window]!}, ${usually(everyone)} ${usual}${before}${note?.(count) ?? ''}`,
    };
  }

  #describeShare(moment: Moment, kind: number, name: (count: number) => string): Observed {
    const { calls, all } = callsToday(moment, kind);
    const share = expectedShare(moment, kind);
    const usual = Math.round(10 * share * all) / 10;
    return {
      ...{ observed: calls, expected: usual, low: 0, high: Math.ceil(usual), level: 'peers', sampleSize: all },
      text: `${name(calls)} in its ${all} calls of the day, ${Math.round(100 * share)} % expected`,
    };
  }

  /** A tally's count so far in the window that the event falls into. */
  soFar(moment: Moment, window: number, tally: number): number {
    return isCurrent(moment, window) ? moment.active.f32[cellStart(moment, this.#cell(window, tally))]! : 0;
  }

  /** By how much the event raises the tallies: the same before and in learning, and wherever it is described. */
  #ask(moment: Moment): void {
    if (this.#turn === moment.turn) return;
    this.#turn = moment.turn;
    for (let window = 0; window < tallyWindowsMs.length; window++) {
      const by = this.#by[window]!;
      // Three or four numbers: a call of `fill` takes longer.
      for (let i = 0; i < by.length; i++) by[i] = 0;
      this.#increments(moment, window, by);
    }
  }

  /** The count of the current window, the event included. */
  #count(moment: Moment, window: number, tally: number): number {
    return this.soFar(moment, window, tally) + this.#by[window]![tally]!;
  }

  #nats(moment: Moment, window: number, tally: number): number {
    const count = this.#count(moment, window, tally);
    if (count <= this.#least(moment, tally)) return 0;
    const cell = this.#cell(window, tally);
    predict(moment, window, cell);
    const found = surprise(count);
    if (found <= 0) return 0;
    const before = window === day ? carriedOver(moment, this.#first + tally) : 0;
    return before - Math.log(moment.shared.habits.pValue(cell, found));
  }

  #cell(window: number, tally: number): number {
    return window * tallyCount + this.#first + tally;
  }
}

/** Of finished windows an identity's own count for at most this many: older ones fade. */
function fade(windows: number): number {
  return windows * (1 - 1 / memory);
}

function finishCell(moment: Moment, of: { window: number; cell: number; weight: number }): void {
  const { cell, weight } = of;
  const { f32 } = moment.active;
  const { habits } = moment.shared;
  const start = cellStart(moment, cell);
  const count = f32[start]!;
  const before = f32[start + 3]!;
  if (before > 0) f32[start + 3] = fade(before);
  if (count === 0) {
    if (of.window === day) carryOver(moment, cell - tallyCount, 0);
    return;
  }
  predict(moment, of.window, cell);
  const { mean, variance } = expected;
  const found = surprise(count);
  if (of.window === day) carryOver(moment, cell - tallyCount, found <= 0 ? 0 : -Math.log(habits.pValue(cell, found)));
  habits.addSurprise(cell, found);
  const clipped = Math.min(Math.log1p(count), mean + 3 * Math.sqrt(variance));
  const total = f32[start + 3]! + weight;
  const step = weight / total;
  const apart = clipped - f32[start + 1]!;
  f32[start] = 0;
  f32[start + 1] = f32[start + 1]! + step * apart;
  f32[start + 2] = (1 - step) * (f32[start + 2]! + step * apart * apart);
  f32[start + 3] = total;
  habits.add(moment.group, cell, clipped);
}

/** The window is over: its counts become part of what is usual, each clipped to three standard deviations; a new one begins. */
function finish(moment: Moment, window: number, weight: number): void {
  const { f32, u32 } = moment.active;
  const { habits } = moment.shared;
  const place = moment.activeRow + activeAt.windows + window * 2;
  const finished = f32[place]! > 0;
  f32[place] = Math.floor(moment.observation.ts / tallyWindowsMs[window]!) % 0xffffff;
  if (finished) {
    habits.addWindow(moment.group, window);
    for (let tally = 0; tally < tallyCount; tally++)
      finishCell(moment, { window, cell: window * tallyCount + tally, weight });
    f32[place + 1] = fade(f32[place + 1]!) + weight;
  }
  for (const seen of [activeAt.objectsSeen, activeAt.functionsSeen, activeAt.changedSeen]) {
    const start = moment.activeRow + seen[window]!.at;
    u32.fill(0, start, start + seen[window]!.words);
  }
  if (window !== day) return;
  u32.fill(0, moment.activeRow + activeAt.slots, moment.activeRow + activeAt.slots + 9);
  endShareDay(moment, weight);
}

/**
 * By how much the number of distinct values rises with this one: a linear counter (Whang et al., 1990) of which each newly set bit counts as
 * much as it was improbable (Cohen's and Ting's HIP estimator, 2014), so that a filling counter does not fall behind.
 */
export function distinctIncrement(
  moment: Moment,
  counter: { readonly at: number; readonly words: number },
  of: { readonly value: number; readonly window: number; readonly count: number },
): number {
  if (!isCurrent(moment, of.window)) return 1;
  const bit = bitOf(counter, of.value);
  if ((moment.active.u32[moment.activeRow + counter.at + (bit >>> 5)]! & (1 << (bit & 31))) !== 0) return 0;
  return Math.exp(Math.min(3, of.count / (counter.words * 32)));
}

export function markDistinct(
  moment: Moment,
  counter: { readonly at: number; readonly words: number },
  value: number,
): void {
  const bit = bitOf(counter, value);
  const word = moment.activeRow + counter.at + (bit >>> 5);
  moment.active.u32[word] = (moment.active.u32[word]! | (1 << (bit & 31))) >>> 0;
}

function bitOf(counter: { readonly words: number }, value: number): number {
  return (Math.imul(value, 0x9e3779b1) >>> 8) % (counter.words * 32);
}

/** Whether the call did what was asked. */
export function succeeded(moment: Moment): boolean {
  return moment.observation.outcome === 0;
}
