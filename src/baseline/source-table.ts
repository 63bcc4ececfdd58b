import { identityKinds } from '../core/words.ts';
import { bitsOf, distinct, setPlace, setWords } from './bit-set.ts';
import { KeyIndex } from './key-index.ts';
import { PairSet, type PairSnapshot } from './pair-set.ts';

/**
 * Where calls come from, across identities. In: refused tries and first arrivals, with hashes of place and counterpart. Out: what a place
 * saw this hour and this day when the frame began. A place is an address, a network, a client program, a function that is called, or an
 * account that is talked about; it is never an identity's own baseline.
 *
 * All amounts are whole numbers and all sets are bitmaps, so the order in which identities' events come within a frame changes nothing.
 */
export const placeKinds = ['address', 'network', 'program', 'call', 'account'] as const;
export type PlaceKind = (typeof placeKinds)[number];

const hourMs = 3_600_000;
const dayMs = 86_400_000;
/** Two windows per place, and over how many finished ones a mean is taken: a week of hours, two weeks of days. */
export const windowsMs = [hourMs, dayMs] as const;
const memories = [168, 14] as const;
/** A finished window counts at most this many times what was usual, so that a flood does not become usual. */
const clip = 3;
const placesMax = 1 << 16;
const opsMax = 1 << 18;

/** Words of a place's row; those of a window are behind the first word of the window. */
const at = { key: 0, seen: 1, proven: 2, provenToday: 3, newcomers: 7, windows: 8 } as const;
const inWindow = {
  number: 0,
  /** Tries at an address or about an account by strangers; for other places: addresses whose own users were refused. */
  tries: 1,
  /** Other places: addresses from which strangers were refused. An address: refused calls that claimed nobody. */
  strangers: 2,
  /** Identities that came from a network which was new to them, and succeeded. */
  fresh: 3,
  /** Of an address: accounts that were tried. Of an account: addresses that tried it. */
  counterparts: 4,
  meanStrangers: 8,
  meanFresh: 9,
  weight: 10,
} as const;
const windowWords = 12;
const rowWords = at.windows + windowsMs.length * windowWords;

const operations = ['try', 'unnamed', 'stranger', 'familiar', 'fresh', 'proven', 'newcomer'] as const;
type Operation = (typeof operations)[number];

/** What is usual, learned from finished days of all places: a sum of what was seen and of what it is counted against. */
const ratioPriors = {
  /** Accounts of strangers tried at an address in a day, for each identity that belongs there and one. */
  claims: { share: 0.2, weight: 50 },
  /** Tries per account and day. */
  tries: { share: 3, weight: 50 },
  /** Refused calls without a name per address and day. */
  unnamed: { share: 10, weight: 50 },
  /** Addresses of refused strangers for each identity that arrived from a new network. */
  strangers: { share: 0.3, weight: 50 },
} as const;
export type RatioName = keyof typeof ratioPriors;
const ratioNames = Object.keys(ratioPriors) as readonly RatioName[];
const ratioMemory = 0.9;
const arrivalMemory = 0.7;

/** A place's key: 0 is none. The lowest three bits are its kind. */
export function placeKey(kind: PlaceKind, tenant: number, value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x45d9f3b) ^ Math.imul(tenant, 0x27d4eb2d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash & ~7) | (placeKinds.indexOf(kind) + 1)) >>> 0;
}

function kindOf(key: number): PlaceKind {
  return placeKinds[(key & 7) - 1]!;
}

/** What a place saw in one window; reused by the reader. */
export type PlaceView = {
  tries: number;
  strangers: number;
  counterparts: number;
  /** Identities that belong there. */
  proven: number;
  newcomers: number;
  /** Strangers and fresh arrivals of a usual window; `weight` finished windows are behind them. */
  meanStrangers: number;
  meanFresh: number;
  fresh: number;
  weight: number;
  /** Counterparts that the table does not know of yet, set by the reader: they are counted with the place's own. */
  readonly unseen: Uint32Array;
};

export function emptyView(): PlaceView {
  return {
    ...{ tries: 0, strangers: 0, counterparts: 0, proven: 0, newcomers: 0 },
    ...{ meanStrangers: 0, meanFresh: 0, fresh: 0, weight: 0 },
    unseen: new Uint32Array(setWords),
  };
}

