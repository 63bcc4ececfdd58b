import { at, measures, rateWindowsMs } from '../baseline/row-layout.ts';
import { studentSurprise } from '../baseline/statistics.ts';
import { type Family, type Moment, usually } from './family.ts';
import { NumberBaseline } from './number.ts';

const names = ['response', 'request'];
/** Where nobody has been seen yet: about a kilobyte, give or take a factor of 7. Below a kilobyte a size says nothing, nor does a factor of three. */
const ignorance = { mean: 0.7, variance: 4 };
const ignoranceStrength = 4;
const unit = 1024;
const baselines = measures.map(
  (_, measure) =>
    new NumberBaseline({
      index: rateWindowsMs.length + measure,
      ignorance,
      peerStrength: 20,
      memory: 512,
      varianceMin: 1,
      unit,
    }),
);

const measureStart = (moment: Moment, measure: number): number => moment.row + at.measure + measure * 3;

function bytesOf(moment: Moment, measure: number): number {
  return measure === 0 ? moment.observation.responseBytes : moment.observation.requestBytes;
}

/** Bytes of an answer that is large for anybody: two deviations above everyone's mean, on the logarithmic scale. 110 KiB where nobody is known. */
export function largeAnswer({ population }: Moment): number {
  const { moments } = population.sums(0);
  const start = rateWindowsMs.length * 3;
  const weight = moments[start]! + ignoranceStrength;
  const mean = (moments[start + 1]! + ignoranceStrength * ignorance.mean) / weight;
  const assumed = ignorance.variance + ignorance.mean * ignorance.mean;
  const square = (moments[start + 2]! + ignoranceStrength * assumed) / weight;
  return Math.expm1(mean + 2 * Math.sqrt(Math.max(0, square - mean * mean))) * unit;
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
      const predicted = baselines[m]!.predict(moment, measureStart(moment, m));
      const z = (baselines[m]!.numberOf(bytes) - predicted.mean) / Math.sqrt(predicted.variance);
      out[offset + m] = z;
      most = Math.max(most, studentSurprise(z, predicted.weight));
    }
    return most;
  },
  learn: (moment, weight) => {
    for (let m = 0; m < measures.length; m++) {
      const bytes = bytesOf(moment, m);
      if (bytes >= 0)
        baselines[m]!.learn(moment, measureStart(moment, m), { number: baselines[m]!.numberOf(bytes), weight });
    }
  },
  describe: (moment, feature) => {
    const bytes = bytesOf(moment, feature);
    const { observations, ...said } = baselines[feature]!.describe(moment, measureStart(moment, feature), bytes);
    return { ...said, text: `${names[feature]!} of ${bytes} bytes, ${usually(observations)} ${said.expected}` };
  },
};
