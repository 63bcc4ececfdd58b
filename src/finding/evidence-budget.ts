import { strict as assert } from 'node:assert';
import { circleOf, dayPeakOf, endPeaks, keepCircle, peakPlace, peakPlaces, raisePeak } from '../baseline/peaks.ts';
import { at, detectors, rowWords } from '../baseline/row-layout.ts';
import type { RowSlab } from '../baseline/row-slab.ts';
import { UsualDays, type UsualDaysSnapshot } from '../baseline/usual-days.ts';
import { circlesMax, DayScales, type DayScalesSnapshot } from './day-scales.ts';
import { DaySums, type DaySumsSnapshot } from './day-sums.ts';
import { beyondOrdinary, isHonest, sumOf } from './words.ts';

const dayMs = 86_400_000;
/** No statistic counts for more than this many nats. */
export const statisticMax = 60;
/** Such a detector's word, nats, from which a day is likelier an attack's than not: it says nothing of what ordinary days come to. */
const honestLeast = 1;
const cells = circlesMax * detectors.length;
/** Days that are not ordinary are left out of what ordinary days come to; but no more than this share, so that a changed world is learned. */
const excludedShare = 0.1;
/** Days that nobody has seen yet and everybody expects: what calibrators start from counts as many. */
const priorDays = 100;
/** Until this many identity-days are over, the days that are still running count as they stand. */
const daysEnough = 2000;
/**
 * Of the budget, what goes to detectors that speak by themselves, all alike (Bonferroni): evidence of one kind may be as strong as it likes and
 * still not make a sum.
 */
const aloneShare = 0.05;
const aloneNats = Math.log(detectors.length / aloneShare);
const halfLifeDays = 7;
const heldMin = 10_000;
/** A stream is young for so many days: after them one more adds no more than a fifth to what is known of an identity. Made-up people who are all alike need as many. */
const youngMs = 4 * dayMs;
const provisionalEveryMs = 600_000;

export type BudgetSnapshot = {
  readonly sums: DaySumsSnapshot;
  readonly scales: DayScalesSnapshot;
  readonly usual: UsualDaysSnapshot;
  readonly days: number;
  readonly held: number;
  readonly excluded: number;
  readonly mayExclude: boolean;
  readonly provisional: number;
  readonly since: number;
};

export type BudgetOptions = {
  readonly findingsPer1000PerDay: number;
  /** What each detector's word weighs, in the order of `detectors`: of a trained fusion (models/fusion-v3), or all alike. */
  readonly fusion: readonly number[];
  /** Hears what each detector had to say of each identity's finished day, nats, before it is weighed: what fusion is trained on. */
  readonly onDay?: ((row: number, day: number, said: Float64Array) => void) | undefined;
};

/**
 * What an event brings to its identity's day, in decades: each detector alone, the highest of these, and all together; `strongest` is a detector. And
 * what they say together in weighed nats, which does not end where the calibration of what is rare does.
 */
export type Evidence = {
  readonly alone: Float64Array;
  loudest: number;
  together: number;
  strongest: number;
  nats: number;
};

export function emptyEvidence(): Evidence {
  return { alone: new Float64Array(detectors.length), loudest: 0, together: 0, strongest: 0, nats: 0 };
}

type RunningDay = {
  readonly slab: RowSlab;
  readonly row: number;
  readonly circle: number;
  readonly highest: Float64Array;
  readonly now: Float64Array;
  /** What this event says of going through objects by their numbers, in honest nats. */
  readonly counting?: number;
};

/**
 * The alert budget. Each detector's highest statistic of an identity's day is one observation; how rare it is among identity-days makes
 * detectors of different scales comparable. What is beyond the ordinary is weighed and added up, for attacks are odd in several ways at once; and how rare
 * *that sum* is among identity-days is the evidence. So a day in which fewer than the budgeted share of identity-days come as high is worth a
 * finding, whatever the traffic looks like and however the detectors depend on each other.
 */
