import type { Clock, EpochMs } from './clock.ts';
import { GaitError } from './errors.ts';
import type { Post, PostRequest, PostResult } from './post.ts';
import type { Random } from './random.ts';
import { sleep } from './sleep.ts';

export type Parcel = {
  /** The same id is carried once, however often it is offered. */
  readonly id: string;
  /** Worth nothing afterwards: it is given up, not sent late. */
  readonly deadline: EpochMs;
  readonly request: (now: EpochMs) => PostRequest;
};

/** How a parcel ended, for good. */
export type Settled = {
  readonly state: 'delivered' | 'rejected' | 'failed' | 'skipped-stale';
  readonly attempts: number;
  readonly status: number | null;
  readonly detail: string;
  readonly at: EpochMs;
};

export type CourierOptions = {
  readonly target: string;
  readonly post: Post;
  readonly clock: Clock;
  readonly random: Random;
  /** Ends waiting, for a clean stop; what was not delivered is offered again after the next start. */
  readonly signal: AbortSignal;
  /** A call holds its batch no longer than this before it gives the batch back. */
  readonly holdMs?: number;
  readonly backoffMs?: { readonly first: number; readonly max: number };
};

export type Courier = {
  /**
   * Resolves when the parcel has ended and `record` has noted how; does nothing for one that was carried before. Fails with
   * DELIVERY_FAILED (retriable) when the receiver stays away for `holdMs`: the log keeps the position and offers the batch again, so
   * nothing is dropped before its deadline. Calls must not overlap.
   */
  readonly carry: (parcel: Parcel, record: (settled: Settled) => Promise<void>) => Promise<void>;
};

/** Ids remembered per target. A repetition older than that is delivered again, under the same id, and the receiver drops it. */
const rememberedMax = 10_000;

/**
 * Brings parcels to one target, in order, at least once. A target that is away stalls only itself, because each target has its own
 * courier and its own consumer group. Waiting doubles from `first` to `max` with full jitter
 * (AWS Architecture Blog 2015, "Exponential backoff and jitter"), and never undercuts Retry-After.
 */
export function createCourier(options: CourierOptions): Courier {
  const { target, post, clock, random, signal, holdMs = 20_000, backoffMs = { first: 500, max: 30_000 } } = options;
  const carried = new Set<string>();
  const untried: PostResult = { kind: 'failed', status: null, detail: 'not tried', retryAfterMs: null };
  /** Outlives a batch that is given back, so that the waiting goes on where it was. */
  let current = { id: '', attempts: 0, notBefore: 0, last: untried };
  let gone = false;

  const deliver = async (parcel: Parcel): Promise<Settled> => {
    if (current.id !== parcel.id) current = { id: parcel.id, attempts: 0, notBefore: 0, last: untried };
    const giveBackAt = clock.now() + holdMs;
    for (;;) {
      const now = clock.now();
      if (gone) return settled('rejected', { ...untried, detail: 'receiver answered 410 Gone before' }, now);
      if (now >= parcel.deadline) {
        return settled(current.attempts === 0 ? 'skipped-stale' : 'failed', current.last, now);
      }
      if (signal.aborted || now >= giveBackAt) throw away(target, current.last);
      const waitMs = Math.min(current.notBefore, parcel.deadline, giveBackAt) - now;
      if (waitMs > 0) {
        await sleep(waitMs, signal);
        continue;
      }
      current.attempts += 1;
      const last = await post(parcel.request(now), signal);
      current.last = last;
      gone = last.kind === 'gone';
      if (last.kind !== 'failed') {
        return settled(last.kind === 'delivered' ? 'delivered' : 'rejected', last, clock.now());
      }
      const ceiling = Math.min(backoffMs.max, backoffMs.first * 2 ** (current.attempts - 1));
      current.notBefore = clock.now() + Math.max(last.retryAfterMs ?? 0, Math.ceil(random.next() * ceiling));
    }
  };

  const settled = (state: Settled['state'], { status, detail }: PostResult, at: EpochMs): Settled => ({
    state,
    attempts: current.attempts,
    status,
    detail,
    at,
  });

  return {
    carry: async (parcel, record) => {
      if (carried.has(parcel.id)) return;
      await record(await deliver(parcel));
      carried.add(parcel.id);
      if (carried.size > rememberedMax) carried.delete(carried.values().next().value ?? '');
    },
  };
}

function away(target: string, last: PostResult): GaitError {
  return new GaitError('DELIVERY_FAILED', `${target} does not take deliveries: ${last.detail}`);
}
