import { addTo, histogramWords, rarity } from './histogram.ts';

/**
 * A number per 5-minute window of one identity (its calls, as the rate family uses it; any other would do), judged against the identity's own
 * past by three questions, each answered by a histogram. Has this value been seen before? Has it at this time of day and week? Has the last
 * hour? An answer is the probability of something at least as rare: the weight of all bins that hold no more than the value's own (a p-value
 * by highest density, Hyndman 1996), with half a window standing for what was never seen. No shape is assumed, so a rare value means little
 * in a series that is full of them.
 *
 * The answers add up, in nats (Fisher 1925); their sum is calibrated on the series itself (peaks over a threshold with an exponential tail,
 * Siffer et al., KDD 2017). What has been said is not said again: within three days only more surprise counts.
 *
 * In: words of a row, all zero for a new identity. Never more than `seriesWords`; nothing is allocated, and nothing depends on a clock.
 */
export const seriesWindowMs = 300_000;

const questions = 3;
const hours = 24;
const weekdays = 7;
const hour = 12;
const day = 24 * hour;
const week = weekdays * day;
/** Until this many windows are known, nothing is improbable. */
const windowsMin = 20;
/** Two weeks: what is older fades. */
const windowsMax = 2 * week;
/** Clipped to three times the mean absolute residual, so that no single window moves what is expected far. */
const clip = 3;
/** A spread that is this near to nothing can still grow. */
const spreadMin = 1e-4;
/** The last hour: an exponential mean over 6 windows has a mean age of half an hour. */
const recentWindows = 6;
/** Visits that the usual at a time of day or on a weekday rests on. */
const seasonVisits = 6;
/** The tail begins where one window in two hundred lies beyond, about once in a busy day; its mean excess is that of the last hundred. */
const tailShare = 0.005;
const tailFrom = -Math.log(tailShare);
const tailMemory = 100;
const saidWindows = 3 * day;

let words = 0;
const take = (count: number): number => {
  const at = words;
  words += count;
  return at;
};
const at = {
  /** The window that is being counted, and its sum so far. */
  open: take(1),
  sum: take(1),
  /** The newest learned window's number since 1970, and the first one's. */
  window: take(1),
  first: take(1),
  /** Windows learned, to `windowsMax`. */
  known: take(1),
  /** The level and the mean absolute residuals from it, without and with the season. */
  level: take(1),
  spread: take(1),
  seasonSpread: take(1),
  /** Above or below the level, per hour of the day (UTC) and per weekday. */
  hours: take(hours),
  weekdays: take(weekdays),
  /** Exponential mean of the residuals. */
  recent: take(1),
  /** The tail of the sum: where it begins, mean excess, excesses seen. */
  tail: take(3),
  /** The surprise that has been said, as of the newest window. */
  said: take(1),
  histograms: take(questions * histogramWords),
} as const;

export const seriesWords = words;

/** Where a series stands in an array of words. */
export type SeriesPlace = { words: Float32Array; start: number };
/** `window` is the time divided by `seriesWindowMs`, rounded down; exact until 2129. */
export type SeriesValue = { window: number; value: number };

/** What is asked about a window: its number, the residual from the usual at its time, the mean residual of the last hour. */
const asked = new Float64Array(questions);

/** The square root: the scale on which counts spread alike whatever their level (Anscombe 1948). Other measures may be negative. */
function numberOf(value: number): number {
  return Math.sign(value) * Math.sqrt(Math.abs(value));
}

function measured(number: number): number {
  return Math.sign(number) * number * number;
}

function hourAt(window: number): number {
  return at.hours + (Math.floor(window / hour) % hours);
}

function weekdayAt(window: number): number {
  return at.weekdays + (Math.floor(window / day) % weekdays);
}

function usual({ words: w, start }: SeriesPlace, window: number): number {
  return w[start + at.level]! + w[start + hourAt(window)]! + w[start + weekdayAt(window)]!;
}

