import { at, rateWindowsMs } from '../baseline/row-layout.ts';
import { studentSurprise } from '../baseline/statistics.ts';
import { type Family, type Moment, usually } from './family.ts';
import { NumberBaseline } from './number.ts';

const names = ['requests_1m', 'requests_1h', 'requests_1d'];
const spans = ['a minute', 'an hour', 'a day'];
/** The logarithm of 1 + an active window's calls; where nobody has been seen yet: about 3 calls, give or take a factor of 4. */
const baselines = rateWindowsMs.map(
  (_, index) =>
    new NumberBaseline({
      index,
      ignorance: { mean: 1.4, variance: 2 },
      peerStrength: 6,
      memory: 256,
      varianceMin: 0.1,
      unit: 1,
    }),
);

/** Words of the row before the window's baseline: its number and its count so far. */
const windowStart = (moment: Moment, window: number): number => moment.row + at.rate + window * 5;

/** The calls of the window that the event falls into, the event included. */
function countWith(moment: Moment, window: number): number {
  const start = windowStart(moment, window);
  const number = Math.floor(moment.observation.ts / rateWindowsMs[window]!);
  const current = moment.slab.f32[start]! === number % 0xffffff ? moment.slab.f32[start + 1]! : 0;
  return current + moment.observation.weight;
}

/** Calls in the minute, the hour and the day against finished windows of the identity, its peers and everyone. D01. */
export const rate: Family = {
  name: 'rate',
  features: names,
  extract: (moment, out, offset) => {
    let most = 0;
    for (let w = 0; w < rateWindowsMs.length; w++) {
      const predicted = baselines[w]!.predict(moment, windowStart(moment, w) + 2);
      const z = (baselines[w]!.numberOf(countWith(moment, w)) - predicted.mean) / Math.sqrt(predicted.variance);
      out[offset + w] = z;
      most = Math.max(most, studentSurprise(z, predicted.weight));
    }
    return most;
  },
  learn: (moment, weight) => {
    for (let w = 0; w < rateWindowsMs.length; w++) {
      const start = windowStart(moment, w);
      const number = Math.floor(moment.observation.ts / rateWindowsMs[w]!) % 0xffffff;
      const { f32, f64 } = moment.slab;
      if (f32[start] !== number) {
        // Out of order, and of another window: it must not end the current one before its time.
        if (moment.observation.ts < f64[(moment.row + at.lastTs) / 2]!) continue;
        if (f32[start + 1]! > 0)
          baselines[w]!.learn(moment, start + 2, { number: baselines[w]!.numberOf(f32[start + 1]!), weight });
        f32[start] = number;
        f32[start + 1] = 0;
      }
      f32[start + 1] = f32[start + 1]! + moment.observation.weight;
    }
  },
  describe: (moment, feature) => {
    const calls = Math.round(countWith(moment, feature));
    const { observations, ...said } = baselines[feature]!.describe(moment, windowStart(moment, feature) + 2, calls);
    return { ...said, text: `${calls} calls within ${spans[feature]!}, ${usually(observations)} ${said.expected}` };
  },
};
