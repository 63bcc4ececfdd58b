import { activeAt, tallyWindowsMs } from '../baseline/active-layout.ts';
import { foreign, known } from '../baseline/object-owners.ts';
import { dimensionIndex } from '../baseline/row-layout.ts';
import type { Family, Moment } from './family.ts';
import { keysOf, objectsMax, relationsOf, touchObject } from './ownership.ts';
import { distinctIncrement, markDistinct, succeeded, Tally } from './tally.ts';
import { expectedShare, shareKind } from './tally-share.ts';

const area = dimensionIndex('area');

/** Objects of the event that is looked at, and the first of them if it is a number. */
let keyCount = 0;
let firstNumber = -1;

function prepare(moment: Moment): void {
  const { object_ids } = moment.resolved;
  keyCount = succeeded(moment) ? Math.min(objectsMax, object_ids.length) : 0;
  if (keyCount > 0) firstNumber = numberOf(object_ids[0]!);
}

/** The number that the text is, in 32 bits; -1 for other texts, and for numbers too long to be one. */
function numberOf(text: string): number {
  if (text.length === 0 || text.length > 15) return -1;
  let number = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number % 0x100000000;
}

function isNeighbour(moment: Moment): boolean {
  const { u32 } = moment.active;
  const last = moment.activeRow + activeAt.lastNumber;
  if (firstNumber < 0 || u32[last + 1] !== moment.observation.values[area]) return false;
  const apart = Math.abs(firstNumber - u32[last]!);
  return apart === 1 || apart === 2;
}

/** Who counts through objects steps to the next number with so many of its calls; the others are cover. */
const stepShare = 0.3;
const otherCall = Math.log(1 - stepShare);
const steps = shareKind('objects.neighbours');
/** In favour of counting no more than this, nats: some ninety other calls take it back. */
const countingMax = 30;

/** What a creation shows next is its own: no step. */
const isCreation = ({ resolved }: Moment): boolean => resolved.event.method === 'POST';

function isStep(moment: Moment): boolean {
  if (keyCount === 0 || isCreation(moment) || !isNeighbour(moment)) return false;
  return moment.active.u32[moment.activeRow + activeAt.counting + 1] !== moment.observation.values[area];
}

const count = { turn: 0, nats: 0 };

/**
 * What a step to the next number says with those before it, nats; 0 for other calls. An honest likelihood ratio: its scale is not that of days, on which those who
 * go through objects would make it.
 */
export function countingNats(moment: Moment): number {
  prepare(moment);
  return isStep(moment) ? counting(moment) : 0;
}

/**
 * How much likelier the calls of late are if it counts through objects than if it is one of its kind, nats, this call included; before learning. Each call is a
 * trial, as each connection is where scans are told from visits (threshold random walk: Jung et al. 2004; Page's CUSUM of their likelihood ratios).
 */
function counting(moment: Moment): number {
  if (count.turn === moment.turn) return count.nats;
  count.turn = moment.turn;
  const before = moment.active.f32[moment.activeRow + activeAt.counting]!;
  const gain = isStep(moment) ? Math.log(stepShare / expectedShare(moment, steps)) : otherCall;
  count.nats = Math.max(0, Math.min(countingMax, before + gain));
  return count.nats;
}

function learnCounting(moment: Moment): void {
  const { f32, u32 } = moment.active;
  const place = moment.activeRow + activeAt.counting;
  f32[place] = counting(moment);
  if (!succeeded(moment)) return;
  if (isCreation(moment)) u32[place + 1] = moment.observation.values[area]!;
  else if (firstNumber >= 0 && keyCount > 0) u32[place + 1] = 0;
}

const distinct = { value: 0, window: 0, count: 0 };
const tally = new Tally('objects', (moment, window, into) => {
  if (keyCount === 0) return;
  const keys = keysOf(moment);
  const relations = relationsOf(moment);
  distinct.window = window;
  distinct.count = tally.soFar(moment, window, 0);
  for (let i = 0; i < keyCount; i++) {
    distinct.value = keys[i]!;
    const increment = distinctIncrement(moment, activeAt.objectsSeen[window]!, distinct);
    if (increment === 0) continue;
    into[0] = into[0]! + increment;
    const relation = relations[i]!;
    if (relation === foreign) into[1] = into[1]! + increment;
    if (relation !== known) into[2] = into[2]! + increment;
  }
  if (isNeighbour(moment)) into[3] = 1;
});

const words = [
  'distinct objects',
  'objects that only one other identity ever touched',
  'objects that it never touched before',
  'steps to the next number of an object',
];

/** How many of the objects of the ten minutes the identity never touched before, and where the last of them is. */
function noteOf(moment: Moment, feature: number, count: number): string {
  const share = Math.min(100, Math.round((100 * tally.soFar(moment, 0, 2)) / count));
  const first = feature === 0 && count >= 5 ? `; ${share} % never touched before by it` : '';
  return `${first} (last: ${moment.resolved.route})`;
}

/**
 * Objects that answers were given about: how many, whose, whether known, and whether in the order of their numbers. A refused or missing one is
 * a probe (see probing). D04.
 */
export const objects: Family = {
  name: 'objects',
  features: tally.names,
  extract: (moment, out, offset) => {
    prepare(moment);
    if (keyCount === 0) {
      out.fill(0, offset, offset + tally.names.length);
      return 0;
    }
    return tally.extract(moment, out, offset);
  },
  learn: (moment, weight) => {
    prepare(moment);
    learnCounting(moment);
    tally.learn(moment, weight);
    const keys = keysOf(moment);
    for (let i = 0; i < keyCount; i++) {
      for (let window = 0; window < tallyWindowsMs.length; window++)
        markDistinct(moment, activeAt.objectsSeen[window]!, keys[i]!);
      touchObject(moment, i, weight);
    }
    if (keyCount === 0 || firstNumber < 0) return;
    const { u32 } = moment.active;
    u32[moment.activeRow + activeAt.lastNumber] = firstNumber;
    u32[moment.activeRow + activeAt.lastNumber + 1] = moment.observation.values[area]!;
  },
  describe: (moment, feature) => {
    prepare(moment);
    return tally.describe(moment, feature, {
      name: (count) => `${count} ${words[feature]!}`,
      note: (count) => noteOf(moment, feature, count),
    });
  },
};
