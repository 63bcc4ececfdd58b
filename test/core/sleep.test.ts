import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { sleep } from '../../src/core/sleep.ts';

test('hundreds who wait on one signal are no leak to Node, wake together and let go of it', async (t) => {
  const warnings: string[] = [];
  const onWarning = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  const stop = new AbortController();
  const early = sleep(0, stop.signal);
  const waiting = Array.from({ length: 300 }, () => sleep(60_000, stop.signal));
  await early;
  assert.equal(getEventListeners(stop.signal, 'abort').length, 300);
  stop.abort();
  await Promise.all(waiting);
  assert.deepEqual(getEventListeners(stop.signal, 'abort'), []);
  await sleep(60_000, stop.signal);
  assert.deepEqual(warnings, []);
});
