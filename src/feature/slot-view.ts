import { dimensionCount } from '../baseline/row-layout.ts';
import { learnSlot, readSlots, type SlotView } from '../baseline/slots.ts';
import type { Moment } from './family.ts';

/** What the row remembers of the event's value in each dimension. Several families ask about most of them: each is looked up once. */
const views: readonly SlotView[] = Array.from({ length: dimensionCount }, () => ({ count: 0, total: 0, distinct: 0 }));
/** The moment that each view is of; 0 when it is to be looked up again. */
const turns = new Float64Array(dimensionCount);
const place = { row: 0, dimension: 0, value: 0 };

function placeOf(moment: Moment, dimension: number): typeof place {
  place.row = moment.row;
  place.dimension = dimension;
  place.value = moment.observation.values[dimension]!;
  return place;
}

/** As it is now; another look at the same dimension, and another moment, may write it anew. Not to be changed. */
export function viewOf(moment: Moment, dimension: number): Readonly<SlotView> {
  const view = views[dimension]!;
  if (turns[dimension] === moment.turn) return view;
  turns[dimension] = moment.turn;
  readSlots(moment.slab, placeOf(moment, dimension), view);
  return view;
}

/** The row learns the event's value. */
export function learnView(moment: Moment, dimension: number, weight: number): void {
  learnSlot(moment.slab, placeOf(moment, dimension), weight);
  turns[dimension] = 0;
}
