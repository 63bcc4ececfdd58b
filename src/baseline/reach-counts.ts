import { CountTable } from './count-table.ts';

const tableMax = 1 << 16;
const usesMax = 1 << 18;
/** At the limit the functions that appeared first are forgotten: what is not in the table has always been there. Of a frame's, twice as many are looked at. */
const appearedMax = 1 << 15;
const halfLifeDays = 30;
/** Stands for any right: how many identities bear rights at all. */
export const anyRight = 1;
/** The circle of everybody. */
export const everyCircle = 1;

/**
 * What a shard knows of rights and of functions across identities: who bears a right, since when a function is there, and
 * whether it is answered without an identity.
 */
export class ReachCounts {
  readonly #rights = new CountTable(tableMax);
  readonly #pendingRights = new CountTable(tableMax);
  /** Per function: identities that were answered (`events`), and answers to nobody in particular (`identities`). */
  readonly #answers = new CountTable(tableMax);
  readonly #pendingAnswers = new CountTable(tableMax);
  /** First uses of functions and areas by circle: one value's, and all values' under the number of the dimension. */
  readonly #uses = new CountTable(usesMax);
  readonly #pendingUses = new CountTable(usesMax);
  /** Function to the second since 1970 of its first use, in order of that. */
  #appeared = new Map<number, number>();
  #pendingAppeared = new Map<number, number>();
  #began = 0;
  #day = -1;

  get bytes(): number {
    const tables = this.#tables();
    return tables.reduce((sum, { bytes }) => sum + bytes, 0) + this.#appeared.size * 40;
  }

  /** Identities known to bear the right. */
  bearers(right: number): number {
    return this.#rights.identities(right);
  }

  addBearer(right: number): void {
    this.#pendingRights.add(right, 1, 1);
  }

  /** Share of the function's first successes that were nobody's: half a one of one more than there were, where there was none. */
  openShare(fn: number): number {
    const nobody = this.#answers.identities(fn);
    return (nobody + 0.5) / (nobody + this.#answers.events(fn) + 1);
  }

  answered(fn: number): number {
    return this.#answers.events(fn);
  }

  addAnswer(fn: number, toSomebody: boolean): void {
    // Unattributed ones count as an event's trace too: a table forgets by `events`.
    this.#pendingAnswers.add(fn, toSomebody ? 1 : 1 / 1024, toSomebody ? 0 : 1);
  }

  /** Identities of the circle that took the value up. */
  uses(circle: number, value: number): number {
    return this.#uses.identities(mix(circle, value));
  }

  /** What the circle's identities took up in the dimension, all in all. */
  allUses(circle: number, dimension: number): number {
    return this.#uses.identities(mix(circle, dimension + 1));
  }

  addUse(circle: number, of: { readonly dimension: number; readonly value: number; readonly weight: number }): void {
    const weight = Math.round(of.weight * 1024) / 1024;
    for (const each of [circle, everyCircle])
      for (const what of [of.dimension + 1, of.value]) this.#pendingUses.add(mix(each, what), weight, weight);
  }

  /** The part of the shard's past in which the function was there, 0 to 1. */
  presence(fn: number, ts: number): number {
    const appeared = this.#appeared.get(fn);
    if (appeared === undefined) return 1;
    const seconds = ts / 1000;
    return Math.min(1, Math.max(0, (seconds - appeared) / Math.max(1, seconds - this.#began)));
  }

  /** A function that nobody had used until this frame. */
  addFunction(fn: number, ts: number): void {
    const seconds = Math.floor(ts / 1000);
    const before = this.#pendingAppeared.get(fn);
    if (before === undefined ? this.#pendingAppeared.size < 2 * appearedMax : seconds < before)
      this.#pendingAppeared.set(fn, seconds);
  }

  advance(ts: number): void {
    if (this.#began === 0) this.#began = Math.floor(ts / 1000);
    join(this.#rights, this.#pendingRights);
    join(this.#answers, this.#pendingAnswers);
    join(this.#uses, this.#pendingUses);
    // In an order that does not depend on how identities were interleaved, for the oldest are forgotten first.
    for (const [fn, seconds] of [...this.#pendingAppeared].sort(([a, x], [b, y]) => x - y || a - b))
      if (!this.#appeared.has(fn)) this.#appeared.set(fn, seconds);
    this.#pendingAppeared.clear();
    for (const fn of this.#appeared.keys()) {
      if (this.#appeared.size <= appearedMax) break;
      this.#appeared.delete(fn);
    }
    this.#decay(Math.floor(ts / 86_400_000));
  }

  #decay(day: number): void {
    if (this.#day >= 0 && day > this.#day) {
      const factor = 2 ** (-(day - this.#day) / halfLifeDays);
      this.#rights.scale(factor, 0.01);
      this.#answers.scale(factor, 1e-4);
      this.#uses.scale(factor, 0.01);
    }
    if (day > this.#day) this.#day = day;
  }

  snapshot() {
    return {
      tables: this.#tables().map((table) => table.snapshot()),
      appeared: [...this.#appeared],
      pendingAppeared: [...this.#pendingAppeared],
      began: this.#began,
      day: this.#day,
    };
  }

  restore(saved: ReturnType<ReachCounts['snapshot']>): void {
    this.#tables().forEach((table, i) => {
      table.clear();
      table.restore(saved.tables[i]!);
    });
    this.#appeared = new Map(saved.appeared);
    this.#pendingAppeared = new Map(saved.pendingAppeared);
    this.#began = saved.began;
    this.#day = saved.day;
  }

  #tables(): readonly CountTable[] {
    return [
      ...[this.#rights, this.#pendingRights, this.#answers, this.#pendingAnswers],
      ...[this.#uses, this.#pendingUses],
    ];
  }
}

function join(table: CountTable, pending: CountTable): void {
  if (pending.size === 0) return;
  table.join(pending);
  pending.clear();
}

function mix(circle: number, value: number): number {
  return (Math.imul(value, 0x2c1b3c6d) ^ Math.imul(circle, 0x9e3779b1)) >>> 0 || 2;
}
