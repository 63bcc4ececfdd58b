import { CountTable } from './count-table.ts';
import { dimensionCount, measures, outcomes, rateWindowsMs } from './row-layout.ts';

/** Lengths of history, by powers of two, for which the chance of something new is learned apart. */
export const historyBuckets = 12;
/** Peer groups kept apart; the rest share everyone's statistics. */
const groupsMax = 256;
const valuesMax = 1 << 18;
/** A population's memory: half of what was counted a month ago still counts. */
const halfLifeDays = 30;

/** To a multiple of 1/1024: what is added up within a frame is then exact, and the same to the last bit in whatever order it comes. */
function exact(number: number): number {
  return Math.round(number * 1024) / 1024;
}

export function historyBucket(events: number): number {
  return Math.min(historyBuckets - 1, 31 - Math.clz32(events + 1));
}

/** History lengths calibrated apart: 0 to 2 events, 3 to 14, 15 to 62, more. */
export const historyClasses = 4;
export function historyClass(events: number): number {
  return Math.min(historyClasses - 1, historyBucket(events) >> 1);
}

/** Sums of one group: nothing here depends on the order in which they were added. */
type Sums = {
  /** Per dimension: events with a value, and identities' first uses of a value. */
  readonly events: Float64Array;
  readonly firsts: Float64Array;
  /** Per dimension and length of history: events, and those whose value was new to the identity. */
  readonly seen: Float64Array;
  readonly novel: Float64Array;
  /** Per rate window and measure: weight, sum and sum of squares of logarithms. */
  readonly moments: Float64Array;
  readonly outcomes: Float64Array;
  readonly hours: Float64Array;
  readonly weekdays: Float64Array;
};
export const numericCount = rateWindowsMs.length + measures.length;

function emptySums(): Sums {
  return {
    events: new Float64Array(dimensionCount),
    firsts: new Float64Array(dimensionCount),
    seen: new Float64Array(dimensionCount * historyBuckets),
    novel: new Float64Array(dimensionCount * historyBuckets),
    moments: new Float64Array(numericCount * 3),
    outcomes: new Float64Array(outcomes.length),
    hours: new Float64Array(24),
    weekdays: new Float64Array(7),
  };
}
const sumNames = ['events', 'firsts', 'seen', 'novel', 'moments', 'outcomes', 'hours', 'weekdays'] as const;

/**
 * What peers and everyone do. Group 0 is everyone. Reads see the state as of the start of the current frame (a fixed stretch of
 * event time); what events add waits in a second copy until the frame ends. So a score does not depend on how different
 * identities' events were interleaved within a frame.
 */
export class Population {
  readonly #groups = new Map<string, number>();
  readonly #names: string[] = ['everyone'];
  readonly #sums: Sums[] = [emptySums()];
  readonly #pending: Sums[] = [emptySums()];
  readonly #touched = new Set<number>();
  readonly #counts = new CountTable(valuesMax);
  readonly #pendingCounts: CountTable[] = [new CountTable(valuesMax)];
  #day = -1;

  get bytes(): number {
    return this.#counts.bytes + this.#pendingCounts.reduce((a, c) => a + c.bytes, 0) + this.#sums.length * 6000;
  }

