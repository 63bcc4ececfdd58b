import { activeAt } from '../baseline/active-layout.ts';
import type { Family, Moment } from './family.ts';
import { isCurrent, Tally } from './tally.ts';

const slotMs = 300_000;
const slotsPerDay = 288;
/** Two gaps as equal as this are a machine's, if they are longer than a page takes to load. */
const evenness = 0.05;
const gapMinMs = 1000;
const day = 1;

function slotOf(moment: Moment): { word: number; mask: number } {
  const slot = Math.floor(moment.observation.ts / slotMs) % slotsPerDay;
  return { word: moment.activeRow + activeAt.slots + (slot >>> 5), mask: 1 << (slot & 31) };
}

const tally = new Tally('rhythm', (moment, window, into) => {
  const { word, mask } = slotOf(moment);
  if (window === day && !(isCurrent(moment, day) && (moment.active.u32[word]! & mask) !== 0)) into[0] = 1;
  const last = moment.active.f32[moment.activeRow + activeAt.lastGap]!;
  const { gapMs } = moment;
  if (gapMs >= gapMinMs && Math.abs(gapMs - last) <= evenness * last) into[1] = 1;
});

const words = ['five-minute stretches with calls', 'calls at even intervals'];

/** A human's identity that never sleeps, or that keeps time like a machine. D15. */
export const rhythm: Family = {
  name: 'rhythm',
  features: tally.names,
  extract: (moment, out, offset) => tally.extract(moment, out, offset),
  learn: (moment, weight) => {
    tally.learn(moment, weight);
    const { word, mask } = slotOf(moment);
    moment.active.u32[word] = (moment.active.u32[word]! | mask) >>> 0;
    moment.active.f32[moment.activeRow + activeAt.lastGap] = moment.gapMs;
  },
  describe: (moment, feature) => tally.describe(moment, feature, { name: (count) => `${count} ${words[feature]!}` }),
};
