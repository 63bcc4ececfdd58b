import { finishedDays, usualOf } from './peaks.ts';
import { detectors } from './row-layout.ts';
import type { RowSlab } from './row-slab.ts';

/** Per detector: days, and the sums of peaks, usuals, their products and the usuals' squares. */
const words = 5;
/** As many days of unit variance say that days have nothing to do with each other, before any were seen. */
const priorDays = 100;
/** No peak counts for more nats: what makes a habit is how ordinary days go, and an attack is none. */
const peakMax = 15;

export type UsualDaysSnapshot = { readonly sums: Float64Array; readonly pending: Float64Array };

/**
 * How much of an identity's usual its next day brings again: whoever is odd on one innocent day is odd on the next where identities differ, and not where all are
 * alike. Each detector's share is what the stream's own days say, the slope of a day's peak on the identity's usual (credibility: Bühlmann, ASTIN Bulletin 4, 1967).
 * Peaks of 6 on days of identities with a usual of 8, of 1 where it is 0: a slope of 5 / 8, so 5 of the 6 are nothing new.
 */
export class UsualDays {
  readonly #sums = new Float64Array(detectors.length * words);
  readonly #pending = new Float64Array(detectors.length * words);
  readonly #slopes = new Float64Array(detectors.length);

  /** What is to be expected of the identity's day, nats: in whole quarters, as peaks are kept. */
  expected(slab: RowSlab, row: number, detector: number): number {
    const slope = this.#slopes[detector]!;
    return slope === 0 ? 0 : Math.round(4 * slope * usualOf(slab, row, detector)) / 4;
  }

  /** The identity's day came to this peak; before the usual learns of it. Its first day has nothing to do with any. */
  add(slab: RowSlab, row: number, of: { readonly detector: number; readonly peak: number }): void {
    if (slab.f32[row + finishedDays] === 0) return;
    const usual = usualOf(slab, row, of.detector);
    const peak = Math.min(peakMax, of.peak);
    const at = of.detector * words;
    this.#pending[at]! += 1;
    this.#pending[at + 1]! += peak;
    this.#pending[at + 2]! += usual;
    this.#pending[at + 3]! += peak * usual;
    this.#pending[at + 4]! += usual * usual;
  }

  fade(factor: number): void {
    for (let i = 0; i < this.#sums.length; i++) this.#sums[i]! *= factor;
  }

  /** Everything that was added counts from now on. */
  refit(): void {
    for (let i = 0; i < this.#sums.length; i++) this.#sums[i]! += this.#pending[i]!;
    this.#pending.fill(0);
    this.#fit();
  }

  #fit(): void {
    for (let d = 0; d < detectors.length; d++) {
      const at = d * words;
      const [days, usuals] = [Math.max(1, this.#sums[at]!), this.#sums[at + 2]!];
      const together = this.#sums[at + 3]! - (this.#sums[at + 1]! * usuals) / days;
      const slope = together / (this.#sums[at + 4]! - (usuals * usuals) / days + priorDays);
      this.#slopes[d] = Math.min(1, Math.max(0, slope));
    }
  }

  snapshot(): UsualDaysSnapshot {
    return { sums: this.#sums.slice(), pending: this.#pending.slice() };
  }

  restore(saved: UsualDaysSnapshot): void {
    this.#sums.set(saved.sums);
    this.#pending.set(saved.pending);
    this.#fit();
  }
}