  group(name: string): number {
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    if (this.#sums.length >= groupsMax) return 0;
    const index = this.#sums.length;
    this.#groups.set(name, index);
    this.#names.push(name);
    this.#sums.push(emptySums());
    this.#pending.push(emptySums());
    this.#pendingCounts.push(new CountTable(valuesMax));
    return index;
  }

  groupName(group: number): string {
    return this.#names[group] ?? 'everyone';
  }

  sums(group: number): Sums {
    return this.#sums[group]!;
  }

  /** Events of the group with this value. */
  valueEvents(group: number, value: number): number {
    return this.#counts.events(mix(group, value));
  }

  /** Identities of the group that used this value, as far as their rows remember. */
  valueIdentities(group: number, value: number): number {
    return this.#counts.identities(mix(group, value));
  }

  addValue(
    group: number,
    dimension: number,
    use: { value: number; history: number; novel: boolean; weight: number },
  ): void {
    const sums = this.#open(group);
    const weight = exact(use.weight);
    sums.events[dimension]! += weight;
    const bucket = dimension * historyBuckets + historyBucket(use.history);
    sums.seen[bucket]! += 1;
    if (use.novel) {
      sums.firsts[dimension]! += 1;
      sums.novel[bucket]! += 1;
    }
    this.#pendingCounts[group]!.add(use.value, weight, use.novel ? 1 : 0);
  }

  addNumber(group: number, index: number, logarithm: number): void {
    const { moments } = this.#open(group);
    moments[index * 3]! += 1;
    const x = exact(logarithm);
    moments[index * 3 + 1]! += x;
    moments[index * 3 + 2]! += x * x;
  }

  /** `outcome` is an index into `outcomes`, 0 for a success. */
  addOutcome(group: number, outcome: number, weight: number): void {
    const { outcomes: counts } = this.#open(group);
    counts[0]! += exact(weight);
    if (outcome > 0) counts[outcome]! += exact(weight);
  }

  addTime(group: number, hour: number, weekday: number): void {
    const { hours, weekdays } = this.#open(group);
    hours[hour]! += 1;
    weekdays[weekday]! += 1;
  }

  /** The frame is over: what it added becomes visible. */
  advance(ts: number): void {
    // What the groups add is gathered before it joins everyone's, whose decayed sums are not exact any more.
    const everyone = this.#open(0);
    const everyonesCounts = this.#pendingCounts[0]!;
    for (const group of this.#touched) {
      if (group === 0) continue;
      this.#join(group);
      for (const name of sumNames) addTo(everyone[name], this.#pending[group]![name]);
      everyonesCounts.join(this.#pendingCounts[group]!);
    }
    this.#join(0);
    for (const group of this.#touched) {
      for (const name of sumNames) this.#pending[group]![name].fill(0);
      this.#pendingCounts[group]!.clear();
    }
    this.#touched.clear();
    this.#decay(Math.floor(ts / 86_400_000));
  }

  #join(group: number): void {
    for (const name of sumNames) addTo(this.#sums[group]![name], this.#pending[group]![name]);
    this.#counts.join(this.#pendingCounts[group]!, (value) => mix(group, value));
  }

  #open(group: number): Sums {
    this.#touched.add(group);
    return this.#pending[group]!;
  }

  #decay(day: number): void {
    if (this.#day >= 0 && day > this.#day) {
      const factor = 2 ** (-(day - this.#day) / halfLifeDays);
      this.#counts.scale(factor, 0.01);
      for (const sums of this.#sums)
        for (const name of sumNames) for (let i = 0; i < sums[name].length; i++) sums[name][i]! *= factor;
    }
    if (day > this.#day) this.#day = day;
  }

  snapshot(): PopulationSnapshot {
    const plain = (sums: Sums): Float64Array[] => sumNames.map((name) => sums[name].slice());
    return {
      names: this.#names.slice(1),
      day: this.#day,
      counts: this.#counts.snapshot(),
      pendingCounts: this.#pendingCounts.map((counts) => counts.snapshot()),
      sums: this.#sums.map(plain),
      pending: this.#pending.map(plain),
      touched: [...this.#touched],
    };
  }

  restore(snapshot: PopulationSnapshot): void {
    for (const name of snapshot.names) this.group(name);
    const fill = (all: Sums[], saved: readonly (readonly Float64Array[])[]): void =>
      saved.forEach((arrays, g) => {
        sumNames.forEach((name, i) => {
          all[g]![name].set(arrays[i]!);
        });
      });
    fill(this.#sums, snapshot.sums);
    fill(this.#pending, snapshot.pending);
    this.#counts.restore(snapshot.counts);
    snapshot.pendingCounts.forEach((entries, g) => {
      this.#pendingCounts[g]!.restore(entries);
    });
    for (const group of snapshot.touched) this.#touched.add(group);
    this.#day = snapshot.day;
  }
}

export type PopulationSnapshot = {
  readonly names: readonly string[];
  readonly day: number;
  readonly counts: Uint32Array;
  readonly pendingCounts: readonly Uint32Array[];
  readonly sums: readonly (readonly Float64Array[])[];
  readonly pending: readonly (readonly Float64Array[])[];
  readonly touched: readonly number[];
};

function addTo(sums: Float64Array, more: Float64Array): void {
  for (let i = 0; i < more.length; i++) sums[i]! += more[i]!;
}

function mix(group: number, value: number): number {
  return (Math.imul(value, 0x2c1b3c6d) ^ Math.imul(group, 0x9e3779b1)) >>> 0 || 1;
}
