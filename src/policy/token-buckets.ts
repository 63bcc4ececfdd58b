import type { EpochMs } from '../core/clock.ts';

export type ThrottleRate = {
  readonly perMinute: number;
  /** Calls that may come at once before the rate holds. */
  readonly burst: number;
};

/** `full` is when it will be full again: a bucket is one number and needs no upkeep (the generic cell rate algorithm, ITU-T I.371). */
type Bucket = { full: EpochMs };

/** Beyond it the bucket that was asked longest ago is forgotten, and is full when it is asked again. */
const bucketsMax = 100_000;

export class TokenBuckets {
  readonly #intervalMs: number;
  readonly #depthMs: number;
  readonly #buckets = new Map<string, Bucket>();

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
    if (known !== undefined) this.#buckets.delete(name);
    else if (this.#buckets.size >= bucketsMax) this.#buckets.delete(this.#buckets.keys().next().value ?? '');
    this.#buckets.set(name, bucket);
    return 0;
  }
}
