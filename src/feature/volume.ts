import { at, measures, rateWindowsMs } from '../baseline/row-layout.ts';
import { type Normal, shrink, studentSurprise } from '../baseline/statistics.ts';
import { type Family, type Moment, usually } from './family.ts';

/** Calls that the peers' sizes weigh against the identity's own. */
const peerStrength = 20;
const memoryCalls = 512;
/** Where nobody has been seen yet: about a kilobyte, give or take a factor of 20. */
const ignorance: Normal = { mean: 7, variance: 9, weight: 0 };
/** The same as the mean of squares. */
const ignoranceSquare = ignorance.variance + ignorance.mean ** 2;
const names = { response_bytes: 'response', request_bytes: 'request' };

const own: Normal = { mean: 0, variance: 0, weight: 0 };
const prior: Normal = { mean: 0, variance: 0, weight: 0 };

function bytesOf(moment: Moment, measure: number): number {
  return measure === 0 ? moment.observation.responseBytes : moment.observation.requestBytes;
}

function predict(moment: Moment, measure: number): Normal {
  const start = moment.row + at.measure + measure * 3;
  const moments = moment.population.sums(moment.group).moments;
  const index = (rateWindowsMs.length + measure) * 3;
  const weight = moments[index]!;
  prior.mean = (moments[index + 1]! + 4 * ignorance.mean) / (weight + 4);
  prior.variance = (moments[index + 2]! + 4 * ignoranceSquare) / (weight + 4) - prior.mean ** 2;
  own.mean = moment.slab.f32[start]!;
  own.variance = moment.slab.f32[start + 1]!;
  own.weight = moment.slab.f32[start + 2]!;
  return shrink(own, prior, peerStrength);
}

/** Size of the answer and of the request, on a logarithmic scale. D14, D24. Only more than usual is evidence. */
export const volume: Family = {
  name: 'volume',
  features: [...measures],
  extract: (moment, out, offset) => {
    let most = 0;
    for (let m = 0; m < measures.length; m++) {
      const bytes = bytesOf(moment, m);
      out[offset + m] = 0;
      if (bytes < 0) continue;
      const predicted = predict(moment, m);
      const z = (Math.log1p(bytes) - predicted.mean) / Math.sqrt(predicted.variance);
      out[offset + m] = z;
      most = Math.max(most, studentSurprise(z, predicted.weight));
    }
    return most;
  },
  learn: (moment, weight) => {
    const { f32 } = moment.slab;
    for (let m = 0; m < measures.length; m++) {
      const bytes = bytesOf(moment, m);
      if (bytes < 0) continue;
      const start = moment.row + at.measure + m * 3;
      const predicted = predict(moment, m);
      const spread = 3 * Math.sqrt(predicted.variance);
      const clipped = Math.max(predicted.mean - spread, Math.min(predicted.mean + spread, Math.log1p(bytes)));
      const total = Math.min(memoryCalls, f32[start + 2]! + weight);
      const step = weight / total;
      const apart = clipped - f32[start]!;
      f32[start] = f32[start]! + step * apart;
      f32[start + 1] = (1 - step) * (f32[start + 1]! + step * apart * apart);
      f32[start + 2] = total;
      moment.population.addNumber(moment.group, rateWindowsMs.length + m, clipped);
    }
  },
  describe: (moment, feature) => {
    const predicted = predict(moment, feature);
    const spread = 1.64 * Math.sqrt(predicted.variance);
    const observed = bytesOf(moment, feature);
    const expected = Math.round(Math.expm1(predicted.mean));
    const self = moment.slab.f32[moment.row + at.measure + feature * 3 + 2]!;
    const seen = moment.population.sums(moment.group).moments[(rateWindowsMs.length + feature) * 3]!;
    return {
      observed,
      expected,
      low: Math.max(0, Math.round(Math.expm1(predicted.mean - spread))),
      high: Math.round(Math.expm1(predicted.mean + spread)),
      level: self >= peerStrength ? 'self' : moment.group > 0 ? 'peers' : 'everyone',
      sampleSize: Math.round(self >= peerStrength ? self : seen),
      text: `${names[measures[feature]!]} of ${observed} bytes, ${usually(self + seen)} ${expected}`,
    };
  },
};
