import { at, detectors } from './row-layout.ts';
import type { RowSlab } from './row-slab.ts';

/** Peaks are kept in quarters of a nat, as fine as calibration looks. */
const units = 4;

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

/** The day is over. Behaviour's peak stays while its evidence is at more than half of it. */
export function endPeaks({ u8, f32 }: RowSlab, row: number): void {
  const start = (row + at.peaks) * 4;
  const peak = u8[start]!;
  const gathering = f32[row + at.evidence]! * units > peak / 2;
  u8.fill(0, start, start + detectors.length + 1);
  if (!gathering) return;
  u8[start] = peak;
  u8[start + detectors.length] = peak;
}

type Statistic = { readonly row: number; readonly detector: number; readonly statistic: number };

export function raisePeak({ u8 }: RowSlab, { row, detector, statistic }: Statistic): void {
  const place = (row + at.peaks) * 4 + detector;
  const peak = Math.min(255, Math.floor(statistic * units));
  if (peak > u8[place]!) u8[place] = peak;
}

/** With whose days the identity's are compared: kept beside its peaks. */
export function sortOf({ u8 }: RowSlab, row: number): number {
  return u8[(row + at.peaks) * 4 + detectors.length + 1]!;
}

export function keepSort({ u8 }: RowSlab, row: number, sort: number): void {
  u8[(row + at.peaks) * 4 + detectors.length + 1] = sort;
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
