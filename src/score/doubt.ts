import { at } from '../baseline/row-layout.ts';
import type { Moment } from '../feature/family.ts';

/** From this many nats on, an identity's calls are taken for somebody else's. */
const limit = 6;
/** Six acts that are the identity's own end it: a bout of something else is not held against it for long. */
const most = 12;
/** One call counts for at most this many nats: it takes a run. */
const callMax = 5;
/**
 * Doubt grows with calls above this many nats (p = 0.14) and shrinks with those below. An identity's own -ln p is 1 on average, and at 2 a call says as much for
 * it as for somebody else whose mean is 5: that is where x (1 - 1/5) = ln 5, the log-likelihood ratio of two exponentials.
 */
const suspect = 2;
/** Calls that follow each other faster are one act (a batch, a page that loads): each counts in proportion, but hundreds in no time count, too. */
const actMs = 10_000;
const actMin = 0.02;
/** An identity that is hardly known changes still: doubt grows half as quickly at this many calls. */
const acquaintance = 50;
/** A change that has lasted for this many calls, and for a week, is the identity's own: learned from then on, whatever is open. */
const patience = 600;
const patienceDays = 7;
const dayMs = 86_400_000;

/**
 * Whether an identity goes on being odd, to be asked before learning: a cumulated sum (Page, Biometrika 1954). Unlike evidence it does not fade with
 * time, only when the identity is itself again, at a nat an act; so whoever takes it over and is odd is not learned. Exponential -ln p, as
 * an identity has that is itself, brought it there once in 6,000 acts of a simulation, for two.
 */
export function raiseDoubt({ slab, row, history, gapMs, observation }: Moment, pValue: number): void {
  const { f32, u32 } = slab;
  const before = f32[row + at.doubt]!;
  const nats = Math.min(callMax, -Math.log(pValue)) - suspect;
  const share = Math.max(actMin, Math.min(1, gapMs / actMs));
  const doubt = Math.max(0, Math.min(most, before + (nats * share * history) / (history + acquaintance)));
  f32[row + at.doubt] = doubt;
  const lasted = u32[row + at.doubted]!;
  if (doubt === 0) u32[row + at.doubted] = 0;
  else if (before > limit && (lasted & 0xffff) < patience)
    u32[row + at.doubted] = lasted === 0 ? ((Math.floor(observation.ts / dayMs) << 16) | 1) >>> 0 : lasted + 1;
}

export function isDoubted({ slab: { f32 }, row }: Moment): boolean {
  return f32[row + at.doubt]! > limit;
}

/** Whether doubt has lasted for so long that the change is the identity's own. */
export function isAccepted({ slab: { u32 }, row, observation }: Moment): boolean {
  const lasted = u32[row + at.doubted]!;
  return (lasted & 0xffff) >= patience && Math.floor(observation.ts / dayMs) - (lasted >>> 16) >= patienceDays;
}
