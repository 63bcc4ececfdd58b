import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gait } from './gait-command.ts';

const cwd = mkdtempSync(join(tmpdir(), 'gait-check-config-'));
after(() => rmSync(cwd, { recursive: true, force: true }));

const rule = '{ name: rest, action: notify, ttl: 1h, why: Somebody should look. }';
writeFileSync(join(cwd, 'mine.yaml'), `version: 1\nrules:\n  - ${rule}\n`);
writeFileSync(join(cwd, 'gait.yaml'), 'detect: { policyFile: mine.yaml }\n');
const expecting = (decision: string) =>
  `cases:\n  - name: anything is told\n    steps:\n      - { severity: low, expect: [${decision}] }\n`;
const check = (...args: string[]) => gait(['check-config', '-c', 'gait.yaml', ...args], { cwd });

test('--test runs the tests beside the policy file, and says which step decided otherwise', async () => {
  writeFileSync(join(cwd, 'mine.test.yaml'), expecting('notify rest shadow'));
  assert.equal((await check('--test')).code, 0);
  writeFileSync(join(cwd, 'mine.test.yaml'), expecting('throttle rest shadow'));
  const wrong = await check('--test');
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /^mine\.test\.yaml: .*anything is told.*notify rest shadow/m);
});

test('a policy given to --test in place of its tests is told apart from them', async () => {
  const { code, stderr } = await check('--test', 'mine.yaml');
  assert.equal(code, 2);
  assert.match(stderr, /mine\.yaml: tests of a policy are in a file that ends in \.test\.yaml/);
});

test('without a policy of its own the shipped tests hold for the shipped policy', async () => {
  writeFileSync(join(cwd, 'empty.yaml'), '{}\n');
  assert.equal((await gait(['check-config', '-c', 'empty.yaml', '--test'], { cwd })).code, 0);
});
