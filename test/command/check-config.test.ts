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

test('what a source is read by is checked with the rest: a mistake in it does not wait for the first record', async () => {
  writeFileSync(join(cwd, 'map.yaml'), 'fields:\n  ts: time\n  cliant_ip: ip\n');
  const checkSource = async (source: string): Promise<string> => {
    const text = `log: { kind: kafka, brokers: [127.0.0.1:9092] }\nsources: [{ topic: x, ${source} }]\n`;
    writeFileSync(join(cwd, 'sources.yaml'), text);
    return (await gait(['check-config', '-c', 'sources.yaml'], { cwd })).stderr;
  };
  assert.match(await checkSource('format: ngnix'), /^sources\.yaml:2:23: sources\.0\.format: .*"nginx"/m);
  assert.match(await checkSource('format: map'), /^sources\.yaml:2:23: sources\.0\.format: is map, which needs/m);
  const map = /^map\.yaml:3:3: unknown key fields\.cliant_ip; did you mean client_ip\?$/m;
  assert.match(await checkSource('map: map.yaml'), map);
  const started = await gait(['start', '-c', 'sources.yaml'], { cwd });
  assert.equal(started.code, 2);
  assert.match(started.stderr, map);
});
