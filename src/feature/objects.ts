import { activeAt, tallyWindowsMs } from '../baseline/active-layout.ts';
import { foreign, known } from '../baseline/object-owners.ts';
import { dimensionIndex } from '../baseline/row-layout.ts';
import type { Family, Moment } from './family.ts';
import { keysOf, objectsMax, relationsOf, touchObject } from './ownership.ts';
import { distinctIncrement, markDistinct, succeeded, Tally } from './tally.ts';

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
