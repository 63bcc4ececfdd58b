import { detectors } from '../baseline/row-layout.ts';
import { type CalibratorSnapshot, TailCalibrator } from '../baseline/tail-calibrator.ts';

/** Roles kept apart, and one circle for all beyond them; of each 15 KB per detector. */
export const circlesMax = 32;
/** The tail of a day's highest begins here; it is what independent calls make of it, so it is exponential. */
const robust = { share: 0.06, isCautious: false };
/**
 * What days come to before any were seen, nats. A sum with a memory of ten has e^2 to e^4 times the tail of each of its terms (score/evidence.ts), and
 * the highest of a few calls begins at 1.
 */
const priorOf = (detector: number) => ({ from: detector === 0 ? 2 : 1, mean: 1 });
const shared = '';

export type DayScalesSnapshot = readonly {
  readonly name: string;
  readonly own: readonly CalibratorSnapshot[];
}[];

/** Per detector: the days of those in the circle, and of everybody else, who speak where few of them were seen. */
type Circle = {
  readonly name: string;
  readonly own: readonly TailCalibrator[];
  readonly rest: readonly TailCalibrator[];
};

function newCircle(name: string): Circle {
  const rest = detectors.map((_, d) => new TailCalibrator({ robust, prior: priorOf(d) }));
  return { name, own: rest.map((others) => new TailCalibrator({ robust, others })), rest };
}

/**
 * How rare a detector's highest of a day is among days of identities of the same role: what is rare for a customer is daily bread of an accountant, and
 * of a machine. Where few of a role were seen, all others' days are what is assumed.
 */
export class DayScales {
  /** The first is shared by all roles that came when there were as many as there may be. */
  readonly #circles: Circle[] = [newCircle(shared)];
  readonly #indices = new Map<string, number>();

  /** The circle's index: kept in rows, and in saved state. */
  indexOf(name: string): number {
    const known = this.#indices.get(name);
    if (known !== undefined) return known;
    const index = this.#circles.length;
    if (index >= circlesMax) return 0;
    this.#indices.set(name, index);
    this.#circles.push(newCircle(name));
    this.#gather(this.#circles[index]!);
    return index;
  }

  add(circle: number, detector: number, peak: number): void {
    this.#circles[circle]!.own[detector]!.add(peak);
  }

  addProvisional(circle: number, detector: number, peak: number): void {
    this.#circles[circle]!.own[detector]!.addProvisional(peak);
  }

  forgetProvisional(): void {
    for (const { own } of this.#circles) for (const calibrator of own) calibrator.forgetProvisional();
  }

  fade(factor: number): void {
    for (const { own } of this.#circles) for (const calibrator of own) calibrator.fade(factor);
  }

  pValue(circle: number, detector: number, peak: number): number {
    return this.#circles[circle]!.own[detector]!.pValue(peak);
  }

  /** Everything that was added counts from now on. */
  refit(): void {
    for (const { own } of this.#circles) for (const calibrator of own) calibrator.join();
    for (const circle of this.#circles) this.#gather(circle);
  }

  /** In the order of names, so that sums do not depend on which circle was met first. */
  #gather({ name, own, rest }: Circle): void {
    const others = this.#circles.filter((each) => each.name !== name).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (let d = 0; d < detectors.length; d++) {
      rest[d]!.become(others.map((each) => each.own[d]!));
      own[d]!.fit();
    }
  }

  snapshot(): DayScalesSnapshot {
    return this.#circles.map(({ name, own }) => ({ name, own: own.map((calibrator) => calibrator.snapshot()) }));
  }

  restore(saved: DayScalesSnapshot): void {
    this.#circles.length = 0;
    this.#indices.clear();
    saved.forEach(({ name, own }, index) => {
      const circle = newCircle(name);
      circle.own.forEach((calibrator, d) => {
        calibrator.restore(own[d]!);
      });
      this.#circles.push(circle);
      if (index > 0) this.#indices.set(name, index);
    });
    for (const circle of this.#circles) this.#gather(circle);
  }
}
