import { at, measures, rateWindowsMs } from '../baseline/row-layout.ts';
import { studentSurprise } from '../baseline/statistics.ts';
import { type Family, type Moment, usually } from './family.ts';
import { NumberBaseline } from './number.ts';

const names = ['response', 'request'];
/** The logarithm of 1 + bytes; where nobody has been seen yet: about a kilobyte, give or take a factor of 20. */
const baselines = measures.map(
  (_, measure) =>
    new NumberBaseline({
      index: rateWindowsMs.length + measure,
      ignorance: { mean: 7, variance: 9 },
      peerStrength: 20,
      memory: 512,
    }),
);

const measureStart = (moment: Moment, measure: number): number => moment.row + at.measure + measure * 3;

function bytesOf(moment: Moment, measure: number): number {
  return measure === 0 ? moment.observation.responseBytes : moment.observation.requestBytes;
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
      const z = (Math.log1p(bytes) - predicted.mean) / Math.sqrt(predicted.variance);
      out[offset + m] = z;
      most = Math.max(most, studentSurprise(z, predicted.weight));
    }
    return most;
  },
  learn: (moment, weight) => {
    for (let m = 0; m < measures.length; m++) {
      const bytes = bytesOf(moment, m);
      if (bytes >= 0) baselines[m]!.learn(moment, measureStart(moment, m), { number: Math.log1p(bytes), weight });
    }
  },
  describe: (moment, feature) => {
    const bytes = bytesOf(moment, feature);
    const { observations, ...said } = baselines[feature]!.describe(moment, measureStart(moment, feature), bytes);
    return { ...said, text: `${names[feature]!} of ${bytes} bytes, ${usually(observations)} ${said.expected}` };
  },
};
