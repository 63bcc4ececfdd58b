import type { Population } from '../baseline/population.ts';
import type { BaselineLevel, FamilyName } from '../baseline/row-layout.ts';
import type { RowSlab } from '../baseline/row-slab.ts';
import type { Shared } from '../baseline/shared.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';
import type { Observation } from './observation.ts';

/** All that a family may look at: the event's observation, the identity's row and what its peers do, before learning. */
export type Moment = {
  /** Its number, from 1: what is asked of a moment again need not be looked up again. No two moments of a process have the same. */
  turn: number;
  readonly slab: RowSlab;
  /** The second tier; `activeRow` is the identity's row in it. */
  readonly active: RowSlab;
  readonly population: Population;
  readonly shared: Shared;
  resolved: ResolvedEvent;
  row: number;
  activeRow: number;
  /** The identity's peer group; 0 is everyone. */
  group: number;
  readonly observation: Observation;
  /** Events in the row before this one. */
  history: number;
  /** Since the identity's previous event, ms; 0 for its first. */
  gapMs: number;
};

let turns = 0;
export function nextTurn(): number {
  return ++turns;
}

/** What an explanation says about one feature of one event. */
export type Observed = {
  readonly observed: number | string;
  readonly expected: number | string;
  readonly low: number | null;
  readonly high: number | null;
  readonly level: BaselineLevel;
  readonly sampleSize: number;
  readonly text: string;
};

export type Family = {
  readonly name: FamilyName;
  /** Names of the deviations, in the order of `extract`'s output. */
  readonly features: readonly string[];
  /**
   * Writes one deviation per feature to `out` from `offset` (nats; positive is less like the identity) and returns the family's statistic,
   * nats too. Changes nothing.
   */
  readonly extract: (moment: Moment, out: Float32Array, offset: number) => number;
  /** Learns the event with a weight in (0, 1]. */
  readonly learn: (moment: Moment, weight: number) => void;
  /** `feature` is an index into `features`. Only for events that become part of a finding. */
  readonly describe: (moment: Moment, feature: number, resolved: ResolvedEvent) => Observed;
};

/** An identity is known after this many events; of those that follow one in four is learned. */
const knownAfter = 100;
const knownShare = 1 / 4;
/** While it is held back, one in 64: nothing that is learned can be less than a sixteenth of an event, so five hundred of a thief's are half an event. */
const heldShare = 1 / 64;

/** Whether an event of an identity that is held back is not learned at all. */
export function isHeldBack(moment: Moment, weight: number): boolean {
  return weight < 2 / 1024 && !drawn(moment, heldShare);
}

/**
 * The same for habits, which move slowly in an identity that is known, so that neither a thief nor a slow drift becomes its habit as quickly as its first
 * events did.
 */
export function skipsHabit(moment: Moment, weight: number): boolean {
  return isHeldBack(moment, weight) || (moment.history > knownAfter && !drawn(moment, knownShare));
}

/** True with a chance of `weight`. The event decides, so a replay decides alike; and not by counting, for a robot's calls may come in fours, too. */
export function drawn(moment: Moment, weight: number): boolean {
  if (weight >= 1) return true;
  if (drawnTurn !== moment.turn) draw(moment);
  return lot < weight;
}

/** The moment's lot, in [0, 1): every habit asks for it. */
let lot = 0;
let drawnTurn = 0;
function draw({ turn, observation, history }: Moment): void {
  const mixed = Math.imul((observation.ts % 0xffffffff) ^ Math.imul(history + 1, 0x85ebca6b), 0x9e3779b1);
  lot = ((mixed ^ (mixed >>> 15)) >>> 0) / 0x100000000;
  drawnTurn = turn;
}

/** "usually" is a claim about the past: without one (fewer than ten observations) a sentence says that the number is an assumption. */
export function usually(observations: number): string {
  return observations >= 10 ? 'usually' : 'assumed until more is known:';
}
