import { at, detectors, rowWords } from '../baseline/row-layout.ts';
import type { RowSlab } from '../baseline/row-slab.ts';
import { type CalibratorSnapshot, TailCalibrator } from '../baseline/tail-calibrator.ts';

const dayMs = 86_400_000;
/** No statistic counts for more than this many nats. */
const statisticMax = 60;
/** Share of the fused statistic's say that behaviour has, which must be told from ordinary change by a hair; the others share the rest. */
const behaviourShare = 0.4;
const handicaps = detectors.map((_, d) =>
  Math.log(d === 0 ? behaviourShare : (1 - behaviourShare) / (detectors.length - 1)),
);
/** Days this many decades beyond the threshold are attacks or accidents: they say nothing of ordinary days' tail. */
const excludedDecades = 1;
/** But never more than this share of days, so that a changed world is learned. */
const excludedShare = 0.02;
/** Until this many identity-days are over, the days that are still running count as they stand. */
const daysEnough = 2000;
const provisionalEveryMs = 600_000;

export type BudgetSnapshot = {
  readonly calibrators: readonly CalibratorSnapshot[];
  readonly days: number;
  readonly extremes: number;
  readonly mayExclude: boolean;
  readonly provisional: number;
};

/**
 * The alert budget. Each detector's highest statistic of an identity's day is one observation; how rare it is among identity-days makes
 * detectors of different scales comparable. The strongest speaks for all, and how rare *that* is among identity-days is the evidence: so a
 * day in which fewer than the budgeted share of identity-days come as high is worth a finding, whatever the traffic looks like and however
 * the detectors depend on each other.
 */
export class EvidenceBudget {
  readonly #fused = new TailCalibrator();
  readonly #peaks = detectors.map(() => new TailCalibrator());
  readonly #all = [this.#fused, ...this.#peaks];
  /** Decades of evidence at which a finding is opened. */
  readonly threshold: number;
  #days = 0;
  #extremes = 0;
  #mayExclude = true;
  #provisional = -1;

  constructor(findingsPer1000PerDay: number) {
    this.threshold = -Math.log10(findingsPer1000PerDay / 1000);
  }

  /** Brings the identity's day up to date with the event's statistics, and writes each detector's evidence (decades); returns the highest. */
  update(place: { slab: RowSlab; row: number; ts: number }, statistics: Float64Array, evidences: Float64Array): number {
    const { f32 } = place.slab;
    const day = Math.floor(place.ts / dayMs);
    const peaks = place.row + at.peaks;
    // An event from before midnight that comes after it counts for the new day: a day ends once.
    if (f32[place.row + at.day]! < day) {
      if (f32[place.row + at.day] !== 0) this.#countPeaks(f32, peaks);
      this.#countFused(f32, place.row);
      f32[place.row + at.day] = day;
    }
    let most = 0;
    for (let d = 0; d < detectors.length; d++) {
      const statistic = Math.min(statisticMax, statistics[d]!);
      evidences[d] = 0;
      if (statistic <= 0) continue;
      if (statistic > f32[peaks + d]!) f32[peaks + d] = statistic;
      evidences[d] = Math.max(0, -Math.log10(this.#fused.pValue(this.#say(d, statistic))));
      most = Math.max(most, evidences[d]!);
    }
    return most;
  }

  /** Midnight (UTC): the day of every identity that was active is over, whether or not it ever comes back. */
  endDays(slab: RowSlab): void {
    for (const calibrator of this.#all) calibrator.forgetProvisional();
    this.#eachDay(slab, (peaks) => this.#countPeaks(slab.f32, peaks));
    // How rare a day is must be told on the scale of all days up to now: else the first day's, told on no scale at all, would stand out for ever.
    for (const calibrator of this.#peaks) calibrator.refit();
    this.#eachDay(slab, (_, row) => {
      this.#countFused(slab.f32, row);
      slab.markDirty(row);
    });
    this.#fused.refit();
    this.#mayExclude = this.#extremes <= excludedShare * this.#days;
  }

  /** A frame is over; `ts` is where the next begins. */
  advance(slab: RowSlab, ts: number): void {
    const period = Math.floor(ts / provisionalEveryMs);
    if (this.#days >= daysEnough || period === this.#provisional) return;
    this.#provisional = period;
    for (const calibrator of this.#all) calibrator.forgetProvisional();
    this.#eachDay(slab, (peaks) => {
      for (let d = 0; d < detectors.length; d++) this.#peaks[d]!.addProvisional(slab.f32[peaks + d]!);
    });
    for (const calibrator of this.#peaks) calibrator.refit();
    this.#eachDay(slab, (peaks) => this.#fused.addProvisional(this.#strongest(slab.f32, peaks)));
    this.#fused.refit();
  }

  #eachDay(slab: RowSlab, visit: (peaks: number, row: number) => void): void {
    for (let row = 0; row < slab.size * rowWords; row += rowWords)
      if (slab.f32[row + at.day] !== 0) visit(row + at.peaks, row);
  }

  /** What a detector's statistic has to say, on the scale on which detectors are compared. */
  #say(detector: number, statistic: number): number {
    return Math.max(0, handicaps[detector]! - Math.log(this.#peaks[detector]!.pValue(statistic)));
  }

  #strongest(f32: Float32Array, peaks: number): number {
    let most = 0;
    for (let d = 0; d < detectors.length; d++)
      if (f32[peaks + d]! > 0) most = Math.max(most, this.#say(d, f32[peaks + d]!));
    return most;
  }

  #countPeaks(f32: Float32Array, peaks: number): void {
    if (this.#mayExclude && this.#isExtreme(this.#strongest(f32, peaks))) return;
    for (let d = 0; d < detectors.length; d++) this.#peaks[d]!.add(f32[peaks + d]!);
  }

  #countFused(f32: Float32Array, row: number): void {
    const peaks = row + at.peaks;
    if (f32[row + at.day] !== 0) {
      this.#days++;
      const strongest = this.#strongest(f32, peaks);
      const extreme = this.#isExtreme(strongest);
      if (extreme) this.#extremes++;
      if (!extreme || !this.#mayExclude) this.#fused.add(strongest);
    }
    f32[row + at.day] = 0;
    f32.fill(0, peaks, peaks + detectors.length);
  }

  #isExtreme(strongest: number): boolean {
    return -Math.log10(this.#fused.pValue(strongest)) >= this.threshold + excludedDecades;
  }

  snapshot(): BudgetSnapshot {
    return {
      calibrators: this.#all.map((calibrator) => calibrator.snapshot()),
      days: this.#days,
      extremes: this.#extremes,
      mayExclude: this.#mayExclude,
      provisional: this.#provisional,
    };
  }

  restore(saved: BudgetSnapshot): void {
    this.#all.forEach((calibrator, i) => {
      calibrator.restore(saved.calibrators[i]!);
    });
    this.#days = saved.days;
    this.#extremes = saved.extremes;
    this.#mayExclude = saved.mayExclude;
    this.#provisional = saved.provisional;
  }
}
