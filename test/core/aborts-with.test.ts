import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { abortsWith } from '../../src/core/aborts-with.ts';

test('it aborts with its parent, for the same reason, and after its release no more', () => {
  const parent = new AbortController();
  const [kept, released] = [abortsWith(parent.signal), abortsWith(parent.signal)];
  released.release();
  parent.abort('over');
  assert.deepEqual([kept.signal.aborted, kept.signal.reason], [true, 'over']);
  assert.equal(released.signal.aborted, false);
  assert.equal(abortsWith(parent.signal).signal.aborted, true, 'of a parent that is over already');
});

test('two hundred thousand that were released leave nothing behind', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const parent = new AbortController();
  const heapAfter = (calls: number): number => {
    for (let i = 0; i < calls; i++) abortsWith(parent.signal).release();
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = heapAfter(10_000);
  // With AbortSignal.any it is 14 MB.
  assert.ok(heapAfter(200_000) - before < 1_000_000);
});
