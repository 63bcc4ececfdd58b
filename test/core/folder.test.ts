import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from '../../src/core/folder.ts';

test('a folder is made with those above it, once', () => {
  const root = mkdtempSync(join(tmpdir(), 'gait-folder-'));
  const path = join(root, 'a', 'b');
  for (let i = 0; i < 2; i++) makeFolder(path, 0o700);
  assert.equal(statSync(path).mode & 0o777, 0o700);
  rmSync(root, { recursive: true });
});

test('a place that cannot hold folders is an error, and soon', { skip: !existsSync('/proc/self') }, () => {
  // In a process of its own: one that tries for ever hears nothing else.
  const code = `const { makeFolder } = await import(process.argv[1]); makeFolder('/proc/gait/data', 0o700);`;
  const module = new URL('../../src/core/folder.js', import.meta.url).href;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', code, module], { timeout: 20_000 });
  assert.equal(child.error, undefined);
  assert.match(String(child.stderr), /ENOENT.*'\/proc\/gait'/);
});
