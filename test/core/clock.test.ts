import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from '../../src/core/clock.ts';

test('hundreds sleep until one signal, and nobody is told of a leak', async (t) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): number => warnings.push(warning);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  const stop = new AbortController();
  const sleeping = Array.from({ length: 200 }, () => sleep(60_000, stop.signal));
  stop.abort();
  await Promise.all(sleeping);
  await new Promise(setImmediate);
  assert.deepEqual(warnings, []);
});
