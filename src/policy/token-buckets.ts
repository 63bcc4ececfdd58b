import type { EpochMs } from '../core/clock.ts';
import { RecentMap } from '../core/recent-map.ts';

export type ThrottleRate = {
  readonly perMinute: number;
  /** Calls that may come at once before the rate holds. */
  readonly burst: number;
};

/** `full` is when it will be full again: a bucket is one number and needs no upkeep (the generic cell rate algorithm, ITU-T I.371). */
type Bucket = { full: EpochMs };

/** Beyond it the buckets that were asked longest ago are forgotten, and are full when they are asked again. */
const bucketsMax = 100_000;

export class TokenBuckets {
  readonly #intervalMs: number;
  readonly #depthMs: number;
  readonly #buckets = new RecentMap<Bucket>(bucketsMax);

  constructor({ perMinute, burst }: ThrottleRate) {
    this.#intervalMs = 60_000 / perMinute;
    this.#depthMs = burst * this.#intervalMs;
  }

  /** Takes one token: 0, or the milliseconds until there is one; a call that is refused costs none. */
  take(name: string, now: EpochMs): number {
    const known = this.#buckets.get(name);
    const bucket = known ?? { full: now };
    const full = Math.max(bucket.full, now) + this.#intervalMs;
    const waitMs = full - now - this.#depthMs;
    // An interval that is no whole number of binary fractions adds up to a hair too much.
    if (waitMs > 1e-6) return waitMs;
    bucket.full = full;
    if (known === undefined) this.#buckets.set(name, bucket);
    return 0;
  }
}
