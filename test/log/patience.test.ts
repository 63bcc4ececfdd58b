import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { sleep } from '../../src/core/sleep.ts';
import { unlessAway, waitFor, watchForAway } from '../../src/log/patience.ts';

const never = new Promise<void>(() => {});

async function msOf(run: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await run();
  return performance.now() - began;
}

test('a wait ends with what it waits for, be it a failure, or when its time is over', async () => {
  const ms = await msOf(async () => {
    await waitFor(undefined, { ms: 60_000 });
    await waitFor(Promise.reject(new Error('refused')), { ms: 60_000 });
    await waitFor(never, { ms: 50 });
  });
  assert.ok(ms >= 45 && ms < 5000, `${ms} ms`);
});

test('before it is told to end nobody runs out of patience, and then Kafka away ends every wait', async () => {
  const since = new AbortController();
  const away = new AbortController();
  let isOver = false;
  const waiting = waitFor(never, { ms: 60_000, unless: away.signal, since: since.signal }).then(() => {
    isOver = true;
  });
  away.abort();
  await sleep(20);
  assert.ok(!isOver);
  since.abort();
  await waiting;
  assert.ok((await msOf(() => waitFor(never, { ms: 60_000, unless: away.signal }))) < 5000);
  await assert.rejects(
    unlessAway(() => never, away.signal),
    { code: 'LOG_UNAVAILABLE' },
  );
});

test('Kafka is asked from the stop on, again and again, until it refuses', async () => {
  const stopping = new AbortController();
  const closing = new AbortController();
  let asked = 0;
  const ask = async (): Promise<void> => {
    if (++asked === 2) throw new Error('refused');
  };
  const away = watchForAway({ stopping: stopping.signal, closing: closing.signal, ask });
  assert.equal(asked, 0);
  stopping.abort();
  assert.equal(asked, 1);
  await new Promise((resolve) => away.addEventListener('abort', resolve, { once: true }));
  assert.equal(asked, 2);
});

test('a Kafka that takes calls and answers none is away', async () => {
  const closing = new AbortController().signal;
  const away = watchForAway({ stopping: AbortSignal.abort(), closing, ask: () => never });
  await new Promise((resolve) => away.addEventListener('abort', resolve, { once: true }));
});

test('whoever is closed asks no more', async () => {
  const closing = new AbortController();
  let asked = 0;
  const ask = async (): Promise<void> => {
    asked++;
  };
  const away = watchForAway({ stopping: AbortSignal.abort(), closing: closing.signal, ask });
  await sleep(20);
  closing.abort();
  await sleep(20);
  assert.deepEqual([asked, away.aborted], [1, false]);
});

test('twenty thousand waits on one signal leave nothing behind', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { signal } = new AbortController();
  const heapAfter = async (waits: number): Promise<number> => {
    for (let i = 0; i < waits; i++) {
      await waitFor(Promise.resolve(), { ms: 60_000, unless: signal });
      await unlessAway(async () => {}, signal);
    }
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = await heapAfter(2000);
  const grown = (await heapAfter(20_000)) - before;
  assert.ok(grown < 400_000, `${grown} bytes`);
});

test('whoever is closed before the answer came does not take Kafka for away', async () => {
  const closing = new AbortController();
  const away = watchForAway({ stopping: AbortSignal.abort(), closing: closing.signal, ask: () => never });
  closing.abort();
  await sleep(20);
  assert.ok(!away.aborted);
});
