import { tallyCount, tallyWindowsMs } from './active-layout.ts';
import { GroupSums } from './group-sums.ts';

const windows = tallyWindowsMs.length;
const cells = windows * tallyCount;
/** Per group: finished windows of each length, then per window and tally the windows in which it was not zero, and its logarithm's sum and sum of squares. */
const words = windows + cells * 3;

/** Where a cell's numbers stand: finished windows in which it was not zero, and its logarithm's sum and sum of squares in them. */
export function habitAt(cell: number): number {
  return windows + cell * 3;
}

const nothing = new Float64Array(words);

/** To a multiple of 1/1024: sums within a frame are then exact in whatever order they are made. */
function exact(number: number): number {
  return Math.round(number * 1024) / 1024;
}

/**
 * What peers' windows come to: the moments of each tally's logarithm, and over everyone how surprising a finished window's tallies were, so that tallies of any
 * shape can be compared.
 */
export class TallyHabits extends GroupSums {
  constructor() {
    super(words, cells);
  }

  /** Finished windows of the group. */
  count(group: number, window: number): number {
    return this.of(group)[window]!;
  }

  /** What is known of the group, to be read only: finished windows by window, then from `habitAt` of a cell on three numbers of it. */
  of(group: number): Float64Array {
    return this.sumsOf(group) ?? nothing;
  }

  /** P(a finished window's surprise is at least this). */
  pValue(cell: number, surprise: number): number {
    return this.calibrators[cell]!.pValue(surprise);
  }

  addWindow(group: number, window: number): void {
    this.pendingOf(group)[window]! += 1;
  }

  add(group: number, cell: number, logarithm: number): void {
    const pending = this.pendingOf(group);
    const at = habitAt(cell);
    const x = exact(logarithm);
    pending[at]! += 1;
    pending[at + 1]! += x;
    pending[at + 2]! += x * x;
  }

  addSurprise(cell: number, surprise: number): void {
    this.calibrators[cell]!.add(surprise);
  }
}
