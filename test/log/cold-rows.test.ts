import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openColdRows } from '../../src/log/cold-rows.ts';

test('a cold row is given back once, as it was put, and nothing is left on the disk at the end', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'gait-cold-')), 'cold');
  const cold = openColdRows(folder, 3);
  assert.equal(cold.take(1, 2), undefined);
  assert.equal(existsSync(folder), false, 'no file is made before a row needs it');
  cold.put(1, 2, Buffer.from('one'));
  cold.put(0xffffffff, 0, Buffer.from('two'));
  assert.deepEqual([...cold.all()].map(String).sort(), ['one', 'two']);
  assert.equal(String(cold.take(0xffffffff, 0)), 'two');
  assert.equal(cold.take(0xffffffff, 0), undefined);
  cold.clear();
  assert.equal(cold.take(1, 2), undefined);
  await cold.close();
  assert.deepEqual(readdirSync(folder), []);
});

test('what a killed process left is swept away by the next one', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'gait-cold-')), 'cold');
  // No process has this number: it is beyond what Linux gives out.
  mkdirSync(join(folder, '4194305-0'), { recursive: true });
  const cold = openColdRows(folder, 0);
  cold.put(1, 1, Buffer.from('row'));
  assert.deepEqual(readdirSync(folder), [`${process.pid}-0`]);
  await cold.close();
});
