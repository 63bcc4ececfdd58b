import { activeAt } from '../baseline/active-layout.ts';
import type { Moment } from './family.ts';

/** An ordinary day is 1 nat odd on average, and half as much again is nothing to remember: a run of ordinary days adds up to 8 nats once in a hundred times. */
const ordinary = 1.5;
/** Beyond this nothing is added, so that a new habit is forgiven in a fortnight of ordinary days. */
const most = 20;
/** Days on end: after a day without a call it is halved every two days. */
const dayMs = 86_400_000;
const halfLifeMs = 2 * dayMs;

/**
 * What days of a little more than usual come to together (a cumulated sum, Page 1954), nats: a ramp, a drip or a quiet scraper is ordinary on each day and
 * not on ten in a row. One sum per quantity whose days are compared: the tallies in their order, then calls. Asked for before, written when a day is over.
 */
export function carriedOver({ active, activeRow }: Moment, quantity: number): number {
  return active.f32[activeRow + activeAt.carried + quantity]!;
}

/** The identity's day is over, and said so many nats; the moment is the first of a later one. */
export function carryOver({ active, activeRow, gapMs }: Moment, quantity: number, nats: number): void {
  const place = activeRow + activeAt.carried + quantity;
  const sum = Math.max(0, Math.min(most, active.f32[place]! + nats - ordinary));
  active.f32[place] = gapMs <= dayMs ? sum : sum * 2 ** ((dayMs - gapMs) / halfLifeMs);
}
