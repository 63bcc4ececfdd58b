import type { RowSlab } from './row-slab.ts';

/**
 * Patterns of change: a pattern is a set of facts that came together within one identity's day (network new, program new, ...), one bit each.
 * What is counted are identity-days, not events, so that a busy identity has no louder voice than a quiet one. Nothing here names an identity.
 */
export const patternBits = 15;
/** Identity-days that a wider circle's share weighs against a narrower one's. */
const strength = 20;
/** Half of what was counted a month ago still counts. */
const halfLifeDays = 30;
const natsMax = 60;
/**
 * A day that looks odd counts at least this much: a legitimate change must become known, and a wave of takeovers that share a pattern must
 * not become the rule while it runs.
 */
const leastWeight = 0.25;

/** Actor kinds (0 is all of them) times lengths of history (few events, some, many). */
export const historyClasses = 3;
const circles = 4 * historyClasses;
const keyOf = (circle: number, mask: number): number => (circle << patternBits) | mask;

type Counts = { readonly masks: Map<number, number>; readonly bits: Float64Array; readonly days: Float64Array };
const emptyCounts = (): Counts => ({
  masks: new Map(),
  bits: new Float64Array(circles * patternBits),
  days: new Float64Array(circles),
});

/**
 * Shares of identity-days that reach a pattern. The limit is the number of patterns there can be (12 circles times 2^15; in practice some
 * hundreds); those that faded are forgotten once a day.
 */
export class ChangePatterns {
  #now = emptyCounts();
  #pending = emptyCounts();
  #day = -1;

  get bytes(): number {
    return (this.#now.masks.size + this.#pending.masks.size) * 40 + 2 * 8 * circles * (patternBits + 1);
  }

  /** Identity-days counted in the circle. */
  days(circle: number): number {
    return this.#now.days[circle]!;
  }

  /** Share of the circle's identity-days on which the fact occurs, shrunk towards that of all actor kinds; 1 in 40 where nothing is known. */
  bitShare(circle: number, bit: number): number {
    const { bits, days } = this.#now;
    const wide = circle % historyClasses;
    const all = (bits[wide * patternBits + bit]! + 0.5) / (days[wide]! + strength);
    return (bits[circle * patternBits + bit]! + strength * all) / (days[circle]! + strength);
  }

  /**
   * -ln of the share of identity-days that reach exactly this pattern: the circle's, shrunk towards all actor kinds', shrunk towards what
   * independent facts would give (which ranks patterns that nobody ever had). 3 of 9,980 days and a prior of 1e-6: -ln(3 / 10,000) = 8.1.
   */
  nats(circle: number, mask: number): number {
    const { masks, days } = this.#now;
    const wide = circle % historyClasses;
    let independent = 1;
    for (let bit = 0; bit < patternBits; bit++) if (mask & (1 << bit)) independent *= this.bitShare(wide, bit);
    const all = ((masks.get(keyOf(wide, mask)) ?? 0) + strength * independent) / (days[wide]! + strength);
    const share = ((masks.get(keyOf(circle, mask)) ?? 0) + strength * all) / (days[circle]! + strength);
    return Math.min(natsMax, Math.max(0, -Math.log(share)));
  }

  /** An identity's day begins. */
  begin(circle: number): void {
    this.#pending.days[circle]! += 1;
    this.#pending.days[circle % historyClasses]! += 1;
  }

  /** The identity's day has the pattern now, and had `before` until now. */
  reach(circle: number, of: { readonly mask: number; readonly before: number; readonly weight: number }): void {
    const weight = Math.round(Math.max(leastWeight, of.weight) * 1024) / 1024;
    const { masks, bits } = this.#pending;
    for (const each of [circle, circle % historyClasses]) {
      masks.set(keyOf(each, of.mask), (masks.get(keyOf(each, of.mask)) ?? 0) + weight);
      for (let bit = 0; bit < patternBits; bit++)
        if (of.mask & ~of.before & (1 << bit)) bits[each * patternBits + bit]! += weight;
    }
  }

  advance(ts: number): void {
    const { masks, bits, days } = this.#pending;
    if (masks.size > 0) {
      for (const [key, count] of masks) this.#now.masks.set(key, (this.#now.masks.get(key) ?? 0) + count);
      for (let i = 0; i < bits.length; i++) this.#now.bits[i]! += bits[i]!;
      masks.clear();
      bits.fill(0);
    }
    for (let i = 0; i < days.length; i++) this.#now.days[i]! += days[i]!;
    days.fill(0);
    this.#decay(Math.floor(ts / 86_400_000));
  }

  #decay(day: number): void {
    if (this.#day >= 0 && day > this.#day) {
      const factor = 2 ** (-(day - this.#day) / halfLifeDays);
      const { masks, bits, days } = this.#now;
      for (const [key, count] of masks) {
        if (count * factor < 0.01) masks.delete(key);
        else masks.set(key, count * factor);
      }
      for (let i = 0; i < bits.length; i++) bits[i]! *= factor;
      for (let i = 0; i < days.length; i++) days[i]! *= factor;
    }
    if (day > this.#day) this.#day = day;
  }

  snapshot() {
    return structuredClone({ now: this.#now, pending: this.#pending, day: this.#day });
  }

  restore(saved: ReturnType<ChangePatterns['snapshot']>): void {
    this.#now = saved.now;
    this.#pending = saved.pending;
    this.#day = saved.day;
  }
}

/**
 * An identity's own days, six words of its active row: day number + 1, the day's pattern, then bytes: days counted, days on which each fact
 * occurred (15), all halved when 64 days are counted.
 */
export const ownDayWords = 6;
const ownDaysMax = 64;
/** Days that the population's share of a fact weighs against the identity's own. */
const ownStrength = 7;

export type OwnDay = { readonly slab: RowSlab; readonly start: number; readonly day: number };

/** What was new today so far. An event from before midnight that comes after it belongs to the new day. */
export function patternToday({ slab, start, day }: OwnDay): number {
  return slab.u32[start]! > day ? slab.u32[start + 1]! : 0;
}

/** Whether the identity's day begins with this event; if so it is counted, and nothing is new yet. */
export function beginDay({ slab, start, day }: OwnDay): boolean {
  if (slab.u32[start]! > day) return false;
  slab.u32[start] = day + 1;
  slab.u32[start + 1] = 0;
  const bytes = (start + 2) * 4;
  if (++slab.u8[bytes]! >= ownDaysMax) for (let i = 0; i <= patternBits; i++) slab.u8[bytes + i]! >>= 1;
  return true;
}

/** Adds facts to the day; those that were learned with suspicion do not become the identity's habit. */
export function addToday({ slab, start }: OwnDay, mask: number, weight: number): void {
  const before = slab.u32[start + 1]!;
  slab.u32[start + 1] = before | mask;
  if (weight < 0.5) return;
  for (let bit = 0; bit < patternBits; bit++) if (mask & ~before & (1 << bit)) slab.u8[(start + 2) * 4 + 1 + bit]! += 1;
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
