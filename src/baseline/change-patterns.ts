import type { RowSlab } from './row-slab.ts';

/**
 * Patterns of change: a pattern is a set of facts that came together within one identity's day (network new, program new, ...), one bit each.
 * What is counted are identity-days, not events, so that a busy identity has no louder voice than a quiet one. Nothing here names an identity.
 */
export const patternBits = 15;
/** Fewer identity-days than this prove little. */
const daysEnough = 20;
/** Share of identity-days on which a fact is assumed to occur where nobody is known. */
const ignorance = 1 / 40;
/**
 * Two memories: half of what was counted a month ago still counts in the one, half of yesterday's in the other. What many begin on the same day
 * (a release) is no news on that day.
 */
const halfLivesDays = [30, 1] as const;
const natsMax = 60;
/**
 * What looks odd counts at least this much: a legitimate change must become known, and a wave of takeovers that share a pattern must
 * not become the rule while it runs.
 */
export const leastWeight = 0.25;

/** Lengths of history (few events, some, many) of all actor kinds, then of each of three kinds; the last circle is everybody. */
export const historyClasses = 3;
const everybody = 4 * historyClasses;
const circles = everybody + 1;
const keyOf = (circle: number, mask: number): number => (circle << patternBits) | mask;

/** Identity-days that had all facts of a pattern, whatever else they had, and identity-days by circle. */
type Counts = { readonly masks: Map<number, number>; readonly days: Float64Array };
const emptyCounts = (): Counts => ({ masks: new Map(), days: new Float64Array(circles) });

/**
 * Shares of identity-days that come to a pattern or more. The limit is the number of patterns there can be (13 circles times 2^15; in practice
 * some thousands); those that faded are forgotten once a day.
 */
export class ChangePatterns {
  #month = emptyCounts();
  #recent = emptyCounts();
  #pending = emptyCounts();
  #day = -1;

