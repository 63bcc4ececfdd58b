import { tallyCount, tallyWindowsMs } from './active-layout.ts';
import { type CalibratorSnapshot, TailCalibrator } from './tail-calibrator.ts';

const halfLifeDays = 30;
const windows = tallyWindowsMs.length;
const cells = windows * tallyCount;
/** Per group: finished windows of each length, then per window and tally the windows in which it was not zero, and its logarithm's sum and sum of squares. */
const words = windows + cells * 3;

/** Where a cell's numbers stand: finished windows in which it was not zero, and its logarithm's sum and sum of squares in them. */
export function habitAt(cell: number): number {
  return windows + cell * 3;
}

const nothing = new Float64Array(words);

export type HabitsSnapshot = {
  readonly sums: readonly Float64Array[];
  readonly pending: readonly Float64Array[];
  readonly touched: readonly number[];
  readonly calibrators: readonly CalibratorSnapshot[];
  readonly day: number;
};

/** To a multiple of 1/1024: sums within a frame are then exact in whatever order they are made. */
function exact(number: number): number {
  return Math.round(number * 1024) / 1024;
}

/**
 * What peers' windows come to: per group of the population (0 is everyone) the moments of each tally's logarithm, and over everyone how surprising a
 * finished window's tallies were, so that tallies of any shape can be compared. Reads see the state as of the last `advance`.
 */
export class TallyHabits {
  readonly #sums: Float64Array[] = [new Float64Array(words)];
  readonly #pending: Float64Array[] = [new Float64Array(words)];
  readonly #touched = new Set<number>();
  readonly #calibrators = Array.from({ length: cells }, () => new TailCalibrator());
  #day = -1;

  get bytes(): number {
    return this.#sums.length * words * 16 + cells * 7700;
  }

  /** Finished windows of the group. */
  count(group: number, window: number): number {
    return this.of(group)[window]!;
  }

  /** What is known of the group, to be read only: finished windows by window, then from `habitAt` of a cell on three numbers of it. */
  of(group: number): Float64Array {
    return this.#sums[group] ?? nothing;
  }

  /** P(a finished window's surprise is at least this). */
  pValue(cell: number, surprise: number): number {
    return this.#calibrators[cell]!.pValue(surprise);
  }

  addWindow(group: number, window: number): void {
    this.#open(group)[window]! += 1;
  }

  add(group: number, cell: number, logarithm: number): void {
    const pending = this.#open(group);
    const at = habitAt(cell);
    const x = exact(logarithm);
    pending[at]! += 1;
    pending[at + 1]! += x;
    pending[at + 2]! += x * x;
  }

  addSurprise(cell: number, surprise: number): void {
    this.#calibrators[cell]!.add(surprise);
  }

  advance(ts: number): void {
    const day = Math.floor(ts / 86_400_000);
    const everyone = this.#open(0);
    for (const group of this.#touched)
      if (group !== 0) for (let i = 0; i < words; i++) everyone[i]! += this.#pending[group]![i]!;
    for (const group of this.#touched) {
      const sums = this.#sums[group]!;
      const pending = this.#pending[group]!;
      for (let i = 0; i < words; i++) sums[i]! += pending[i]!;
      pending.fill(0);
    }
    this.#touched.clear();
    if (this.#day >= 0 && day > this.#day) {
      const factor = 2 ** (-(day - this.#day) / halfLifeDays);
      for (const sums of this.#sums) for (let i = 0; i < words; i++) sums[i]! *= factor;
    }
    if (day > this.#day) this.#day = day;
    for (const calibrator of this.#calibrators) calibrator.advance();
  }

  #open(group: number): Float64Array {
    while (this.#sums.length <= group) {
      this.#sums.push(new Float64Array(words));
      this.#pending.push(new Float64Array(words));
    }
    this.#touched.add(group);
    return this.#pending[group]!;
  }

  snapshot(): HabitsSnapshot {
    return {
      sums: this.#sums.map((sums) => sums.slice()),
      pending: this.#pending.map((sums) => sums.slice()),
      touched: [...this.#touched],
      calibrators: this.#calibrators.map((calibrator) => calibrator.snapshot()),
      day: this.#day,
    };
  }

  restore(saved: HabitsSnapshot): void {
    saved.sums.forEach((sums, group) => {
      this.#open(group);
      this.#sums[group]!.set(sums);
      this.#pending[group]!.set(saved.pending[group]!);
    });
    this.#touched.clear();
    for (const group of saved.touched) this.#touched.add(group);
    this.#calibrators.forEach((calibrator, i) => {
      calibrator.restore(saved.calibrators[i]!);
    });
    this.#day = saved.day;
  }
}