export class EvidenceBudget {
  readonly #sums = new DaySums();
  readonly #scales = new DayScales();
  readonly #usual = new UsualDays();
  readonly #options: BudgetOptions;
  readonly #said = new Float64Array(detectors.length);
  /** What each detector's peaks come to, nats, until its scale changes, -1 where nobody asked; and its word on them. Most events raise no peak and ask about the same again. */
  readonly #known = new Float64Array(cells * peakPlaces).fill(-1);
  readonly #knownWords = new Float64Array(cells * peakPlaces);
  readonly #words = new Float64Array(detectors.length);
  readonly #highest = new Float64Array(detectors.length);
  /** Decades of evidence at which a finding is opened. */
  readonly threshold: number;
  #days = 0;
  /** Identity-days that the calibrators hold, faded. */
  #held = 0;
  #excluded = 0;
  #mayExclude = true;
  #provisional = -1;
  /** The stream's first midnight; before its first event, long ago. */
  #since = Number.NEGATIVE_INFINITY;

  constructor(options: BudgetOptions) {
    assert.equal(options.fusion.length, detectors.length, 'fusion was trained for other detectors');
    this.#options = options;
    this.threshold = -Math.log10(options.findingsPer1000PerDay / 1000);
  }

  /** With whose days those of an identity of that role are compared. */
  circleOf(role: string): number {
    return this.#scales.indexOf(role);
  }