  get bytes(): number {
    const all = [this.#month, this.#recent, this.#pending];
    return all.reduce((sum, { masks }) => sum + masks.size * 40, 0);
  }

  /** Identity-days counted in the circle. */
  days(circle: number): number {
    return this.#month.days[circle]!;
  }

  /** Share of the circle's identity-days on which the fact occurs, backed by wider circles. */
  bitShare(circle: number, bit: number): number {
    return this.#share(circle, 1 << bit, ignorance);
  }

  /**
   * -ln of the share of identity-days that come to this pattern or more: the circle's, backed by wider circles, and these by what the facts would
   * give by themselves (which ranks patterns that nobody ever had). 3 of 9,980 days: at most -ln(3 / 10,000) = 8.1.
   */
  nats(circle: number, mask: number): number {
    const share = this.#share(circle, mask, this.#byThemselves(circle, mask));
    const recently = estimate(countOf(this.#recent, everybody, mask), this.#recent.days[everybody]!, share);
    return Math.min(natsMax, Math.max(0, -Math.log(Math.max(share, recently))));
  }

  #share(circle: number, mask: number, assumed: number): number {
    let share = assumed;
    for (const each of [everybody, circle % historyClasses, circle])
      share = estimate(countOf(this.#month, each, mask), this.#month.days[each]!, share);
    return share;
  }

  /** Things change together more often than by chance: beyond the rarest fact, each counts half its nats. */
  #byThemselves(circle: number, mask: number): number {
    let rarest = 0;
    let total = 0;
    for (let bit = 0; bit < patternBits; bit++) {
      if ((mask & (1 << bit)) === 0) continue;
      const nats = -Math.log(this.bitShare(circle, bit));
      rarest = Math.max(rarest, nats);
      total += nats;
    }
    return Math.exp(-(rarest + total) / 2);
  }

  /** An identity's day begins. */
  begin(circle: number): void {
    for (const each of [everybody, circle % historyClasses, circle]) this.#pending.days[each]! += 1;
  }

  /** The identity's day has the pattern now, and had `before` until now: every part of it that is new is counted. */
  reach(circle: number, of: { readonly mask: number; readonly before: number; readonly weight: number }): void {
    const weight = Math.round(Math.max(leastWeight, of.weight) * 1024) / 1024;
    const { masks } = this.#pending;
    for (let part = of.mask; part > 0; part = (part - 1) & of.mask) {
      if ((part & ~of.before) === 0) continue;
      for (const each of [everybody, circle % historyClasses, circle]) {
        const key = keyOf(each, part);
        masks.set(key, (masks.get(key) ?? 0) + weight);
      }
    }
  }

  advance(ts: number): void {
    for (const counts of [this.#month, this.#recent]) join(counts, this.#pending);
    this.#pending.masks.clear();
    this.#pending.days.fill(0);
    const day = Math.floor(ts / 86_400_000);
    if (this.#day >= 0 && day > this.#day)
      [this.#month, this.#recent].forEach((counts, i) => {
        fade(counts, 2 ** (-(day - this.#day) / halfLivesDays[i]!));
      });
    if (day > this.#day) this.#day = day;
  }

  snapshot() {
    return structuredClone({ month: this.#month, recent: this.#recent, pending: this.#pending, day: this.#day });
  }

  restore(saved: ReturnType<ChangePatterns['snapshot']>): void {
    this.#month = saved.month;
    this.#recent = saved.recent;
    this.#pending = saved.pending;
    this.#day = saved.day;
  }
}

function countOf({ masks }: Counts, circle: number, mask: number): number {
  return masks.get(keyOf(circle, mask)) ?? 0;
}

/**
 * The share of days that was counted, and one occurrence that may have been missed, as far as the wider circle's share makes that likely.
 * None of 1,000 days: 1/1,002 where every second day is like that elsewhere, 1/11,000 where one in 10,000 is.
 */
function estimate(count: number, days: number, wider: number): number {
  return Math.min(1, count / (days + daysEnough) + 1 / (days + 1 / wider));
}

function join(counts: Counts, more: Counts): void {
  for (let i = 0; i < circles; i++) counts.days[i]! += more.days[i]!;
  for (const [key, count] of more.masks) counts.masks.set(key, (counts.masks.get(key) ?? 0) + count);
}

function fade({ masks, days }: Counts, factor: number): void {
  for (const [key, count] of masks) {
    if (count * factor < 0.01) masks.delete(key);
    else masks.set(key, count * factor);
  }
  for (let i = 0; i < days.length; i++) days[i]! *= factor;
}

/**
 * An identity's own days, six words of its active row: day number + 1; the day's pattern, and the part of it that was learned without
 * suspicion in the upper half; then bytes: finished days, days on which each fact occurred (15), all halved when 64 days are counted.
 */
export const ownDayWords = 6;
const ownDaysMax = 64;
/** Days that the population's share of a fact weighs against the identity's own. */
const ownStrength = 7;

export type OwnDay = { readonly slab: RowSlab; readonly start: number; readonly day: number };

/** What was new today so far. An event from before midnight that comes after it belongs to the new day. */
export function patternToday({ slab, start, day }: OwnDay): number {
  return slab.u32[start]! > day ? slab.u32[start + 1]! & 0xffff : 0;
}

/** Whether the identity's day begins with this event; if so what the last one came to is its habit, and nothing is new yet. */
export function beginDay({ slab, start, day }: OwnDay): boolean {
  const { u32, u8 } = slab;
  if (u32[start]! > day) return false;
  const bytes = (start + 2) * 4;
  if (u32[start] !== 0) {
    const trusted = u32[start + 1]! >>> 16;
    for (let bit = 0; bit < patternBits; bit++) u8[bytes + 1 + bit]! += (trusted >>> bit) & 1;
    if (++u8[bytes]! >= ownDaysMax) for (let i = 0; i <= patternBits; i++) u8[bytes + i]! >>= 1;
  }
  u32[start] = day + 1;
  u32[start + 1] = 0;
  return true;
}

/** Adds facts to the day; those that were learned with suspicion do not become the identity's habit. */
export function addToday({ slab, start }: OwnDay, mask: number, weight: number): void {
  slab.u32[start + 1]! |= weight < 0.5 ? mask : mask | (mask << 16);
}

/** Nats by which the identity's own habit explains the pattern: a traveller's new network is no news. */
export function habit(own: OwnDay, mask: number, of: { patterns: ChangePatterns; circle: number }): number {
  const bytes = (own.start + 2) * 4;
  const days = own.slab.u8[bytes]!;
  let nats = 0;
  for (let bit = 0; bit < patternBits; bit++) {
    if ((mask & (1 << bit)) === 0) continue;
    const share = of.patterns.bitShare(of.circle, bit);
    const mine = (own.slab.u8[bytes + 1 + bit]! + ownStrength * share) / (days + ownStrength);
    if (mine > share) nats += Math.log(mine / share);
  }
  return nats;
}
