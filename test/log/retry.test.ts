import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GaitError } from '../../src/core/errors.ts';
import { onceAMinute } from '../../src/log/retry.ts';

test('what is tried again all the time is told once a minute, and another trouble at once', () => {
  let now = 1_000_000;
  const told: string[] = [];
  const tell = onceAMinute({ now: () => now }, ({ message }) => told.push(`${now}: ${message}`));
  for (; now < 1_120_000; now += 1000) {
    tell(new GaitError('LOG_UNAVAILABLE', 'reading a'));
    if (now === 1_030_000) tell(new GaitError('LOG_UNAVAILABLE', 'reading b'));
  }
  assert.deepEqual(told, ['1000000: reading a', '1030000: reading b', '1060000: reading a']);
});
