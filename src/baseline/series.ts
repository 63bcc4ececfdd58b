/**
 * A number per 5-minute window of one identity (its calls, as the rate family uses it; any other would do), judged against the identity's own
 * past: two questions, each answered by a histogram. Has this value been seen before? Has the last hour, set against the usual at this
 * time of day, been seen before? The answer is the probability of something at least as rare: the weight of all bins that hold no more than
 * the value's own (the highest-density region of Hyndman 1996, as a p-value), with half a window standing for what was never seen. No
 * assumption is made about the shape: a series with many rare values is calibrated by exactly those.
 * The surprises of the two add up, in nats. What has been said is not said again: only more surprise than the last day's, fading, counts.
 *
 * In: words of a row, all zero for a new identity. Never more than `seriesWords`, nothing is allocated, and nothing depends on a clock.
 */
export const seriesWindowMs = 300_000;

const bins = 24;
const hours = 24;
const day = 288;
const hour = 12;
/** Until this many windows are known, nothing is improbable. */
const windowsMin = 20;
/** Two weeks: at this weight a histogram is halved, so that what has become usual is usual soon. */
const windowsMax = 14 * day;
/** Clipped to three times the mean absolute residual, so that no single window moves what is expected far. */
const clip = 3;
/** The last hour: an exponential mean over 6 windows has the mean age of half an hour. */
const recentWindows = 6;
/** Days that the usual at a time of day rests on. */
const seasonDays = 6;
const unseen = 0.5;
/** A histogram reaches a tenth further than what it has seen, and one window stretches it by half of its width at most: a burst cannot blind it. */
const margin = 0.1;
const stretchMax = 0.5;
/** Narrower than this, in logarithms, nothing is told apart. */
const widthMin = 1e-4;

let words = 0;
const take = (count: number): number => {
  const at = words;
  words += count;
  return at;
};
/** A histogram: bounds, weight, bins. */
const histogramAt = { low: 0, high: 1, weight: 2, bins: 3 };
const histogramWords = 3 + bins;
const at = {
  /** The newest window's number since 1970, and the first one's. */
  window: take(1),
  first: take(1),
  /** Windows learned, to `windowsMax`. */
  known: take(1),
  /** The level and the mean absolute residuals from it, without and with the time of day. */
  level: take(1),
  spread: take(1),
  seasonSpread: take(1),
  /** Above or below the level, per hour of the day (UTC), working days and weekends apart. */
  season: take(2 * hours),
  /** Exponential mean of the residuals. */
  recent: take(1),
  /** The surprise that has been said, as of the newest window. */
  said: take(1),
  values: take(histogramWords),
  recents: take(histogramWords),
} as const;

export const seriesWords = words;

/** Where a series stands in an array of words. */
export type SeriesPlace = { words: Float32Array; start: number };
/** `window` is the time divided by `seriesWindowMs`, rounded down; below 2^24 until 2129. */
export type SeriesValue = { window: number; value: number };

/** Counts are compared by their ratio, and there may be none; other measures may be negative. */
function numberOf(value: number): number {
  return Math.sign(value) * Math.log1p(Math.abs(value));
}

/** Residual from the usual at the window's time of day. */
function residual({ words: w, start }: SeriesPlace, { window, value }: SeriesValue): number {
  return numberOf(value) - w[start + at.level]! - w[start + seasonOf(window)]!;
}

function seasonOf(window: number): number {
  // 1970 began on a Thursday.
  const weekday = (Math.floor(window / day) + 4) % 7;
  const weekend = weekday === 0 || weekday === 6;
  return at.season + (weekend ? hours : 0) + (Math.floor(window / hour) % hours);
}

/** What the last hour's mean residual becomes with this window. */
function recentWith(place: SeriesPlace, value: SeriesValue): number {
  const recent = place.words[place.start + at.recent]!;
  return recent + (residual(place, value) - recent) / recentWindows;
}

/** The number that is usual at the window's time, in the unit of what is measured. */
export function seriesExpected({ words: w, start }: SeriesPlace, window: number): number {
  const number = w[start + at.level]! + w[start + seasonOf(window)]!;
  return Math.sign(number) * Math.expm1(Math.abs(number));
}

/** Windows that the series has learned. */
export function seriesKnown({ words: w, start }: SeriesPlace): number {
  return w[start + at.known]!;
}

/** Nats: how improbable the window's value is, beyond what has been said of the last ones. Changes nothing. */
export function seriesSurprise(place: SeriesPlace, value: SeriesValue): number {
  const surprise = bothSurprises(place, value);
  return surprise > saidAt(place, value.window) ? surprise : 0;
}

function bothSurprises(place: SeriesPlace, value: SeriesValue): number {
  if (seriesKnown(place) < windowsMin) return 0;
  const { words: w, start } = place;
  return rarity(w, start + at.values, numberOf(value.value)) + rarity(w, start + at.recents, recentWith(place, value));
}

function saidAt({ words: w, start }: SeriesPlace, window: number): number {
  return w[start + at.said]! * Math.exp(-Math.max(0, window - w[start + at.window]!) / day);
}

