import { type CalibratorSnapshot, TailCalibrator } from '../baseline/tail-calibrator.ts';

/**
 * What detectors say together is in nats already, of which most days come to none: innocent days come to 6 or more about once in 500 on streams that
 * run for weeks.
 */
const robust = { share: 0.08, isCautious: true };

/** What sums of one sort of days come to. */
class Sums {
  readonly over: TailCalibrator;
  /**
   * Of the running day so far, while the stream is young. Habits are known better today than on any day before, so deviations from them come higher
   * than on any day before: the days are not exchangeable, but those of today are with each other. What is rare is rare among both.
   */
  readonly today: TailCalibrator;

  constructor(others?: Sums) {
    this.over = new TailCalibrator(others === undefined ? { robust } : { robust, others: others.over });
    this.today = new TailCalibrator({ robust, others: this.over });
  }
}

type SumsSnapshot = { readonly over: CalibratorSnapshot; readonly today: CalibratorSnapshot };
export type DaySumsSnapshot = { readonly first: SumsSnapshot; readonly later: SumsSnapshot };

/**
 * How rare it is what all detectors say of an identity's day together. An identity's first day has no past to deviate from, and comes to less: it is compared with
 * first days, and later days with later ones. Before any of these is over, first days are what is assumed.
 */
export class DaySums {
  readonly #first = new Sums();
  readonly #later = new Sums(this.#first);
  readonly #both = [this.#first, this.#later];

  #of(isFirst: boolean): Sums {
    return isFirst ? this.#first : this.#later;
  }

  pValue(isFirst: boolean, sum: number): number {
    const { over, today } = this.#of(isFirst);
    return Math.max(over.pValue(sum), today.pValue(sum));
  }

  add(isFirst: boolean, sum: number): void {
    this.#of(isFirst).over.add(sum);
  }

  /** Of a running day that counts as it stands, until it is forgotten. */
  addProvisional(isFirst: boolean, sum: number): void {
    this.#of(isFirst).over.addProvisional(sum);
  }

  addToday(isFirst: boolean, sum: number): void {
    this.#of(isFirst).today.addProvisional(sum);
  }

  forgetProvisional(): void {
    for (const { over } of this.#both) over.forgetProvisional();
  }

  forgetToday(): void {
    for (const { today } of this.#both) today.forgetProvisional();
  }

  fade(factor: number): void {
    for (const { over } of this.#both) over.fade(factor);
  }

  refit(): void {
    for (const { over } of this.#both) over.refit();
  }

  refitToday(): void {
    for (const { today } of this.#both) today.refit();
  }

  snapshot(): DaySumsSnapshot {
    const saved = ({ over, today }: Sums): SumsSnapshot => ({ over: over.snapshot(), today: today.snapshot() });
    return { first: saved(this.#first), later: saved(this.#later) };
  }

  restore({ first, later }: DaySumsSnapshot): void {
    const load = (sums: Sums, saved: SumsSnapshot): void => {
      sums.over.restore(saved.over);
      sums.today.restore(saved.today);
    };
    load(this.#first, first);
    load(this.#later, later);
  }
}
