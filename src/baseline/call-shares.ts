import { type CalibratorSnapshot, TailCalibrator } from './tail-calibrator.ts';

/** Kinds of calls of which a share of all is kept: names as in the tallies of families. */
export const shareKinds = [
  'objects.distinct',
  'objects.others',
  'objects.first_touch',
  'objects.neighbours',
  'change.writes',
  'change.deletes',
  'change.changed_objects',
] as const;
/** An identity's first calls are unlike its later ones: everything is new to it. So newcomers are compared with what newcomers do. */
const newcomerCalls = 64;
const stages = 2;
const words = 1 + shareKinds.length;
const halfLifeDays = 30;
/** Calls of a circle that the wider one's share, or an assumption, weighs against its own: more the fewer identities are behind it. */
const strength = 20;
const identitiesEnough = 20;
const assumed = 0.25;

export type SharesSnapshot = {
  readonly sums: readonly Float64Array[];
  readonly pending: readonly Float64Array[];
  readonly touched: readonly number[];
  readonly calibrators: readonly CalibratorSnapshot[];
  readonly day: number;
};

/** 0 for an identity's first calls, 1 for later ones. */
export function stageOf(history: number): number {
  return history < newcomerCalls ? 0 : 1;
}

/**
 * What share of calls touches a new object, changes something, deletes something: per group of the population (0 is everyone), of newcomers
 * and of others. Reads see the state as of the last `advance`.
 */
export class CallShares {
  readonly #sums: Float64Array[] = [new Float64Array(stages * words)];
  readonly #pending: Float64Array[] = [new Float64Array(stages * words)];
  readonly #touched = new Set<number>();
  readonly #calibrators = shareKinds.map(() => new TailCalibrator());
  #day = -1;

  get bytes(): number {
    return this.#sums.length * stages * words * 16 + shareKinds.length * 7700;
  }

  /** The call's share in the group, backed by everyone's; `identities` by group says how many are behind each. */
  share(of: { readonly group: number; readonly stage: number; readonly kind: number }, identities: readonly number[]) {
    const everyone = this.#backed(0, of, { identities: identities[0]!, wider: assumed });
    return of.group === 0 ? everyone : this.#backed(of.group, of, { identities: identities[1]!, wider: everyone });
  }

  /** Calls that the group's share rests on. */
  calls(group: number, stage: number): number {
    return this.#sums[group]?.[stage * words] ?? 0;
  }

  #backed(
    group: number,
    of: { readonly stage: number; readonly kind: number },
    { identities, wider }: { readonly identities: number; readonly wider: number },
  ): number {
    const sums = this.#sums[group];
    if (sums === undefined) return wider;
    const weight = strength * Math.max(1, identitiesEnough / Math.max(1, identities));
    const at = of.stage * words;
    return (sums[at + 1 + of.kind]! + wider * weight) / (sums[at]! + weight);
  }

  /** A call that counts `weight`, a multiple of 1/1024, and which kinds it is of, one bit each. */
  add(group: number, of: { readonly stage: number; readonly kinds: number; readonly weight: number }): void {
    while (this.#sums.length <= group) {
      this.#sums.push(new Float64Array(stages * words));
      this.#pending.push(new Float64Array(stages * words));
    }
    this.#touched.add(group);
    const pending = this.#pending[group]!;
    const at = of.stage * words;
    pending[at]! += of.weight;
    for (let kinds = of.kinds; kinds !== 0; kinds &= kinds - 1)
      pending[at + 1 + (31 - Math.clz32(kinds & -kinds))]! += of.weight;
  }

  /** How surprising the share of the kind was on an identity's finished day. */
  addDay(kind: number, nats: number): void {
    this.#calibrators[kind]!.add(nats);
  }

  /** P(a day's share is as surprising). */
  pValue(kind: number, nats: number): number {
    return this.#calibrators[kind]!.pValue(nats);
  }

  advance(ts: number): void {
    for (const calibrator of this.#calibrators) calibrator.advance();
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
  }

  snapshot(): SharesSnapshot {
    return {
      sums: this.#sums.map((sums) => sums.slice()),
      pending: this.#pending.map((sums) => sums.slice()),
      touched: [...this.#touched],
      calibrators: this.#calibrators.map((calibrator) => calibrator.snapshot()),
      day: this.#day,
    };
  }

  restore(saved: SharesSnapshot): void {
    saved.sums.forEach((sums, group) => {
      this.#sums[group] = sums.slice();
      this.#pending[group] = saved.pending[group]!.slice();
    });
    this.#touched.clear();
    for (const group of saved.touched) this.#touched.add(group);
    this.#calibrators.forEach((calibrator, i) => {
      calibrator.restore(saved.calibrators[i]!);
    });
    this.#day = saved.day;
  }
}