function ask(place: SeriesPlace, { window, value }: SeriesValue, windows = 1): void {
  const { words: w, start } = place;
  const number = numberOf(value);
  const residual = number - usual(place, window);
  const recent = w[start + at.recent]!;
  asked[0] = number;
  asked[1] = residual;
  asked[2] = residual + (recent - residual) * (1 - 1 / recentWindows) ** windows;
}

/** What is usual at the window's time, in the unit of what is measured, and what lies within two mean absolute residuals of it. */
export function seriesUsual(place: SeriesPlace, window: number) {
  const number = usual(place, window);
  const apart = 2 * place.words[place.start + at.seasonSpread]!;
  return { expected: measured(number), low: measured(number - apart), high: measured(number + apart) };
}

/** By how much a count is above what is usual at its time, as a square root: mere chance moves it by 1/2 whatever the level. */
export function seriesExcess(place: SeriesPlace, { window, value }: SeriesValue): number {
  return numberOf(value) - usual(place, window);
}

/** Windows that the series has learned. */
export function seriesKnown({ words: w, start }: SeriesPlace): number {
  return w[start + at.known]!;
}

/** Nats: how improbable the window's value is, or 0 where that much has been said of the last days. Changes nothing. */
export function seriesSurprise(place: SeriesPlace, value: SeriesValue): number {
  if (seriesKnown(place) < windowsMin) return 0;
  ask(place, value);
  const surprise = calibrated(place, sumOfAnswers(place));
  return surprise > saidAt(place, value.window) ? surprise : 0;
}

/** The answers are taken as independent, which they are not: the calibration of their sum makes up for that. */
function sumOfAnswers({ words: w, start }: SeriesPlace): number {
  let sum = 0;
  for (let q = 0; q < questions; q++) sum += rarity(w, start + at.histograms + q * histogramWords, asked[q]!);
  return sum;
}

/** Never more than the sum: independence is the most that can be claimed. */
function calibrated({ words: w, start }: SeriesPlace, sum: number): number {
  const from = w[start + at.tail]!;
  const nats = sum <= from ? (tailFrom * sum) / from : tailFrom + (sum - from) / w[start + at.tail + 1]!;
  return Math.min(sum, nats);
}

function saidAt({ words: w, start }: SeriesPlace, window: number): number {
  return w[start + at.said]! * Math.exp(-Math.max(0, window - w[start + at.window]!) / saidWindows);
}

/** What has been counted of a window. */
export function seriesSum({ words: w, start }: SeriesPlace, window: number): number {
  return w[start + at.open] === window ? w[start + at.sum]! : 0;
}

/**
 * Counts `value` towards its window. A later window ends the open one, which is learned, and so are the empty ones in between: up to an hour of
 * them; after more the identity was away, and that it was is no habit. What belongs to an earlier window is not counted.
 */
export function addToSeries(place: SeriesPlace, value: SeriesValue, weight: number): void {
  const { words: w, start } = place;
  const open = w[start + at.open]!;
  if (value.window < open) return;
  if (value.window > open) {
    if (open > 0) learnSeries(place, { window: open, value: w[start + at.sum]! }, weight);
    const windows = value.window - open - 1;
    if (windows > 0 && windows <= hour)
      learnWindows(place, { window: value.window - 1, value: 0 }, { weight, windows });
    w[start + at.open] = value.window;
    w[start + at.sum] = 0;
  }
  w[start + at.sum]! += value.value;
}

/** Learns a finished window with a weight in (0, 1]; windows must not go back. */
export function learnSeries(place: SeriesPlace, value: SeriesValue, weight = 1): void {
  learnWindows(place, value, { weight, windows: 1 });
}

/** `windows` of the same value, of which `value.window` is the last. */
type Learned = { readonly weight: number; readonly windows: number };

