import { type CalibratorSnapshot, TailCalibrator } from './tail-calibrator.ts';

const halfLifeDays = 30;
const calibratorBytes = 7700;

export type GroupSumsSnapshot = {
  readonly sums: readonly Float64Array[];
  readonly pending: readonly Float64Array[];
  readonly touched: readonly number[];
  readonly calibrators: readonly CalibratorSnapshot[];
  readonly day: number;
};

/**
 * Sums per group of the population (0 is everyone), of which half still counts after thirty days, and calibrators over everyone. What is added counts from the
 * next `advance` on, so that what is read within a frame does not depend on how identities are interleaved.
 */
export class GroupSums {
  protected readonly calibrators: readonly TailCalibrator[];
  readonly #words: number;
  readonly #sums: Float64Array[] = [];
  readonly #pending: Float64Array[] = [];
  readonly #touched = new Set<number>();
  #day = -1;

  constructor(words: number, calibrators: number) {
    this.calibrators = Array.from({ length: calibrators }, () => new TailCalibrator());
    this.#words = words;
    this.#open(0);
  }

  get bytes(): number {
    return this.#sums.length * this.#words * 16 + this.calibrators.length * calibratorBytes;
  }

  /** To be read only; undefined: of this group nothing is known. */
  protected sumsOf(group: number): Float64Array | undefined {
    return this.#sums[group];
  }

  /** To be added to, and not kept. */
  protected pendingOf(group: number): Float64Array {
    this.#open(group);
    this.#touched.add(group);
    return this.#pending[group]!;
  }

  /** The end of a frame: everyone gets what its groups were given. */
  advance(ts: number): void {
    const everyone = this.#pending[0]!;
    for (const group of this.#touched)
      if (group !== 0) for (let i = 0; i < everyone.length; i++) everyone[i]! += this.#pending[group]![i]!;
    if (this.#touched.size > 0) this.#touched.add(0);
    for (const group of this.#touched) {
      const [sums, pending] = [this.#sums[group]!, this.#pending[group]!];
      for (let i = 0; i < sums.length; i++) sums[i]! += pending[i]!;
      pending.fill(0);
    }
    this.#touched.clear();
    const day = Math.floor(ts / 86_400_000);
    if (this.#day >= 0 && day > this.#day) {
      const factor = 2 ** (-(day - this.#day) / halfLifeDays);
      for (const sums of this.#sums) for (let i = 0; i < sums.length; i++) sums[i]! *= factor;
    }
    if (day > this.#day) this.#day = day;
    for (const calibrator of this.calibrators) calibrator.advance();
  }

  snapshot(): GroupSumsSnapshot {
    return {
      sums: this.#sums.map((sums) => sums.slice()),
      pending: this.#pending.map((sums) => sums.slice()),
      touched: [...this.#touched],
      calibrators: this.calibrators.map((calibrator) => calibrator.snapshot()),
      day: this.#day,
    };
  }

  restore(saved: GroupSumsSnapshot): void {
    saved.sums.forEach((sums, group) => {
      this.#open(group);
      this.#sums[group]!.set(sums);
      this.#pending[group]!.set(saved.pending[group]!);
    });
    this.#touched.clear();
    for (const group of saved.touched) this.#touched.add(group);
    this.calibrators.forEach((calibrator, i) => {
      calibrator.restore(saved.calibrators[i]!);
    });
    this.#day = saved.day;
  }

  #open(group: number): void {
    while (this.#sums.length <= group) {
      this.#sums.push(new Float64Array(this.#words));
      this.#pending.push(new Float64Array(this.#words));
    }
  }
}