export type SourceSnapshot = {
  readonly rows: Uint32Array;
  readonly ops: Uint32Array;
  readonly pairs: PairSnapshot;
  readonly frame: number;
  readonly ratios: Float64Array;
  readonly arrivals: Float64Array;
  readonly arrivalsNow: Float64Array;
};

/**
 * At most `placesMax` places; when a frame leaves more, the eighth goes that was seen longest ago, those first to which nobody belongs.
 * At most `opsMax` additions in a frame (26,000 refused calls a second); the rest of such a flood is not counted.
 */
export class SourceTable {
  readonly #limit: number;
  /** Identity and network: who has been seen to succeed from where. */
  readonly pairs = new PairSet();
  #u32 = new Uint32Array(256 * rowWords);
  #f32 = new Float32Array(this.#u32.buffer);
  /** Where a place's row begins. Rows stand side by side. */
  readonly #index = new KeyIndex();
  #ops = new Uint32Array(3 * 256);
  #opCount = 0;
  #frame = 0;
  readonly #ratios = new Float64Array(ratioNames.length * 2);
  /** Per kind of identity: newcomers and returning ones, counted once a day and address. Today's wait for the day's end. */
  readonly #arrivals = new Float64Array(identityKinds.length * 2);
  readonly #arrivalsNow = new Float64Array(identityKinds.length * 2);

  constructor(limit: number = placesMax) {
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#u32.byteLength + this.#ops.byteLength + this.#index.bytes + this.pairs.bytes;
  }

  get size(): number {
    return this.#index.size;
  }

  /** Start of the current frame, ms. */
  get frame(): number {
    return this.#frame;
  }

