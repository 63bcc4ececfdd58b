import { bitsOf } from './bit-set.ts';
import { CountTable } from './count-table.ts';
import { KeyIndex } from './key-index.ts';

/**
 * What follows what, among those who are expected to behave alike (a circle). In: steps of sessions, as hashes of functions. Out: how improbable a step is after those before it,
 * which steps nearly always came before it, and how often it is repeated. Reads see the state at the start of the frame.
 */
const countsMax = 1 << 18;
const pendingInitial = 128;
/** A table of fewer values than one in so many bytes is made anew, small, when its frame is over. */
const bytesPerValueMax = 96;
const rowsMax = 1 << 14;
const namesMax = 4096;
const lately = 1024;
const usesMax = 1 << 17;
/** Half of what was counted this many days ago still counts: short, so that a release is the new normal within days. */
const halfLifeDays = 3;
/** Uses of a function that its predecessors are remembered over, for the same reason. */
const usesRemembered = 256;
/** From this share of its uses on a predecessor is missed, and from this many uses on anything is. */
const requiredShare = 0.9;
const usesEnough = 20;
/** A context of fewer observations than this is taken to be as surprising as any: 2 nats, give or take 1.4. */
const priorWeight = 8;
const priorMean = 2;
const priorSquare = priorMean * priorMean + 2;
/** Below this many steps a circle says too little. */
const circleEnough = 500;

/** Functions that came before are kept in this many classes; which one a function falls into is a matter of its hash. */
const classes = 64;
const rowWords = 4 + classes;
const inRow = { key: 0, uses: 1, required: 2, counts: 4 } as const;

/**
 * Words of one step in the log: circle, the two functions before, function, surprise in 1024ths. Repeats stand among them: circle, function, doublings. What is
 * counted waits there, because counting in many places of large tables is quicker for thousands at once than between all else that is done for an event.
 */
const stepWords = 5;
const repeated = 0xffffffff;
const loggedMax = 4096;
/** Words of one use in the log: circle, function, and the two halves of the set of classes before it. */
const useWords = 4;

export type Forecast = {
  /** -ln P(step | the two before it), nats. */
  surprise: number;
  /** Usual surprise in this context and its standard deviation. */
  mean: number;
  deviation: number;
  /** Steps seen in this context, and of them those that were this one. */
  context: number;
  same: number;
};

/** `circle` is a number that stands for those whose steps are counted together. */
export type Step = { circle: number; second: number; first: number; next: number };

export type TransitionsSnapshot = {
  readonly counts: readonly Uint32Array[];
  readonly rows: Uint32Array;
  readonly uses: Uint32Array;
  readonly names: readonly (readonly [number, string])[];
  readonly day: number;
};

function mix(a: number, b: number): number {
  let hash = Math.imul(a ^ (a >>> 15), 0x2c1b3c6d) ^ Math.imul(b ^ (b >>> 13), 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 14), 0x297a2d39);
  return (hash ^ (hash >>> 16)) >>> 0 || 1;
}

const salt = { first: 0x51ed27, second: 0x9d2c56, repeat: 0xb5026f } as const;

function repeatKey(circle: number, value: number, doublings: number): number {
  return mix(mix(circle ^ salt.repeat, value), doublings + 1);
}

/** Empty and with as much room as a frame like its last needs: to empty the table of a busy frame would cost every quiet one after it. */
function emptied(table: CountTable): CountTable {
  if (table.bytes > table.size * bytesPerValueMax) return new CountTable(countsMax, pendingInitial);
  table.clear();
  return table;
}

/** The class of a function, 0 to 63. */
export function classOf(value: number): number {
  return (Math.imul(value, 0x85ebca6b) >>> 26) & 63;
}

/**
 * Variable-order Markov chain: order 2 backed by 1 backed by how often the function is used at all, each new successor of a context
 * making the next one more likely (PPM with Witten and Bell's escape, 1991; Begleiter et al. 2004). At `countsMax` values the rarest are
 * forgotten, at `rowsMax` functions those used least; uses beyond `usesMax` in a frame are not learned.
 */
