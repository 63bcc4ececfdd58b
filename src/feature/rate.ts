import { at, rateWindowsMs } from '../baseline/row-layout.ts';
import { type Normal, shrink, studentSurprise } from '../baseline/statistics.ts';
import { type Family, type Moment, usually } from './family.ts';

/** Finished windows that the peers' habits weigh against the identity's own. */
const peerStrength = 6;
const memoryWindows = 256;
const names = ['requests_1m', 'requests_1h', 'requests_1d'];
const spans = ['a minute', 'an hour', 'a day'];
/** Logarithm of 1 + calls in an active window, where nobody has been seen yet: about 3 calls, give or take a factor of 4. */
const ignorance: Normal = { mean: 1.4, variance: 2, weight: 0 };
/** The same as the mean of squares. */
const ignoranceSquare = ignorance.variance + ignorance.mean ** 2;

const own: Normal = { mean: 0, variance: 0, weight: 0 };
const prior: Normal = { mean: 0, variance: 0, weight: 0 };

/** The calls of the window that the event falls into, the event included. */
function countWith(moment: Moment, window: number): number {
  const start = moment.row + at.rate + window * 5;
  const number = Math.floor(moment.observation.ts / rateWindowsMs[window]!);
  const current = moment.slab.f32[start]! === number % 0xffffff ? moment.slab.f32[start + 1]! : 0;
  return current + moment.observation.weight;
}

/** What the logarithm of 1 + an active window's calls should be. */
function predict(moment: Moment, window: number): Normal {
  const start = moment.row + at.rate + window * 5;
  const { f32 } = moment.slab;
  const moments = moment.population.sums(moment.group).moments;
  const weight = moments[window * 3]!;
  prior.mean = (moments[window * 3 + 1]! + 4 * ignorance.mean) / (weight + 4);
  prior.variance = (moments[window * 3 + 2]! + 4 * ignoranceSquare) / (weight + 4) - prior.mean ** 2;
  own.mean = f32[start + 2]!;
  own.variance = f32[start + 3]!;
  own.weight = f32[start + 4]!;
  return shrink(own, prior, peerStrength);
}

/** A finished window's count joins the baseline, clipped to three standard deviations above it. */
function finish(moment: Moment, window: number, weight: number): void {
  const start = moment.row + at.rate + window * 5;
  const { f32 } = moment.slab;
  const logarithm = Math.log1p(f32[start + 1]!);
  const predicted = predict(moment, window);
  const clipped = Math.min(logarithm, predicted.mean + 3 * Math.sqrt(predicted.variance));
  const total = Math.min(memoryWindows, f32[start + 4]! + weight);
  const step = weight / Math.max(total, weight);
  const apart = clipped - f32[start + 2]!;
  f32[start + 2] = f32[start + 2]! + step * apart;
  f32[start + 3] = (1 - step) * (f32[start + 3]! + step * apart * apart);
  f32[start + 4] = total;
  moment.population.addNumber(moment.group, window, clipped);
}

/** Calls in the minute, the hour and the day against finished windows of the identity, its peers and everyone. D01. */
export const rate: Family = {
  name: 'rate',
  features: names,
  extract: (moment, out, offset) => {
    let most = 0;
    for (let w = 0; w < rateWindowsMs.length; w++) {
      const predicted = predict(moment, w);
      const z = (Math.log1p(countWith(moment, w)) - predicted.mean) / Math.sqrt(predicted.variance);
      out[offset + w] = z;
      most = Math.max(most, studentSurprise(z, predicted.weight));
    }
    return most;
  },
  learn: (moment, weight) => {
    for (let w = 0; w < rateWindowsMs.length; w++) {
      const start = moment.row + at.rate + w * 5;
      const number = Math.floor(moment.observation.ts / rateWindowsMs[w]!) % 0xffffff;
      const { f32, f64 } = moment.slab;
      if (f32[start] !== number) {
        // Out of order, and of another window: it must not end the current one before its time.
        if (moment.observation.ts < f64[(moment.row + at.lastTs) / 2]!) continue;
        if (f32[start + 1]! > 0) finish(moment, w, weight);
        f32[start] = number;
        f32[start + 1] = 0;
      }
      f32[start + 1] = f32[start + 1]! + moment.observation.weight;
    }
  },
  describe: (moment, feature) => {
    const predicted = predict(moment, feature);
    const spread = 1.64 * Math.sqrt(predicted.variance);
    const observed = Math.round(countWith(moment, feature));
    const expected = Math.round(Math.expm1(predicted.mean));
    const self = moment.slab.f32[moment.row + at.rate + feature * 5 + 4]!;
    const seen = moment.population.sums(moment.group).moments[feature * 3]!;
    return {
      observed,
      expected,
      low: Math.max(0, Math.round(Math.expm1(predicted.mean - spread))),
      high: Math.round(Math.expm1(predicted.mean + spread)),
      level: self >= peerStrength ? 'self' : moment.group > 0 ? 'peers' : 'everyone',
      sampleSize: Math.round(self >= peerStrength ? self : seen),
      text: `${observed} calls within ${spans[feature]!}, ${usually(self + seen)} ${expected}`,
    };
  },
};
