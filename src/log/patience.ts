import { setMaxListeners } from 'node:events';
import { abortsWith } from '../core/aborts-with.ts';
import { GaitError } from '../core/errors.ts';
import { sleep } from '../core/sleep.ts';

/** How long a stop waits for what may hang. What is not written or committed by then is read again at the next start. */
export const patienceMs = {
  /** A connection to any broker: when there is none Kafka is away, and nobody waits for it any longer. */
  answer: 3000,
  /** A start or a leave that is under way. */
  leave: 2000,
  /** Shards that write their last checkpoint. */
  shards: 5000,
  /** Batches that are being handled, by a store that answers nothing perhaps, and the commit of their positions: kafkajs tries that for a minute and a half. */
  handlers: 10_000,
};
const askAgainMs = 1000;

export type WatchOptions = {
  /** From here on Kafka is asked. */
  readonly stopping: AbortSignal;
  /** Until here. */
  readonly closing: AbortSignal;
  readonly ask: () => Promise<unknown>;
};

/** Aborts when Kafka does not answer whoever is told to end: asked once a second, since it may also go away meanwhile. */
export function watchForAway({ stopping, closing, ask }: WatchOptions): AbortSignal {
  const away = new AbortController();
  // As many listen as appends wait.
  setMaxListeners(0, away.signal);
  const watch = async (): Promise<void> => {
    while (!closing.aborted) {
      let answered = false;
      const answer = ask().then(() => {
        answered = true;
      });
      await waitFor(answer, { ms: patienceMs.answer, unless: closing });
      if (!answered && !closing.aborted) return away.abort();
      await sleep(askAgainMs, closing);
    }
  };
  if (stopping.aborted) void watch();
  else stopping.addEventListener('abort', () => void watch(), { once: true });
  return away.signal;
}

export type WaitOptions = {
  readonly ms: number;
  /** Ends the wait. */
  readonly unless?: AbortSignal;
  /** When the time begins to run, and `unless` to count; now, when it is left out. */
  readonly since?: AbortSignal;
};

/** Until the promise is settled or patience is over. Never rejects. */
export async function waitFor(end: Promise<unknown> | undefined, { ms, unless, since }: WaitOptions): Promise<void> {
  const over = new AbortController();
  const abort = (): void => over.abort();
  let stopWaiting = (): void => {};
  const enough = new Promise<void>((resolve) => {
    stopWaiting = resolve;
  });
  const begin = (): void => {
    if (unless?.aborted) abort();
    unless?.addEventListener('abort', abort);
    void sleep(ms, over.signal).then(stopWaiting);
  };
  if (since === undefined || since.aborted) begin();
  else since.addEventListener('abort', begin);
  await Promise.race([Promise.resolve(end).catch(() => {}), enough]);
  // By hand: of each `AbortSignal.any` Node 20 keeps some bytes for ever, and of a listener that a signal takes away far more until the loop turns.
  since?.removeEventListener('abort', begin);
  unless?.removeEventListener('abort', abort);
  over.abort();
}

/** What `run` makes, unless Kafka is found to be away before. */
export async function unlessAway(run: () => Promise<void>, away: AbortSignal): Promise<void> {
  const left = abortsWith(away);
  const gone = new Promise<never>((_resolve, reject) => {
    const giveUp = (): void =>
      reject(new GaitError('LOG_UNAVAILABLE', 'Kafka does not answer, and nobody waits for it any longer'));
    if (left.signal.aborted) giveUp();
    else left.signal.onabort = giveUp;
  });
  try {
    await Promise.race(left.signal.aborted ? [gone] : [gone, run()]);
  } finally {
    left.release();
  }
}