function learnWindows(place: SeriesPlace, value: SeriesValue, by: Learned): void {
  const { words: w, start } = place;
  const known = w[start + at.known]!;
  if (known === 0) begin(place, value);
  ask(place, value, by.windows);
  if (known >= windowsMin) {
    const sum = sumOfAnswers(place);
    // Nothing is said of less than usual: a quiet stretch must not silence what comes after it.
    const said = asked[1]! > 0 ? calibrated(place, sum) : 0;
    w[start + at.said] = Math.max(said, saidAt(place, value.window));
    learnTail(place, sum, by.weight);
  }
  w[start + at.recent] = asked[2]!;
  for (let q = 0; q < questions; q++)
    addTo(w, start + at.histograms + q * histogramWords, {
      number: asked[q]!,
      weight: by.weight * by.windows,
      memory: windowsMax,
    });
  learnUsual(place, value.window, by);
  w[start + at.window] = value.window;
  w[start + at.known] = Math.min(windowsMax, known + by.windows);
}

function begin({ words: w, start }: SeriesPlace, { window, value }: SeriesValue): void {
  w[start + at.window] = window;
  w[start + at.first] = window;
  w[start + at.level] = numberOf(value);
  // Three independent answers exceed 9.3 in one window of two hundred.
  w[start + at.tail] = 1.75 * tailFrom;
  w[start + at.tail + 1] = 1;
}

/** The threshold goes up with what lies beyond and down with what does not, in proportion: it comes to rest at its share. */
function learnTail({ words: w, start }: SeriesPlace, sum: number, weight: number): void {
  const tail = start + at.tail;
  const from = w[tail]!;
  const step = weight * from * Math.max(0.01, 1 / Math.sqrt(w[start + at.known]!));
  if (sum <= from) w[tail] = Math.max(1, from - step * tailShare);
  else {
    const mean = w[tail + 1]!;
    const excesses = Math.min(tailMemory, w[tail + 2]! + 1);
    w[tail + 2] = excesses;
    // The prior mean counts as five excesses, and no excess counts for more than ten means.
    w[tail + 1] = Math.max(0.1, mean + (weight * (Math.min(sum - from, 10 * mean) - mean)) / (excesses + 5));
    w[tail] = from + step * (1 - tailShare);
  }
}

/** The level follows within a week; what deviates from it for less is the season's, or nobody's. */
function learnUsual({ words: w, start }: SeriesPlace, window: number, { weight, windows }: Learned): void {
  const known = w[start + at.known]!;
  const apart = asked[0]! - w[start + at.level]!;
  const residual = asked[1]!;
  const slow = weight * Math.min(1, windows * Math.max(1 / (known + 1), 1 / week));
  w[start + at.level]! += slow * clippedBy(w[start + at.spread]!, apart, known);
  // An hour is one visit to its place in the season, and so is a day: the more visits, the less each counts.
  const clipped = clippedBy(w[start + at.seasonSpread]!, residual, known);
  const elapsed = Math.max(1, window - w[start + at.window]!);
  const days = (window - w[start + at.first]!) / day;
  w[start + hourAt(window)]! += weight * visited(elapsed / hour, days) * clipped;
  w[start + weekdayAt(window)]! += weight * visited(elapsed / day, days / weekdays) * clipped;
  const step = weight * Math.min(1, windows * Math.max(1 / (known + 1), 1 / day));
  learnSpread(w, start + at.spread, { apart, step, known });
  learnSpread(w, start + at.seasonSpread, { apart: residual, step, known });
}

function visited(share: number, before: number): number {
  return 1 - Math.exp(-Math.min(1, share) / Math.min(seasonVisits, 1 + before));
}

function clippedBy(spread: number, apart: number, known: number): number {
  return known < windowsMin ? apart : Math.max(-clip * spread, Math.min(clip * spread, apart));
}

/** A mean absolute value, each clipped at one and a half times what moves the level; never so small that it could not grow again. */
function learnSpread(w: Float32Array, i: number, by: { apart: number; step: number; known: number }): void {
  const most = by.known < windowsMin ? Number.POSITIVE_INFINITY : 1.5 * clip * w[i]! + spreadMin;
  w[i]! += by.step * (Math.min(Math.abs(by.apart), most) - w[i]!);
}
