import { at, detectors, rateWindowsMs } from './row-layout.ts';
import type { RowSlab } from './row-slab.ts';

/** Peaks are kept in quarters of a nat, as fine as calibration looks. */
const units = 4;

/** Detectors of which an identity has a usual day. Behaviour compares it with itself already, and a source's likelihood ratio is honest as it is. */
const withUsual: readonly string[] = detectors.filter((name) => name !== 'behaviour' && name !== 'source');
const usualPlaces = detectors.map((name) => withUsual.indexOf(name));
/** Days on which nothing is odd that are assumed before the first; days that the usual rests on at most; and no day counts for more nats above it. */
const assumedDays = 1;
const memoryDays = 9;
const riseMax = 10;
/** In a nat of the usual. A day may move it by less than a step: so days round in turns, some up and some down. */
const steps = 2 * units;
const roundingTurns = 8;
/** Word of the row that says how many days of the identity have finished, as far as they were learned: what the rate of a day rests on. */
export const finishedDays = at.rate + (rateWindowsMs.length - 1) * 5 + 4;

/** What a detector's peak came to on the identity's days so far, nats: a mean that is shrunk to nothing while days are few. */
export function usualOf({ u8 }: RowSlab, row: number, detector: number): number {
  const place = usualPlaces[detector]!;
  return place < 0 ? 0 : u8[(row + at.usual) * 4 + place]! / steps;
}

function learnUsual({ u8, f32 }: RowSlab, row: number): void {
  const days = Math.min(memoryDays, f32[row + finishedDays]! + assumedDays);
  const turn = (((5 * f32[row + at.day]!) % roundingTurns) + 0.5) / roundingTurns;
  for (let d = 0; d < detectors.length; d++) {
    if (usualPlaces[d]! < 0) continue;
    const place = (row + at.usual) * 4 + usualPlaces[d]!;
    const usual = u8[place]!;
    const apart = u8[(row + at.peaks) * 4 + d]! * (steps / units) - usual;
    u8[place] = Math.min(255, Math.floor(usual + Math.min(riseMax * steps, apart) / (days + 1) + turn));
  }
}

/**
 * A detector's highest statistic of the identity's day, nats. Behaviour's evidence outlives a day: on the days that follow only what is higher than
 * what was counted before is anything, so that one story is not told as many days.
 */
export function dayPeakOf({ u8 }: RowSlab, row: number, detector: number): number {
  const start = (row + at.peaks) * 4;
  const peak = u8[start + detector]!;
  if (peak === 0 || (detector === 0 && peak <= u8[start + detectors.length]!)) return 0;
  return (peak + 0.5) / units;
}

/** Peaks that there can be, and which of them this is: -1 for a statistic that is none. */
export const peakPlaces = 256;
export function peakPlace(statistic: number): number {
  const place = statistic * units - 0.5;
  return place < peakPlaces && Number.isInteger(place) ? place : -1;
}

/** The day is over, and the row still says which. Behaviour's peak stays while its evidence is at more than half of it. */
export function endPeaks(slab: RowSlab, row: number): void {
  learnUsual(slab, row);
  const { u8, f32 } = slab;
  const start = (row + at.peaks) * 4;
  const peak = u8[start]!;
  const gathering = f32[row + at.evidence]! * units > peak / 2;
  u8.fill(0, start, start + detectors.length + 1);
  if (!gathering) return;
  u8[start] = peak;
  u8[start + detectors.length] = peak;
}

type Statistic = { readonly row: number; readonly detector: number; readonly statistic: number };

/** In nats; beyond the byte it is cut. */
export function raisePeak({ u8 }: RowSlab, { row, detector, statistic }: Statistic): void {
  const place = (row + at.peaks) * 4 + detector;
  const peak = Math.min(255, Math.floor(statistic * units));
  if (peak > u8[place]!) u8[place] = peak;
}

/** With whose days the identity's are compared: kept beside its peaks. */
export function circleOf({ u8 }: RowSlab, row: number): number {
  return u8[(row + at.peaks) * 4 + detectors.length + 1]!;
}

export function keepCircle({ u8 }: RowSlab, row: number, circle: number): void {
  u8[(row + at.peaks) * 4 + detectors.length + 1] = circle;
}

/** Nothing odd has been seen of the identity: no peak, no evidence, no doubt, no gate. */
export function clearOdd(slab: RowSlab, row: number): void {
  const { u8, u32, f32 } = slab;
  const start = (row + at.peaks) * 4;
  u8.fill(0, start, start + detectors.length + 1);
  f32.fill(0, row + at.evidence, row + at.evidenceShares + 3);
  f32[row + at.doubt] = 0;
  f32[row + at.doubted] = 0;
  u32[row + at.gatedUntil] = 0;
  slab.markDirty(row);
}