  /** Fills the view with what the place saw in a window so far. */
  read(key: number, window: number, into: PlaceView): void {
    const row = this.#index.get(key);
    // In a copy: what is learned of a place must not depend on who asks about it.
    const start = row + at.windows + window * windowWords;
    for (let i = 0; i < windowWords; i++) readWords[i] = row < 0 ? 0 : this.#u32[start + i]!;
    if (row >= 0) roll(readNumbers, 0, { window, ts: this.#frame });
    let bits = 0;
    for (let i = 0; i < setWords; i++) bits += bitsOf(readWords[inWindow.counterparts + i]! | into.unseen[i]!);
    into.counterparts = distinct(bits);
    viewWindow(into);
    into.proven = row < 0 ? 0 : Math.max(this.#f32[row + at.proven]!, this.#provenToday(row));
    into.newcomers = row < 0 ? 0 : this.#f32[row + at.newcomers]!;
  }

  /** How much of one thing is usual for another. */
  ratio(name: RatioName): number {
    const index = ratioNames.indexOf(name);
    const { share, weight } = ratioPriors[name];
    return (this.#ratios[index * 2]! + share * weight) / (this.#ratios[index * 2 + 1]! + weight);
  }

  /** Share of the identities of this kind that were new when they came, on days that are over. All, as long as nothing is known. */
  newcomerShare(kind: number): number {
    const newcomers = this.#arrivals[kind * 2]! + 5;
    return newcomers / (newcomers + this.#arrivals[kind * 2 + 1]!);
  }

  addArrival(kind: number, newcomer: boolean): void {
    this.#arrivalsNow[kind * 2 + (newcomer ? 0 : 1)]! += 1;
  }

  /** Counts for the place once the frame is over; `value` is a counterpart's hash or, where there is none, an amount. */
  add(operation: Operation, key: number, value: number): void {
    if (this.#opCount >= opsMax) return;
    if (this.#opCount * 3 === this.#ops.length) {
      const ops = new Uint32Array(this.#ops.length * 2);
      ops.set(this.#ops);
      this.#ops = ops;
    }
    const start = this.#opCount++ * 3;
    this.#ops[start] = operations.indexOf(operation);
    this.#ops[start + 1] = key;
    this.#ops[start + 2] = value;
  }

  /** The frame is over; the next begins at `ts`. */
  advance(ts: number): void {
    for (let i = 0; i < this.#opCount; i++) this.#apply(i * 3);
    this.#opCount = 0;
    if (this.#index.size > this.#limit) this.#forget();
    this.pairs.advance(ts);
    if (this.#frame > 0 && Math.floor(ts / dayMs) > Math.floor(this.#frame / dayMs)) this.#endDay();
    this.#frame = ts;
  }

  #apply(op: number): void {
    const key = this.#ops[op + 1]!;
    const value = this.#ops[op + 2]!;
    const known = this.#index.get(key);
    const row = known < 0 ? this.#create(key) : known;
    const f32 = this.#f32;
    this.#u32[row + at.seen] = Math.floor(this.#frame / 1000);
    const operation = operations[this.#ops[op]!]!;
    if (operation === 'newcomer') f32[row + at.newcomers]! += 1;
    else if (operation === 'proven') this.#mark(row + at.provenToday, value);
    else
      for (let w = 0; w < windowsMs.length; w++) {
        const start = row + at.windows + w * windowWords;
        roll(f32, start, { window: w, ts: this.#frame });
        if (operation === 'try') {
          this.#mark(start + inWindow.counterparts, value);
          f32[start + inWindow.tries]! += 1;
        } else if (operation === 'familiar') f32[start + inWindow.tries]! += (value >> w) & 1;
        else if (operation === 'stranger') f32[start + inWindow.strangers]! += (value >> w) & 1;
        else if (operation === 'unnamed') f32[start + inWindow.strangers]! += 1;
        else f32[start + inWindow.fresh]! += 1;
      }
  }

  #mark(set: number, value: number): void {
    const bit = setPlace(value);
    this.#u32[set + (bit >>> 5)]! |= 1 << (bit & 31);
  }

  #provenToday(row: number): number {
    let bits = 0;
    for (let i = 0; i < setWords; i++) bits += bitsOf(this.#u32[row + at.provenToday + i]!);
    return bits === 0 ? 0 : distinct(bits);
  }

  #create(key: number): number {
    const row = this.#index.size * rowWords;
    if (row + rowWords > this.#u32.length) {
      const before = this.#u32;
      this.#u32 = new Uint32Array(before.length * 2);
      this.#u32.set(before);
      this.#f32 = new Float32Array(this.#u32.buffer);
    }
    this.#u32[row + at.key] = key;
    this.#index.set(key, row);
    return row;
  }

  /**
   * Which rows go depends on what they hold alone, never on where they stand: the least worth, and among equals those with the highest keys.
   * This is done in every other frame of a flood, so the rows move up in place, and only numbers are sorted.
   */
  #forget(): void {
    const kept = Math.floor(this.#limit * 0.875);
    const { size } = this.#index;
    const worth = new Float64Array(size);
    for (let i = 0; i < size; i++) worth[i] = this.#worth(i * rowWords);
    const least = worth.slice().sort()[size - kept]!;
    const equals = new Uint32Array(size);
    let [equal, better] = [0, 0];
    for (let i = 0; i < size; i++) {
      if (worth[i]! > least) better++;
      else if (worth[i] === least) equals[equal++] = this.#u32[i * rowWords + at.key]!;
    }
    const lastKey = equals.subarray(0, equal).sort()[kept - better - 1]!;
    this.#index.clear();
    for (let i = 0; i < size; i++) {
      const row = i * rowWords;
      const key = this.#u32[row + at.key]!;
      if (worth[i]! < least || (worth[i] === least && key > lastKey)) continue;
      const to = this.#index.size * rowWords;
      if (to !== row) for (let word = 0; word < rowWords; word++) this.#u32[to + word] = this.#u32[row + word]!;
      this.#index.set(key, to);
    }
    this.#u32.fill(0, this.#index.size * rowWords);
  }

  #rows(): Uint32Array {
    return Uint32Array.from({ length: this.#index.size }, (_, i) => i * rowWords);
  }

  /** When it was last seen, in seconds since 1970; two weeks more where somebody belongs. */
  #worth(row: number): number {
    return this.#u32[row + at.seen]! + (this.#f32[row + at.proven]! >= 0.5 ? (14 * dayMs) / 1000 : 0);
  }

  /** The day of `frame` is over: what it showed of ordinary places is learned, each place no more than what is ordinary at most. */
  #endDay(): void {
    const f32 = this.#f32;
    this.#ratios.forEach((sum, i) => {
      this.#ratios[i] = sum * ratioMemory;
    });
    this.#learnArrivals();
    const view = emptyView();
    // Sums of many places are exact only in one order.
    for (const key of this.#rows()
      .map((row) => this.#u32[row + at.key]!)
      .sort()) {
      const row = this.#index.get(key);
      this.read(key, 1, view);
      const kind = kindOf(key);
      if (kind === 'address') {
        this.#learn('claims', Math.min(view.counterparts, 1 + view.proven), 1 + view.proven);
        this.#learn('unnamed', Math.min(view.strangers, 100), 1);
      }
      if (kind === 'account' && view.counterparts > 0) this.#learn('tries', Math.min(view.tries, 10), 1);
      if (kind === 'program') this.#learn('strangers', Math.min(view.strangers, 1 + view.fresh), 1 + view.fresh);
      f32[row + at.proven] = Math.max(this.#provenToday(row), f32[row + at.proven]! * 0.8);
      f32.fill(0, row + at.provenToday, row + at.windows);
    }
  }

  /** A wave of newcomers counts as at most `clip` times what was usual. */
  #learnArrivals(): void {
    for (let kind = 0; kind < identityKinds.length; kind++) {
      const newcomers = this.#arrivalsNow[kind * 2]!;
      const returning = this.#arrivalsNow[kind * 2 + 1]!;
      const most = clip * this.newcomerShare(kind) * (newcomers + returning);
      this.#arrivals[kind * 2] = this.#arrivals[kind * 2]! * arrivalMemory + Math.min(newcomers, most);
      this.#arrivals[kind * 2 + 1] = this.#arrivals[kind * 2 + 1]! * arrivalMemory + returning;
    }
    this.#arrivalsNow.fill(0);
  }

  #learn(name: RatioName, seen: number, against: number): void {
    const index = ratioNames.indexOf(name) * 2;
    this.#ratios[index]! += seen;
    this.#ratios[index + 1]! += against;
  }

  snapshot(): SourceSnapshot {
    return {
      rows: this.#u32.slice(0, this.#index.size * rowWords),
      ops: this.#ops.slice(0, this.#opCount * 3),
      pairs: this.pairs.snapshot(),
      frame: this.#frame,
      ratios: this.#ratios.slice(),
      arrivals: this.#arrivals.slice(),
      arrivalsNow: this.#arrivalsNow.slice(),
    };
  }

  restore(saved: SourceSnapshot): void {
    this.#u32 = new Uint32Array(Math.max(256 * rowWords, saved.rows.length));
    this.#u32.set(saved.rows);
    this.#f32 = new Float32Array(this.#u32.buffer);
    this.#index.clear();
    for (let row = 0; row < saved.rows.length; row += rowWords) this.#index.set(this.#u32[row + at.key]!, row);
    this.#ops = new Uint32Array(Math.max(3 * 256, saved.ops.length));
    this.#ops.set(saved.ops);
    this.#opCount = saved.ops.length / 3;
    this.pairs.restore(saved.pairs);
    this.#frame = saved.frame;
    this.#ratios.set(saved.ratios);
    this.#arrivals.set(saved.arrivals);
    this.#arrivalsNow.set(saved.arrivalsNow);
  }
}

const averaged = [
  [inWindow.strangers, inWindow.meanStrangers],
  [inWindow.fresh, inWindow.meanFresh],
] as const;

/** One window, read. */
const readWords = new Uint32Array(windowWords);
const readNumbers = new Float32Array(readWords.buffer);

/** Field by field: by name it is several times slower, and every event asks for several places. */
function viewWindow(into: PlaceView): void {
  into.tries = readNumbers[inWindow.tries]!;
  into.strangers = readNumbers[inWindow.strangers]!;
  into.fresh = readNumbers[inWindow.fresh]!;
  into.meanStrangers = readNumbers[inWindow.meanStrangers]!;
  into.meanFresh = readNumbers[inWindow.meanFresh]!;
  into.weight = readNumbers[inWindow.weight]!;
}

/** Ends a window that is over at `ts`: it joins the means, and what was empty since joins them too. */
function roll(f32: Float32Array, start: number, of: { readonly window: number; readonly ts: number }): void {
  const now = Math.floor(of.ts / windowsMs[of.window]!);
  const passed = now - f32[start + inWindow.number]!;
  if (passed <= 0) return;
  const memory = memories[of.window]!;
  if (f32[start + inWindow.number]! > 0) {
    const weight = Math.min(memory, f32[start + inWindow.weight]! + 1);
    const left = (1 - 1 / memory) ** (passed - 1);
    for (const [count, mean] of averaged) {
      const usual = f32[start + mean]!;
      const finished = Math.min(f32[start + count]!, clip * (usual + 1));
      f32[start + mean] = (usual + (finished - usual) / weight) * left;
    }
    f32[start + inWindow.weight] = Math.min(memory, weight + passed - 1);
  }
  f32.fill(0, start + inWindow.tries, start + inWindow.meanStrangers);
  f32[start + inWindow.number] = now;
}
