import { setMaxListeners } from 'node:events';

/** Ends early when `signal` aborts. Hundreds may wait on one signal, and each lets go of it: Node would take more than ten for a leak. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal !== undefined) setMaxListeners(0, signal);
    signal?.addEventListener('abort', done);
  });
}
