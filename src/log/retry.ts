import type { Clock } from '../core/clock.ts';
import { describeError, GaitError } from '../core/errors.ts';
import { RecentMap } from '../core/recent-map.ts';
import { sleep } from '../core/sleep.ts';

/** Told each time the log, or a handler that reads from it, has failed and will be tried again. */
export type OnTrouble = (error: GaitError) => void;

/** The same words reach `tell` once a minute: what is away is tried again every second by each of its readers. */
export function onceAMinute(clock: Clock, tell: OnTrouble): OnTrouble {
  const told = new RecentMap<number>(256);
  return (error) => {
    const now = clock.now();
    if (now - (told.get(error.message) ?? 0) < 60_000) return;
    told.set(error.message, now);
    tell(error);
  };
}

const delayMsMin = 100;
const delayMsMax = 1000;

/** 100 ms, doubling up to 1 s; the wait ends early when `signal` aborts. */
export function createBackoff(signal: AbortSignal): { readonly wait: () => Promise<void>; readonly reset: () => void } {
  let delayMs = delayMsMin;
  return {
    wait: async () => {
      await sleep(delayMs, signal);
      delayMs = Math.min(delayMs * 2, delayMsMax);
    },
    reset: () => {
      delayMs = delayMsMin;
    },
  };
}

/** What trying again cannot mend; anything that is not ours is taken for a passing failure. */
export function isFinal(error: unknown): boolean {
  return error instanceof GaitError && !error.retriable;
}

/** Whatever is not ours is taken for a failure that passes. */
export function asGaitError(error: unknown, doing: string): GaitError {
  if (error instanceof GaitError) return error;
  return new GaitError('LOG_UNAVAILABLE', `${doing}: ${describeError(error)}`, { cause: error });
}

export type RetryOptions = {
  /** Completes "failed and will be tried again" for a person, as in "handling a batch of gait.events". */
  readonly doing: string;
  readonly signal: AbortSignal;
  readonly onTrouble: OnTrouble;
};

/** Runs until it succeeds (true), the signal aborts (false) or it fails for good (throws). */
export async function retryUntilDone(run: () => Promise<void>, options: RetryOptions): Promise<boolean> {
  const backoff = createBackoff(options.signal);
  while (!options.signal.aborted) {
    try {
      await run();
      return true;
    } catch (error) {
      if (isFinal(error)) throw error;
      options.onTrouble(asGaitError(error, options.doing));
      await backoff.wait();
    }
  }
  return false;
}
