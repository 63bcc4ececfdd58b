import { dayPeakOf, endPeaks, raisePeak } from '../baseline/peaks.ts';
import { at, detectors, rowWords } from '../baseline/row-layout.ts';
import type { RowSlab } from '../baseline/row-slab.ts';
import { type CalibratorSnapshot, TailCalibrator } from '../baseline/tail-calibrator.ts';

const dayMs = 86_400_000;
/** No statistic counts for more than this many nats. */
const statisticMax = 60;
/** Decades below the threshold from which detectors other than behaviour count in an event's evidence. */
const speaksFrom = 1;
/** Share of the fused statistic's say that behaviour has, which must be told from ordinary change by a hair; the others share the rest. */
const behaviourShare = 0.7;
const handicaps = detectors.map((_, d) =>
  Math.log(d === 0 ? behaviourShare : (1 - behaviourShare) / (detectors.length - 1)),
);
/** Days this many decades beyond the threshold are attacks or accidents: they say nothing of ordinary days' tail. */
const excludedDecades = 1.5;
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
  #mayExclude = false;
  #provisional = -1;

  constructor(findingsPer1000PerDay: number) {
    this.threshold = -Math.log10(findingsPer1000PerDay / 1000);
  }

  /** Brings the identity's day up to date with the event's statistics, and writes each detector's evidence (decades); returns the highest. */
  update(place: { slab: RowSlab; row: number; ts: number }, statistics: Float64Array, evidences: Float64Array): number {
    const { slab, row } = place;
    const { f32 } = slab;
    const day = Math.floor(place.ts / dayMs);
    // An event from before midnight that comes after it counts for the new day: a day ends once.
    if (f32[row + at.day]! < day) {
      if (f32[row + at.day] !== 0) {
        this.#countFused(slab, row);
        this.#countPeaksOf(slab, row);
        endDay(slab, row);
      }
      f32[row + at.day] = day;
    }
    let most = 0;
    for (let d = 0; d < detectors.length; d++) {
      const statistic = statistics[d]!;
      evidences[d] = 0;
      if (statistic <= 0) continue;
      raisePeak(slab, { row, detector: d, statistic });
      const said = this.#say(d, Math.min(statisticMax, statistic));
      evidences[d] = Math.max(0, -Math.log10(this.#fused.pValue(said)));
      // A burst that is not about to speak tells nothing of how much has gathered.
      if (d === 0 || evidences[d]! >= this.threshold - speaksFrom) most = Math.max(most, evidences[d]!);
    }
    return most;
  }

  /** Midnight (UTC): the day of every identity that was active is over, whether or not it ever comes back. */
  endDays(slab: RowSlab): void {
    for (const calibrator of this.#all) calibrator.forgetProvisional();
    // A day is measured on the scale of those before it. The first days have none worth the name, and are measured on their own.
    const early = this.#days < daysEnough;
    if (early) this.#countPeaks(slab);
    eachDay(slab, (row) => this.#countFused(slab, row));
    if (!early) this.#countPeaks(slab);
    eachDay(slab, (row) => {
      endDay(slab, row);
      slab.markDirty(row);
    });
    this.#fused.refit();
    this.#mayExclude = !early && this.#extremes <= excludedShare * this.#days;
  }

  /** A frame is over; `ts` is where the next begins. */
  advance(slab: RowSlab, ts: number): void {
    const period = Math.floor(ts / provisionalEveryMs);
    if (this.#days >= daysEnough || period === this.#provisional) return;
    this.#provisional = period;
    for (const calibrator of this.#all) calibrator.forgetProvisional();
    eachDay(slab, (row) => {
      for (let d = 0; d < detectors.length; d++) this.#peaks[d]!.addProvisional(dayPeakOf(slab, row, d));
    });
    for (const calibrator of this.#peaks) calibrator.refit();
    eachDay(slab, (row) => this.#fused.addProvisional(this.#strongest(slab, row)));
    this.#fused.refit();
  }

  /** What a detector's statistic has to say, on the scale on which detectors are compared. */
  #say(detector: number, statistic: number): number {
    return Math.max(0, handicaps[detector]! - Math.log(this.#peaks[detector]!.pValue(statistic)));
  }

  #strongest(slab: RowSlab, row: number): number {
    let most = 0;
    for (let d = 0; d < detectors.length; d++) {
      const statistic = dayPeakOf(slab, row, d);
      if (statistic > 0) most = Math.max(most, this.#say(d, statistic));
    }
    return most;
  }

  #countPeaks(slab: RowSlab): void {
    eachDay(slab, (row) => this.#countPeaksOf(slab, row));
    for (const calibrator of this.#peaks) calibrator.refit();
  }

  #countPeaksOf(slab: RowSlab, row: number): void {
    if (this.#mayExclude && this.#isExtreme(this.#strongest(slab, row))) return;
    for (let d = 0; d < detectors.length; d++) this.#peaks[d]!.add(dayPeakOf(slab, row, d));
  }

  #countFused(slab: RowSlab, row: number): void {
    this.#days++;
    const strongest = this.#strongest(slab, row);
    const extreme = this.#isExtreme(strongest);
    if (extreme && this.#mayExclude) this.#extremes++;
    if (!extreme || !this.#mayExclude) this.#fused.add(strongest);
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

/** Rows whose identity was active today. */
function eachDay(slab: RowSlab, visit: (row: number) => void): void {
  for (let row = 0; row < slab.size * rowWords; row += rowWords) if (slab.f32[row + at.day] !== 0) visit(row);
}

function endDay(slab: RowSlab, row: number): void {
  slab.f32[row + at.day] = 0;
  endPeaks(slab, row);
}