  /** Brings the identity's day up to date with the event's statistics. What others said today still counts; behaviour's evidence is what it is now. */
  update(
    place: { slab: RowSlab; row: number; ts: number; circle: number; counting?: number },
    statistics: Float64Array,
    into: Evidence,
  ): void {
    const { slab, row, circle, counting = 0 } = place;
    const day = Math.floor(place.ts / dayMs);
    // An event from before midnight that comes after it counts for the new day: a day ends once.
    if (slab.f32[row + at.day]! < day) {
      if (slab.f32[row + at.day] !== 0) {
        this.#countFused(slab, row);
        this.#countPeaksOf(slab, row);
        endDay(slab, row);
      }
      slab.f32[row + at.day] = day;
    }
    keepCircle(slab, row, circle);
    for (let d = 0; d < detectors.length; d++) {
      const now = Math.min(statisticMax, statistics[d]!);
      if (now > 0) raisePeak(slab, { row, detector: d, statistic: now });
      this.#highest[d] = d === 0 ? now : Math.max(now, dayPeakOf(slab, row, d));
    }
    this.weigh({ slab, row, circle, highest: this.#highest, now: statistics, counting }, into);
  }

  /** What a day of an identity of the circle comes to on which detectors' statistics are `highest` so far, and `now` with this event. Changes nothing. */
  weigh({ slab, row, circle, highest, now, counting = 0 }: RunningDay, into: Evidence): void {
    const isFirst = isFirstDay(slab, row);
    let alone = 0;
    let most = 0;
    into.strongest = 0;
    into.loudest = 0;
    for (let d = 0; d < detectors.length; d++) {
      const usual = this.#usual.expected(slab, row, d);
      const peak = highest[d]! - usual;
      const honest = detectors[d] === 'objects' ? counting : 0;
      if (peak <= 0 && honest === 0) {
        into.alone[d] = 0;
        this.#words[d] = 0;
        continue;
      }
      const place = peak <= 0 ? -1 : this.#placeOf(circle, d, peak);
      const rarity = place < 0 ? this.#nats(circle, d, peak) : this.#known[place]!;
      const nats = Math.max(honest, rarity);
      const word = place < 0 || honest > rarity ? this.#say(d, nats) : this.#knownWords[place]!;
      const said = Math.max(word, this.#byItself(d, nats));
      this.#words[d] = word;
      alone = Math.max(alone, said);
      into.alone[d] = (now[d]! > usual || honest > 0) && said > 0 ? this.#decades(said, isFirst) : 0;
      if (into.alone[d]! > into.loudest) into.loudest = into.alone[d]!;
      if (said <= most) continue;
      most = said;
      into.strongest = d;
    }
    into.nats = sumOf(this.#words);
    into.together = this.#decades(Math.max(into.nats, alone), isFirst);
  }

  /** Midnight (UTC): the day of every identity that was active is over, whether or not it ever comes back. */
  endDays(slab: RowSlab): void {
    this.#sums.forgetProvisional();
    this.#scales.forgetProvisional();
    this.#fade();
    // A day is measured on the scale of those before it. The first days have none worth the name, and are measured on their own.
    const early = this.#days < daysEnough;
    if (early) this.#countPeaks(slab);
    eachDay(slab, (row) => this.#countFused(slab, row));
    if (!early) this.#countPeaks(slab);
    eachDay(slab, (row) => endDay(slab, row));
    this.#sums.refit();
    this.#sums.forgetToday();
    this.#sums.refitToday();
    this.#mayExclude = (!early || this.#days < priorDays) && this.#excluded <= excludedShare * (priorDays + this.#days);
  }

  /** Baselines sharpen and the world changes: a week later a day counts half, as long as enough are left to tell what is rare. */
  #fade(): void {
    const factor = 2 ** (-1 / halfLifeDays);
    if (this.#held * factor < heldMin) return;
    this.#held *= factor;
    this.#sums.fade(factor);
    this.#scales.fade(factor);
    this.#usual.fade(factor);
  }

  /** A frame is over; `ts` is where the next begins. */
  advance(slab: RowSlab, ts: number): void {
    const period = Math.floor(ts / provisionalEveryMs);
    if (this.#provisional < 0) this.#since = ts - (ts % dayMs);
    if (period === this.#provisional) return;
    this.#provisional = period;
    if (this.#days < daysEnough) this.#countRunning(slab);
    if (ts - this.#since < youngMs) this.#countToday(slab);
  }

  #countRunning(slab: RowSlab): void {
    this.#sums.forgetProvisional();
    this.#scales.forgetProvisional();
    const counts = this.#whoCounts(slab);
    eachDay(slab, (row) => {
      if (!counts(row)) return;
      for (let d = 0; d < detectors.length; d++)
        this.#scales.addProvisional(circleOf(slab, row), d, this.#peakOf(slab, row, d));
    });
    this.#refitPeaks();
    eachDay(slab, (row) => {
      if (counts(row)) this.#sums.addProvisional(isFirstDay(slab, row), this.#sum(slab, row));
    });
    this.#sums.refit();
  }

  /** Of very many identities some ten thousand are asked, who are the same in whatever order they came: what it costs is then nothing that a stream would notice. */
  #countToday(slab: RowSlab): void {
    const one = Math.ceil(slab.size / heldMin);
    this.#sums.forgetToday();
    eachDay(slab, (row) => {
      const isAsked = slab.u32[row + at.keyLow]! % one === 0 && !(this.#mayExclude && isOutOfOrdinary(slab, row));
      if (isAsked) this.#sums.addToday(isFirstDay(slab, row), this.#sum(slab, row));
    });
    this.#sums.refitToday();
  }

  /**
   * Whose running day counts. Before there are as many days as the prior stands for, one day that is worth a finding would hide the next: such
   * days are left out, up to the same share.
   */
  #whoCounts(slab: RowSlab): (row: number) => boolean {
    let [days, left] = [this.#days, this.#excluded];
    eachDay(slab, (row) => {
      days++;
      if (isOutOfOrdinary(slab, row)) left++;
    });
    if (days >= priorDays || left > excludedShare * (priorDays + days)) return () => true;
    return (row) => !isOutOfOrdinary(slab, row);
  }

  /** What of the day's peak is beyond what the identity's days usually come to. */
  #peakOf(slab: RowSlab, row: number, detector: number): number {
    return Math.max(0, dayPeakOf(slab, row, detector) - this.#usual.expected(slab, row, detector));
  }

  /** How rare a detector's statistic is among days of the circle. */
  #nats(circle: number, detector: number, statistic: number): number {
    if (statistic <= 0) return 0;
    const place = this.#placeOf(circle, detector, statistic);
    return place < 0 ? this.#natsOf(circle, detector, statistic) : this.#known[place]!;
  }

  /** Where what is known of the statistic stands; -1 for one that is no peak. */
  #placeOf(circle: number, detector: number, statistic: number): number {
    const peak = peakPlace(statistic);
    const place = peak < 0 ? -1 : (circle * detectors.length + detector) * peakPlaces + peak;
    if (place < 0 || this.#known[place]! >= 0) return place;
    this.#known[place] = this.#natsOf(circle, detector, statistic);
    this.#knownWords[place] = this.#say(detector, this.#known[place]!);
    return place;
  }

  #natsOf(circle: number, detector: number, statistic: number): number {
    const nats = -Math.log(this.#scales.pValue(circle, detector, statistic));
    return isHonest[detector] ? Math.max(nats, statistic) : nats;
  }

  /** What a detector says in the sum: softly nothing up to the ordinary, then as much as it is rarer; weighed. */
  #say(detector: number, nats: number): number {
    return nats === 0 ? 0 : this.#options.fusion[detector]! * beyondOrdinary(nats, detector);
  }

  /** What it says by itself; a detector that has no weight has no word either. */
  #byItself(detector: number, nats: number): number {
    return this.#options.fusion[detector] === 0 ? 0 : nats - aloneNats;
  }

  #decades(sum: number, isFirst: boolean): number {
    return sum <= 0 ? 0 : Math.max(0, -Math.log10(this.#sums.pValue(isFirst, sum)));
  }

  /** What all detectors' peaks of the day come to: their words together, or the strongest by itself. */
  #sum(slab: RowSlab, row: number): number {
    let alone = 0;
    const circle = circleOf(slab, row);
    for (let d = 0; d < detectors.length; d++) {
      const nats = this.#nats(circle, d, this.#peakOf(slab, row, d));
      this.#words[d] = this.#say(d, nats);
      alone = Math.max(alone, this.#byItself(d, nats));
    }
    return Math.max(sumOf(this.#words), alone);
  }

  #countPeaks(slab: RowSlab): void {
    eachDay(slab, (row) => this.#countPeaksOf(slab, row));
    this.#refitPeaks();
  }

  #refitPeaks(): void {
    this.#scales.refit();
    this.#usual.refit();
    this.#known.fill(-1);
  }

  #countPeaksOf(slab: RowSlab, row: number): void {
    if (this.#mayExclude && isOutOfOrdinary(slab, row)) return;
    for (let d = 0; d < detectors.length; d++) {
      this.#scales.add(circleOf(slab, row), d, this.#peakOf(slab, row, d));
      this.#usual.add(slab, row, { detector: d, peak: dayPeakOf(slab, row, d) });
    }
  }

  #countFused(slab: RowSlab, row: number): void {
    this.#days++;
    this.#held++;
    const { onDay } = this.#options;
    if (onDay !== undefined) {
      for (let d = 0; d < detectors.length; d++)
        this.#said[d] = beyondOrdinary(this.#nats(circleOf(slab, row), d, this.#peakOf(slab, row, d)), d);
      onDay(row, slab.f32[row + at.day]!, this.#said);
    }
    const sum = this.#sum(slab, row);
    if (!this.#mayExclude || !isOutOfOrdinary(slab, row)) this.#sums.add(isFirstDay(slab, row), sum);
    else this.#excluded++;
  }

  snapshot(): BudgetSnapshot {
    return {
      sums: this.#sums.snapshot(),
      scales: this.#scales.snapshot(),
      usual: this.#usual.snapshot(),
      days: this.#days,
      held: this.#held,
      excluded: this.#excluded,
      mayExclude: this.#mayExclude,
      provisional: this.#provisional,
      since: this.#since,
    };
  }

  restore(saved: BudgetSnapshot): void {
    this.#sums.restore(saved.sums);
    this.#scales.restore(saved.scales);
    this.#usual.restore(saved.usual);
    this.#known.fill(-1);
    this.#days = saved.days;
    this.#held = saved.held;
    this.#excluded = saved.excluded;
    this.#mayExclude = saved.mayExclude;
    this.#provisional = saved.provisional;
    this.#since = saved.since;
  }
}

/** Rows whose identity was active today. */
function eachDay(slab: RowSlab, visit: (row: number) => void): void {
  for (let row = 0; row < slab.size * rowWords; row += rowWords) if (slab.f32[row + at.day] !== 0) visit(row);
}

/**
 * Whether the day does not count as ordinary: a finding about the identity is open, or was of late, or an honest detector takes it for an attack's. A
 * botnet is hundreds of addresses' days, most of which are never odd enough for a finding of their own, and would make the tail.
 */
function isOutOfOrdinary(slab: RowSlab, row: number): boolean {
  const isGated = slab.u32[row + at.gatedUntil]! * 1000 > slab.f32[row + at.day]! * dayMs;
  return isGated || isHonest.some((honest, d) => honest && dayPeakOf(slab, row, d) > honestLeast);
}

/** Whether the identity was never seen before its running day. */
function isFirstDay(slab: RowSlab, row: number): boolean {
  return Math.floor(slab.u32[row + at.firstSeen]! / 86_400) >= slab.f32[row + at.day]!;
}

function endDay(slab: RowSlab, row: number): void {
  endPeaks(slab, row);
  slab.f32[row + at.day] = 0;
  slab.markDirty(row);
}
