import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { openLineFile, openTextFile } from '../../src/command/line-file.ts';

test('a file that cannot be made is named, with what the system says', async () => {
  await assert.rejects(openTextFile('/dev/null/lines.ndjson'), {
    code: 'INPUT_UNREADABLE',
    message: '/dev/null/lines.ndjson cannot be written (ENOTDIR)',
  });
});

const noDevFull = !existsSync('/dev/full') && 'this system has no /dev/full';

test('a disk that fills up while nobody waits for it fails the next write or the end, and not the process', {
  skip: noDevFull,
}, async () => {
  const full = { code: 'INPUT_UNREADABLE', message: '/dev/full cannot be written (ENOSPC)' };
  const short = await openLineFile('/dev/full');
  await short.write({ line: 1 });
  await assert.rejects(short.close(), full);
  const long = await openLineFile('/dev/full');
  await assert.rejects(async () => {
    for (let i = 0; i < 100; i++) await long.write({ line: 'x'.repeat(100_000) });
  }, full);
});
