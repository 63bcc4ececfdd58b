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

/**
 * Whether the event is not learned at all. While a finding is open only every sixty-fourth is, for nothing that is learned can be less than a
 * sixteenth of an event: so five hundred events of a thief are half an event.
 */
export function skipsLearning(moment: Moment, weight: number): boolean {
  return weight < 2 / 1024 && moment.history % 64 !== 0;
}

/** "usually" is a claim about the past: without one (fewer than ten observations) a sentence says that the number is an assumption. */
export function usually(observations: number): string {
  return observations >= 10 ? 'usually' : 'assumed until more is known:';
}
