/**
 * A histogram in the words of a row that answers how rare a number is: bounds, weight, bins. It grows with what it sees and fades; where it was
 * empty and is stretched, a bin's weight moves to the two new bins around its middle.
 */
const bins = 24;
const histogramAt = { low: 0, high: 1, weight: 2, bins: 3 };
export const histogramWords = 3 + bins;

/** What was never seen weighs half an observation. */
const unseen = 0.5;
/** It reaches a tenth further than what it has seen, and one number stretches it by half of its width at most: a burst cannot blind it. */
const margin = 0.1;
const stretchMax = 0.5;
/** The first few find its width. */
const reachFree = 20;
/** Relative to one more than a number: closer together nothing is told apart. */
const widthMin = 1e-4;

type Added = { readonly number: number; readonly weight: number; readonly memory: number };

/** -ln P(something at least as rare). Between the middles of two bins the weight is interpolated, so that no border matters. */
export function rarity(w: Float32Array, histogram: number, number: number): number {
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

/** At the weight `memory` everything is halved, so that what has become usual is usual soon. */
export function addTo(w: Float32Array, histogram: number, by: Added): void {
  const first = histogram + histogramAt.bins;
  const total = w[histogram + histogramAt.weight]!;
  if (total === 0) {
    const half = (widthMin * (1 + Math.abs(by.number))) / 2;
    w[histogram + histogramAt.low] = by.number - half;
    w[histogram + histogramAt.high] = by.number + half;
  }
  const low = w[histogram + histogramAt.low]!;
  const high = w[histogram + histogramAt.high]!;
  const reach = total < reachFree ? Number.POSITIVE_INFINITY : stretchMax * (high - low);
  const number = Math.max(low - reach, Math.min(high + reach, by.number));
  if (number < low || number > high) stretch(w, histogram, number);
  const start = w[histogram + histogramAt.low]!;
  put(w, first, { position: (number - start) / (w[histogram + histogramAt.high]! - start), weight: by.weight });
  w[histogram + histogramAt.weight] = total + by.weight;
  if (total + by.weight > by.memory)
    for (let i = histogram + histogramAt.weight; i < first + bins; i++) w[i] = w[i]! / 2;
}

/** Spreads a weight over the two bins whose middles are next to `position`, a share of the histogram's width. */
function put(w: Float32Array, first: number, by: { readonly position: number; readonly weight: number }): void {
  const middle = Math.max(0, Math.min(bins - 1, by.position * bins - 0.5));
  const bin = Math.min(bins - 2, Math.floor(middle));
  w[first + bin]! += by.weight * (bin + 1 - middle);
  w[first + bin + 1]! += by.weight * (middle - bin);
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
  for (let i = 0; i < bins; i++) {
    const middle = low + ((i + 0.5) / bins) * (high - low);
    put(w, first, { position: (middle - newLow) / (newHigh - newLow), weight: before[i]! });
  }
}
