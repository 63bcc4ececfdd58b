import { type FunctionNumbers, functionKey, type Usual } from '../baseline/function-numbers.ts';
import { at, dimensionIndex, measures, rateWindowsMs } from '../baseline/row-layout.ts';
import type { Shared } from '../baseline/shared.ts';
import { knownShare, studentSurprise } from '../baseline/statistics.ts';
import { voice } from './errors.ts';
import { type Family, isHeldBack, type Moment, usually } from './family.ts';
import { NumberBaseline } from './number.ts';
import type { Observation } from './observation.ts';

const names = ['response', 'request'];
const fn = dimensionIndex('function');
const unit = 1024;
/** Observations that the peers' habits weigh against the identity's own. */
const peerStrength = 20;
/** In deviations of the function's calls: nobody is so regular that less spread than half of one would mean anything. */
const baselines = measures.map(
  (_, measure) =>
    new NumberBaseline({
      index: rateWindowsMs.length + measure,
      ignorance: { mean: 0, variance: 1 },
      peerStrength,
      memory: 512,
      varianceMin: 0.25,
    }),
);

/** No single call moves what is known of its function by more than this, in deviations. */
const clip = 5;

const measureStart = (moment: Moment, measure: number): number => moment.row + at.measure + measure * 3;

function bytesOf(moment: Moment, measure: number): number {
  return measure === 0 ? moment.observation.responseBytes : moment.observation.requestBytes;
}

function usualSize({ observation, shared }: Moment, measure: number): Usual {
  return sizesOf(shared, measure).of(keyOfCall(observation));
}

const keyOfCall = ({ values, outcome }: Observation): number => functionKey(values[fn]!, outcome === 0);
const sizesOf = ({ answerSizes, requestSizes }: Shared, measure: number): FunctionNumbers =>
  measure === 0 ? answerSizes : requestSizes;
const logarithm = (bytes: number): number => Math.log1p(bytes / unit);
const bytesAt = (logarithm: number): number => Math.expm1(logarithm) * unit;

/** Bytes of an answer that is large for anybody: two deviations above all calls' mean, on the logarithmic scale. 110 KiB where nobody is known. */
export function largeAnswer({ shared }: Moment): number {
  const { mean, deviation } = shared.answerSizes.all;
  const logarithm = mean + 2 * deviation;
  if (large.logarithm !== logarithm) {
    large.logarithm = logarithm;
    large.bytes = bytesAt(logarithm);
  }
  return large.bytes;
}

/** It changes with frames, and is asked for several times per event. */
const large = { logarithm: Number.NaN, bytes: 0 };

type Judged = { excess: number; weight: number };

/** By how many deviations the answer or request is larger than the identity's usually are, for its function; and the weight of the past that says so. */
function judge(moment: Moment, measure: number, into: Judged): Judged {
  const usual = usualSize(moment, measure);
  const predicted = baselines[measure]!.predict(moment, measureStart(moment, measure));
  const number = (logarithm(bytesOf(moment, measure)) - usual.mean) / usual.deviation;
  into.excess = (number - predicted.mean) / Math.sqrt(predicted.variance);
  into.weight = predicted.weight;
  return into;
}

const request: Judged = { excess: 0, weight: 0 };
const answer = { turn: 0, excess: 0, weight: 0, known: 0 };

/**
 * The same of the answer as it was before any family learned from it, 0 where nobody says how large it is; and how much of what such answers usually are
 * is known of the function and of the identity, 0 to 1. Reused by the next question.
 */
export function judgeAnswer(moment: Moment): typeof answer {
  if (answer.turn === moment.turn) return answer;
  answer.turn = moment.turn;
  answer.excess = 0;
  if (bytesOf(moment, 0) >= 0) judge(moment, 0, answer);
  const ofFunction = moment.shared.answerSizes.known(keyOfCall(moment.observation));
  answer.known = ofFunction * knownShare(moment.slab.f32[measureStart(moment, 0) + 2]!, peerStrength);
  return answer;
}

/**
 * Size of the answer and of the request, against calls of the same function, and against how far the identity's usually are from them. D14, D24. Only more
 * than usual is evidence.
 */
export const volume: Family = {
  name: 'volume',
  features: [...measures],
  extract: (moment, out, offset) => {
    let most = 0;
    for (let m = 0; m < measures.length; m++) {
      out[offset + m] = 0;
      if (bytesOf(moment, m) < 0) continue;
      const { excess, weight } = m === 0 ? judgeAnswer(moment) : judge(moment, m, request);
      out[offset + m] = excess;
      most = Math.max(most, studentSurprise(excess, weight));
    }
    return most;
  },
  learn: (moment, weight) => {
    for (let m = 0; m < measures.length; m++) {
      const bytes = bytesOf(moment, m);
      if (bytes < 0) continue;
      const usual = usualSize(moment, m);
      const number = (logarithm(bytes) - usual.mean) / usual.deviation;
      const clipped = usual.mean + usual.deviation * Math.max(-clip, Math.min(clip, number));
      const heard = isHeldBack(moment, weight) ? 0 : voice(moment);
      if (heard > 0) sizesOf(moment.shared, m).add(keyOfCall(moment.observation), { number: clipped, weight: heard });
      baselines[m]!.learn(moment, measureStart(moment, m), { number, weight });
    }
  },
  describe: (moment, feature) => {
    const bytes = bytesOf(moment, feature);
    const usual = usualSize(moment, feature);
    const { observations, ...said } = baselines[feature]!.describe(moment, measureStart(moment, feature), {
      observed: bytes,
      measuredOf: (number) => bytesAt(usual.mean + usual.deviation * number),
    });
    return { ...said, text: `${names[feature]!} of ${bytes} bytes, ${usually(observations)} ${said.expected}` };
  },
};