export class Transitions {
  /** Contexts (events, distinct successors) and transitions (events). */
  readonly #counts = new CountTable(countsMax);
  /** Per context of order 1: sum and sum of squares of surprise. */
  readonly #surprise = new CountTable(countsMax);
  #pendingCounts = new CountTable(countsMax, pendingInitial);
  #pendingSurprise = new CountTable(countsMax, pendingInitial);
  readonly #log = new Uint32Array(loggedMax * stepWords);
  #logged = 0;
  #u32 = new Uint32Array(64 * rowWords);
  #f32 = new Float32Array(this.#u32.buffer);
  readonly #index = new KeyIndex();
  #uses = new Uint32Array(256 * useWords);
  #useCount = 0;
  /** Names are never taken back. Nearly every event asks whether its function has one, and most about one of a few. */
  readonly #names = new Map<number, string>();
  readonly #namedLately = new Uint32Array(lately);
  #day = -1;

  get bytes(): number {
    const tables = this.#tables().reduce((sum, table) => sum + table.bytes, 0);
    return tables + this.#u32.byteLength + this.#uses.byteLength + this.#index.bytes + this.#names.size * 200;
  }

  /** Whether the circle has steps enough to speak for itself. */
  speaks(circle: number): boolean {
    return this.#counts.events(mix(circle, salt.first)) >= circleEnough;
  }