/** Learns a finished window with a weight in (0, 1]; windows must not go back. */
export function learnSeries(place: SeriesPlace, value: SeriesValue, weight = 1): void {
  const { words: w, start } = place;
  const { window } = value;
  const number = numberOf(value.value);
  const known = w[start + at.known]!;
  if (known === 0) {
    w[start + at.window] = window;
    w[start + at.first] = window;
    w[start + at.level] = number;
  }
  w[start + at.said] = Math.max(saidAt(place, window), bothSurprises(place, value));
  const recent = recentWith(place, value);
  w[start + at.recent] = recent;
  addTo(w, start + at.values, { number, weight });
  addTo(w, start + at.recents, { number: recent, weight });
  learnExpected(place, value, weight);
  w[start + at.window] = window;
  w[start + at.known] = Math.min(windowsMax, known + 1);
}

function learnExpected(place: SeriesPlace, value: SeriesValue, weight: number): void {
  const { words: w, start } = place;
  const known = w[start + at.known]!;
  const apart = numberOf(value.value) - w[start + at.level]!;
  const season = start + seasonOf(value.window);
  const seasonApart = apart - w[season]!;
  const step = weight * Math.max(1 / (known + 1), 1 / day);
  w[start + at.level]! += step * clippedBy(w[start + at.spread]!, apart, known);
  // One hour is one day's visit to its place in the season: the more days are known, the less one of them counts.
  const elapsed = Math.min(1, Math.max(1, value.window - w[start + at.window]!) / hour);
  const days = Math.min(seasonDays, 1 + (value.window - w[start + at.first]!) / day);
  w[season]! += weight * (1 - Math.exp(-elapsed / days)) * clippedBy(w[start + at.seasonSpread]!, seasonApart, known);
  learnSpread(w, start + at.spread, { apart, step, known });
  learnSpread(w, start + at.seasonSpread, { apart: seasonApart, step, known });
}

function clippedBy(spread: number, apart: number, known: number): number {
  return known < windowsMin ? apart : Math.max(-clip * spread, Math.min(clip * spread, apart));
}

/** A mean absolute value, each clipped at one and a half times what moves the level; never so small that it could not grow again. */
function learnSpread(w: Float32Array, i: number, by: { apart: number; step: number; known: number }): void {
  const most = by.known < windowsMin ? Number.POSITIVE_INFINITY : 1.5 * clip * w[i]! + widthMin;
  w[i]! += by.step * (Math.min(Math.abs(by.apart), most) - w[i]!);
}

/** -ln P(something at least as rare). Between the middles of two bins the weight is interpolated, so that no border matters. */
function rarity(w: Float32Array, histogram: number, number: number): number {
  const low = w[histogram + histogramAt.low]!;
  const width = w[histogram + histogramAt.high]! - low;
  const total = w[histogram + histogramAt.weight]!;
  const first = histogram + histogramAt.bins;
  const position = ((number - low) / width) * bins - 0.5;
  const bin = Math.floor(position);
  const share = position - bin;
  const own = (inside(bin) ? w[first + bin]! * (1 - share) : 0) + (inside(bin + 1) ? w[first + bin + 1]! * share : 0);
  let rarer = 0;
  for (let i = first; i < first + bins; i++) if (w[i]! <= own) rarer += w[i]!;
  return Math.max(0, -Math.log((rarer + unseen) / (total + unseen)));
}

function inside(bin: number): boolean {
  return bin >= 0 && bin < bins;
}

function addTo(w: Float32Array, histogram: number, by: { readonly number: number; readonly weight: number }): void {
  const first = histogram + histogramAt.bins;
  const total = w[histogram + histogramAt.weight]!;
  if (total === 0) {
    w[histogram + histogramAt.low] = by.number - widthMin / 2;
    w[histogram + histogramAt.high] = by.number + widthMin / 2;
  }
  const low = w[histogram + histogramAt.low]!;
  const high = w[histogram + histogramAt.high]!;
  const reach = total < windowsMin ? Number.POSITIVE_INFINITY : stretchMax * (high - low);
  const number = Math.max(low - reach, Math.min(high + reach, by.number));
  if (number < low || number > high) stretch(w, histogram, number);
  const start = w[histogram + histogramAt.low]!;
  put(w, first, (number - start) / (w[histogram + histogramAt.high]! - start), by.weight);
  w[histogram + histogramAt.weight] = total + by.weight;
  if (total + by.weight > windowsMax)
    for (let i = histogram + histogramAt.weight; i < first + bins; i++) w[i] = w[i]! / 2;
}

/** Spreads a weight over the two bins whose middles are next to `position`, a share of the histogram's width. */
function put(w: Float32Array, first: number, position: number, weight: number): void {
  const at = Math.max(0, Math.min(bins - 1, position * bins - 0.5));
  const bin = Math.min(bins - 2, Math.floor(at));
  w[first + bin]! += weight * (bin + 1 - at);
  w[first + bin + 1]! += weight * (at - bin);
}

const before = new Float32Array(bins);

function stretch(w: Float32Array, histogram: number, number: number): void {
  const low = w[histogram + histogramAt.low]!;
  const high = w[histogram + histogramAt.high]!;
  const more = margin * (Math.max(high, number) - Math.min(low, number));
  const newLow = number < low ? number - more : low;
  const newHigh = number > high ? number + more : high;
  const first = histogram + histogramAt.bins;
  for (let i = 0; i < bins; i++) before[i] = w[first + i]!;
  w.fill(0, first, first + bins);
  w[histogram + histogramAt.low] = newLow;
  w[histogram + histogramAt.high] = newHigh;
  for (let i = 0; i < bins; i++)
    put(w, first, (low + ((i + 0.5) / bins) * (high - low) - newLow) / (newHigh - newLow), before[i]!);
}
