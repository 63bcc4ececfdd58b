import { activeAt, tallyCount } from '../baseline/active-layout.ts';
import { at, rateWindowsMs } from '../baseline/row-layout.ts';
import {
  addToSeries,
  type SeriesPlace,
  type SeriesValue,
  seriesExcess,
  seriesKnown,
  seriesSum,
  seriesSurprise,
  seriesUsual,
  seriesWindowMs,
} from '../baseline/series.ts';
import { studentSurprise } from '../baseline/statistics.ts';
import { carriedOver, carryOver } from './drift.ts';
import { type Family, type Moment, type Observed, usually } from './family.ts';
import { NumberBaseline } from './number.ts';
import { describeTempo, learnTempo, tempoNats } from './tempo.ts';

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
    }),
);

const day = rateWindowsMs.length - 1;

/** Words of the row before the window's baseline: its number and its count so far. */
const windowStart = (moment: Moment, window: number): number => moment.row + at.rate + window * 5;

/** The calls of the window that the event falls into, the event included. */
function countWith(moment: Moment, window: number): number {
  const start = windowStart(moment, window);
  const number = Math.floor(moment.observation.ts / rateWindowsMs[window]!);
  const current = moment.slab.f32[start]! === number % 0xffffff ? moment.slab.f32[start + 1]! : 0;
  return current + moment.observation.weight;
}

/** Nats: how many more calls than usual the finished day had. */
function surpriseOfDay(moment: Moment): number {
  const start = windowStart(moment, day);
  const predicted = baselines[day]!.predict(moment, start + 2);
  const calls = Math.log1p(moment.slab.f32[start + 1]!);
  return studentSurprise((calls - predicted.mean) / Math.sqrt(predicted.variance), predicted.weight);
}

/** What happens once in so many windows of the series happens every day. */
const windowsPerDay = 288;
const daily = Math.log(windowsPerDay);
/** Fewer calls than this many times the usual, or within two standard deviations of chance, are no evidence however regular the identity is. */
const timesUsual = 1.5;
const excessMin = 1;

const place: SeriesPlace = { words: new Float32Array(0), start: 0 };
const open: SeriesValue = { window: 0, value: 0 };

/** The series of the identity of the moment, and its open window with the event included. */
function openWindow(moment: Moment): void {
  place.words = moment.active.f32;
  place.start = moment.activeRow + activeAt.series;
  open.window = Math.floor(moment.observation.ts / seriesWindowMs);
  open.value = seriesSum(place, open.window) + moment.observation.weight;
}

/** Nats beyond what happens daily, of more calls in five minutes than usual at this time. */
function seriesStatistic(moment: Moment): number {
  openWindow(moment);
  const excess = seriesExcess(place, open);
  const usual = Math.max(0, Math.sqrt(open.value) - excess);
  if (excess < excessMin || open.value < timesUsual * usual * usual) return 0;
  return Math.max(0, seriesSurprise(place, open) - daily);
}

/** Calls in the minute, the hour and the day against finished windows of the identity, its peers and everyone; calls in five minutes against a day and a week of one's own; how quickly they follow each other. D01. */
export const rate: Family = {
  name: 'rate',
  features: [...names, 'requests_5m'],
  extract: (moment, out, offset) => {
    let most = 0;
    for (let w = 0; w < rateWindowsMs.length; w++) {
      const predicted = baselines[w]!.predict(moment, windowStart(moment, w) + 2);
      const z = (Math.log1p(countWith(moment, w)) - predicted.mean) / Math.sqrt(predicted.variance);
      out[offset + w] = z;
      const before = w === day && z > 0 ? carriedOver(moment, tallyCount) : 0;
      most = Math.max(most, before + studentSurprise(z, predicted.weight));
    }
    const series = Math.max(seriesStatistic(moment), tempoNats(moment));
    out[offset + names.length] = series;
    return Math.max(most, series);
  },
  learn: (moment, weight) => {
    learnTempo(moment, weight);
    openWindow(moment);
    open.value = moment.observation.weight;
    addToSeries(place, open, weight);
    for (let w = 0; w < rateWindowsMs.length; w++) {
      const start = windowStart(moment, w);
      const number = Math.floor(moment.observation.ts / rateWindowsMs[w]!) % 0xffffff;
      const { f32, f64 } = moment.slab;
      if (f32[start] !== number) {
        // Out of order, and of another window: it must not end the current one before its time.
        if (moment.observation.ts < f64[(moment.row + at.lastTs) / 2]!) continue;
        if (f32[start + 1]! > 0) {
          if (w === day) carryOver(moment, tallyCount, surpriseOfDay(moment));
          baselines[w]!.learn(moment, start + 2, { number: Math.log1p(f32[start + 1]!), weight });
        }
        f32[start] = number;
        f32[start + 1] = 0;
      }
      f32[start + 1] = f32[start + 1]! + moment.observation.weight;
    }
  },
  describe: (moment, feature) => {
    if (feature === names.length)
      return tempoNats(moment) > seriesStatistic(moment) ? describeTempo(moment) : describeSeries(moment);
    const calls = Math.round(countWith(moment, feature));
    const start = windowStart(moment, feature) + 2;
    const { observations, ...said } = baselines[feature]!.describe(moment, start, {
      observed: calls,
      measuredOf: Math.expm1,
    });
    return { ...said, text: `${calls} calls within ${spans[feature]!}, ${usually(observations)} ${said.expected}` };
  },
};

function describeSeries(moment: Moment): Observed {
  openWindow(moment);
  const observed = Math.round(open.value);
  const { expected, low, high } = seriesUsual(place, open.window);
  const count = (value: number): number => Math.max(0, Math.round(value));
  return {
    observed,
    ...{ expected: count(expected), low: count(low), high: count(high) },
    level: 'self',
    sampleSize: seriesKnown(place),
    text: `${observed} calls within five minutes, usually ${count(expected)} at this time`,
  };
}
