import { at, type detectors, rowWords } from '../baseline/row-layout.ts';
import type { RowSlab } from '../baseline/row-slab.ts';
import { type CalibratorSnapshot, TailCalibrator } from '../score/calibrate.ts';

const dayMs = 86_400_000;
export type DetectorIndex = 0 | 1 | 2;
const detectorCount: (typeof detectors)['length'] = 4;
/**
 * How the budget is shared out, in the order of `detectors` (a weighted Bonferroni rule). Spikes, runs of errors and huge answers are extreme when they
 * matter, so a tenth each costs them little; odd behaviour has to be told from ordinary change by a hair.
 */
const shares = [0.7, 0.1, 0.1, 0.1];
const penalties = shares.map((share) => Math.log10(share));

/**
 * The alert budget. Each detector's highest statistic of an identity's day is one observation; a day whose peak is so high that
 * fewer than the budgeted share of identity-days reach it is worth a finding. So the budget is met whatever the traffic looks like,
 * and detectors of different scales become comparable: evidence is -log10 of the share of identity-days that reach the same.
 */
export class EvidenceBudget {
  readonly #peaks = Array.from({ length: detectorCount }, () => new TailCalibrator());
  /** Decades of evidence at which a finding is opened. */
  readonly threshold: number;

  constructor(findingsPer1000PerDay: number) {
    this.threshold = -Math.log10(findingsPer1000PerDay / 1000);
  }

  /** Brings the identity's day up to date with the event's statistics. */
  update(place: { slab: RowSlab; row: number }, ts: number, statistics: Float64Array): void {
    const { f32 } = place.slab;
    const day = Math.floor(ts / dayMs);
    const peaks = place.row + at.peaks;
    // An event from before midnight that comes after it counts for the new day: a day ends once.
    if (f32[place.row + at.day]! < day) {
      this.#endDay(place.slab, place.row);
      f32[place.row + at.day] = day;
    }
    for (let i = 0; i < detectorCount; i++) if (statistics[i]! > f32[peaks + i]!) f32[peaks + i] = statistics[i]!;
  }

  /** Midnight (UTC): the day of every identity that was active is over, whether or not it ever comes back. */
  endDays(slab: RowSlab): void {
    for (let row = 0; row < slab.size * rowWords; row += rowWords) {
      if (slab.f32[row + at.day] === 0) continue;
      this.#endDay(slab, row);
      slab.f32[row + at.day] = 0;
      slab.markDirty(row);
    }
  }

  #endDay({ f32 }: RowSlab, row: number): void {
    const peaks = row + at.peaks;
    if (f32[row + at.day] !== 0) for (let i = 0; i < detectorCount; i++) this.#peaks[i]!.add(f32[peaks + i]!);
    f32.fill(0, peaks, peaks + detectorCount);
  }

  /** -log10 of the share of identity-days whose peak is at least this, less what the detector's share of the budget costs. */
  evidence(detector: number, statistic: number): number {
    return penalties[detector]! - Math.log10(this.#peaks[detector]!.pValue(statistic));
  }

  advance(): void {
    for (const peaks of this.#peaks) peaks.advance();
  }

  snapshot(): readonly CalibratorSnapshot[] {
    return this.#peaks.map((peaks) => peaks.snapshot());
  }

  restore(snapshot: readonly CalibratorSnapshot[]): void {
    this.#peaks.forEach((peaks, i) => {
      peaks.restore(snapshot[i]!);
    });
  }
}