  /** `share` is how often the step is taken at all, in (0, 1]. */
  forecast({ circle, second, first, next }: Step, share: number, into: Forecast): void {
    const counts = this.#counts;
    const after = mix(mix(circle ^ salt.first, first), 1);
    const place = counts.placeOf(after);
    const total = counts.eventsAt(place);
    const kinds = counts.identitiesAt(place);
    into.context = total;
    into.same = total === 0 ? 0 : counts.events(mix(after, next));
    let chance = total === 0 ? share : (into.same + kinds * share) / (total + kinds);
    const afterBoth = mix(mix(mix(circle ^ salt.second, second), first), 1);
    const placeBoth = total === 0 ? 0 : counts.placeOf(afterBoth);
    const totalBoth = total === 0 ? 0 : counts.eventsAt(placeBoth);
    if (totalBoth > 0) {
      const kindsBoth = counts.identitiesAt(placeBoth);
      chance = (counts.events(mix(afterBoth, next)) + kindsBoth * chance) / (totalBoth + kindsBoth);
    }
    into.surprise = -Math.log(Math.max(1e-6, chance));
    const weight = total + priorWeight;
    const usual = this.#surprise.placeOf(after);
    into.mean = (this.#surprise.eventsAt(usual) + priorMean * priorWeight) / weight;
    const square = (this.#surprise.identitiesAt(usual) + priorSquare * priorWeight) / weight;
    into.deviation = Math.sqrt(Math.max(0.5, square - into.mean * into.mean));
  }

  /** Learns a step and how surprising it was, in whole 1024ths so that sums are exact. */
  add({ circle, second, first, next }: Step, surprise: number): void {
    const at = this.#logAt();
    this.#log[at] = circle;
    this.#log[at + 1] = second;
    this.#log[at + 2] = first;
    this.#log[at + 3] = next;
    this.#log[at + 4] = Math.max(0, Math.round(surprise * 1024));
  }

  #logAt(): number {
    if (this.#logged === loggedMax) this.#countLogged();
    return this.#logged++ * stepWords;
  }

  #countLogged(): void {
    const log = this.#log;
    for (let at = 0; at < this.#logged * stepWords; at += stepWords)
      if (log[at + 4] === repeated) this.#pendingCounts.add(repeatKey(log[at]!, log[at + 1]!, log[at + 2]!), 1, 0);
      else this.#countStep(at);
    this.#logged = 0;
  }

  #countStep(at: number): void {
    const circle = this.#log[at]!;
    const first = this.#log[at + 2]!;
    const next = this.#log[at + 3]!;
    const s = this.#log[at + 4]! / 1024;
    const after = mix(mix(circle ^ salt.first, first), 1);
    const afterBoth = mix(mix(mix(circle ^ salt.second, this.#log[at + 1]!), first), 1);
    this.#count(after, mix(after, next));
    this.#count(afterBoth, mix(afterBoth, next));
    this.#pendingCounts.add(mix(circle, salt.first), 1, 0);
    this.#pendingSurprise.add(after, s, Math.round(s * s * 1024) / 1024);
  }

  #count(context: number, transition: number): void {
    const isNew = this.#pendingCounts.add(transition, 1, 0) === 0 && this.#counts.events(transition) === 0;
    this.#pendingCounts.add(context, 1, isNew ? 1 : 0);
  }

  /** Classes of which nearly all uses of the function had one before it: two halves of a set into `into`. */
  required(circle: number, value: number, into: Uint32Array): void {
    const row = this.#index.get(mix(circle, value));
    into[0] = row < 0 ? 0 : this.#u32[row + inRow.required]!;
    into[1] = row < 0 ? 0 : this.#u32[row + inRow.required + 1]!;
  }

  /** Uses of the function that are remembered, and those with one of the class before them. */
  uses(circle: number, value: number, before: number): { readonly all: number; readonly having: number } {
    const row = this.#index.get(mix(circle, value));
    if (row < 0) return { all: 0, having: 0 };
    return { all: this.#f32[row + inRow.uses]!, having: this.#f32[row + inRow.counts + before]! };
  }

  /** Learns which classes came before one use of a function in a session. */
  addUse(step: Step, low: number, high: number): void {
    if (this.#useCount >= usesMax) return;
    if (this.#useCount * useWords === this.#uses.length) {
      const uses = new Uint32Array(this.#uses.length * 2);
      uses.set(this.#uses);
      this.#uses = uses;
    }
    const start = this.#useCount++ * useWords;
    this.#uses[start] = step.circle;
    this.#uses[start + 1] = step.next;
    this.#uses[start + 2] = low;
    this.#uses[start + 3] = high;
  }

  /** Sessions that came to use the function 2^doublings times or more. */
  repeats(circle: number, value: number, doublings: number): number {
    return this.#counts.events(repeatKey(circle, value, doublings));
  }

  addRepeat(circle: number, value: number, doublings: number): void {
    const at = this.#logAt();
    this.#log[at] = circle;
    this.#log[at + 1] = value;
    this.#log[at + 2] = doublings;
    this.#log[at + 4] = repeated;
  }

  /** Whether the function needs no name any more. */
  isNamed(value: number): boolean {
    const place = value % lately;
    if (this.#namedLately[place] === value) return true;
    if (!this.#names.has(value)) return this.#names.size >= namesMax;
    this.#namedLately[place] = value;
    return true;
  }

  /** What a function is called. Beyond `namesMax`, functions have no names in explanations. */
  name(value: number, name: string): void {
    if (!this.isNamed(value)) this.#names.set(value, name.slice(0, 200));
  }

  nameOf(value: number): string | undefined {
    return this.#names.get(value);
  }

  /** The named functions of a class. */
  members(ofClass: number): number[] {
    return [...this.#names.keys()].filter((value) => classOf(value) === ofClass);
  }

  /** How many steps lead from one function to another, directly or by way of a third. For explanations: it asks about all that are named. */
  leading(circle: number, from: number, to: number): number {
    const after = (value: number): number => mix(mix(circle ^ salt.first, value), 1);
    const steps = (first: number, next: number): number => this.#counts.events(mix(after(first), next));
    let sum = steps(from, to);
    for (const by of this.#names.keys()) {
      const through = steps(from, by);
      if (through > 0) sum += (through * steps(by, to)) / Math.max(1, this.#counts.events(after(by)));
    }
    return sum;
  }

  advance(ts: number): void {
    this.#countLogged();
    if (this.#pendingCounts.size > 0) this.#join();
    this.#learnUses();
    const day = Math.floor(ts / 86_400_000);
    if (this.#day >= 0 && day > this.#day) {
      const factor = 2 ** (-(day - this.#day) / halfLifeDays);
      this.#counts.scale(factor, 0.05);
      this.#surprise.scale(factor, 0.05);
    }
    if (day > this.#day) this.#day = day;
  }

  #join(): void {
    this.#counts.join(this.#pendingCounts);
    this.#surprise.join(this.#pendingSurprise);
    this.#pendingCounts = emptied(this.#pendingCounts);
    this.#pendingSurprise = emptied(this.#pendingSurprise);
  }

  #tables(): readonly CountTable[] {
    return [this.#counts, this.#surprise, this.#pendingCounts, this.#pendingSurprise];
  }

  #learnUses(): void {
    if (this.#useCount === 0) return;
    const touched = new Set<number>();
    for (let i = 0; i < this.#useCount * useWords; i += useWords) {
      const uses = this.#uses;
      touched.add(this.#countUse(mix(uses[i]!, uses[i + 1]!), uses[i + 2]!, uses[i + 3]!));
    }
    this.#useCount = 0;
    for (const row of touched) this.#settle(row);
    if (this.#index.size > rowsMax) this.#forget();
  }

  #countUse(key: number, low: number, high: number): number {
    let row = this.#index.get(key);
    if (row < 0) {
      row = this.#index.size * rowWords;
      if (row + rowWords > this.#u32.length) this.#grow();
      this.#u32[row] = key;
      this.#index.set(key, row);
    }
    const f32 = this.#f32;
    f32[row + inRow.uses]! += 1;
    for (let half = 0; half < 2; half++)
      for (let set = half === 0 ? low : high; set !== 0; set &= set - 1)
        f32[row + inRow.counts + half * 32 + bitsOf((set & -set) - 1)]! += 1;
    return row;
  }

  /** Forgets what is too old, and says what is required. */
  #settle(row: number): void {
    const f32 = this.#f32;
    const uses = f32[row + inRow.uses]!;
    if (uses > usesRemembered) {
      const factor = usesRemembered / uses;
      f32[row + inRow.uses] = usesRemembered;
      for (let c = 0; c < classes; c++) f32[row + inRow.counts + c] = f32[row + inRow.counts + c]! * factor;
    }
    for (let half = 0; half < 2; half++) {
      let set = 0;
      for (let c = 0; c < 32 && uses >= usesEnough; c++)
        if (f32[row + inRow.counts + half * 32 + c]! >= requiredShare * f32[row + inRow.uses]!) set |= 1 << c;
      this.#u32[row + inRow.required + half] = set;
    }
  }

  #grow(): void {
    const before = this.#u32;
    this.#u32 = new Uint32Array(before.length * 2);
    this.#u32.set(before);
    this.#f32 = new Float32Array(this.#u32.buffer);
  }

  #forget(): void {
    const rows = Array.from({ length: this.#index.size }, (_, i) => i * rowWords);
    rows.sort((a, b) => this.#f32[b + inRow.uses]! - this.#f32[a + inRow.uses]! || this.#u32[a]! - this.#u32[b]!);
    this.#load(rows.slice(0, rowsMax * 0.875).map((row) => this.#u32.slice(row, row + rowWords)));
  }

  #load(rows: readonly Uint32Array[]): void {
    this.#index.clear();
    this.#u32.fill(0);
    for (const saved of rows) {
      const row = this.#index.size * rowWords;
      if (row + rowWords > this.#u32.length) this.#grow();
      this.#u32.set(saved, row);
      this.#index.set(saved[inRow.key]!, row);
    }
  }

  snapshot(): TransitionsSnapshot {
    this.#countLogged();
    return {
      counts: this.#tables().map((table) => table.snapshot()),
      rows: this.#u32.slice(0, this.#index.size * rowWords),
      uses: this.#uses.slice(0, this.#useCount * useWords),
      names: [...this.#names],
      day: this.#day,
    };
  }

  restore(saved: TransitionsSnapshot): void {
    this.#logged = 0;
    this.#tables().forEach((table, i) => {
      table.restore(saved.counts[i]!);
    });
    const rows: Uint32Array[] = [];
    for (let row = 0; row < saved.rows.length; row += rowWords) rows.push(saved.rows.subarray(row, row + rowWords));
    this.#load(rows);
    this.#uses = new Uint32Array(Math.max(256 * useWords, saved.uses.length));
    this.#uses.set(saved.uses);
    this.#useCount = saved.uses.length / useWords;
    for (const [value, name] of saved.names) this.#names.set(value, name);
    this.#day = saved.day;
  }
}
