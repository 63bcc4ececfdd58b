import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const cli = join(import.meta.dirname, '../src/cli.js');
const folder = mkdtempSync(join(tmpdir(), 'gait-cli-'));
after(() => rmSync(folder, { recursive: true }));

function gait(args: readonly string[], env: Record<string, string> = {}) {
  const { PATH } = process.env;
  return spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', cwd: folder, env: { PATH, ...env } });
}

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

test('help names every command with what it does, and ends with 0', () => {
  const { status, stdout } = gait(['--help']);
  assert.equal(status, 0);
  const asking = ['findings', 'decisions', 'finding', 'identity', 'decide', 'verdict'];
  for (const name of ['start', 'replay', 'train', 'evaluate', 'migrate', 'check-config', 'kafka', ...asking]) {
    assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
    const help = gait([name, '--help']);
    assert.equal(help.status, 0, name);
    assert.match(help.stdout, new RegExp(`^Usage: gait ${name} `));
  }
  assert.match(gait(['--version']).stdout, /^\d+\.\d+\.\d+\n$/);
});

test('wrong usage ends with 2, one sentence on standard error and nothing on standard output', () => {
  for (const args of [
    ['nonsense'],
    ['start', '--nonsense'],
    ['replay'],
    ['kafka', '--port', '65536'],
    ['kafka', '--partitions', '0'],
    ['findings', '--limit', '0'],
    ['findings', '--severity', 'awful'],
    ['verdict', 'fnd_1', 'wrong'],
    ['finding'],
    ['decide', 'user:-:a', 'throttle'],
    ['findings', '--key', 'a-key-on-the-command-line'],
  ]) {
    const { status, stdout, stderr } = gait(args);
    assert.equal(status, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /^error: [^\n]+\n\(gait --help tells more\)\n$/);
  }
});

test('a wrong configuration ends with 2 and every mistake with its place, without a stack', () => {
  const path = file('wrong.yaml', 'http:\n  prot: 1\ngroup: "a b"\n');
  const { status, stdout, stderr } = gait(['check-config', '-c', path]);
  assert.equal(status, 2);
  assert.equal(stdout, '');
  assert.deepEqual(stderr.trim().split('\n').sort(), [
    'wrong.yaml:2:3: unknown key http.prot; did you mean port?',
    'wrong.yaml:3:1: group: is not a consumer group name',
  ]);
  assert.match(gait(['check-config', '-c', path], { GAIT_LOG_LEVEL: 'debug' }).stderr, /\n +at /);
});

test('the effective configuration is shown with what it amounts to, and without its secrets', () => {
  const path = file('right.yaml', 'store: { kind: clickhouse, url: "http://db:8123", password: "$' + '{PW}" }\n');
  const { status, stdout, stderr } = gait(['check-config', '-c', path], {
    PW: 'very-secret',
    GAIT_HMAC_KEY: 'very-secret-key-too',
  });
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stdout + stderr, /very-secret/);
  assert.match(stdout, /"password": "\[secret\]"/);
  assert.match(
    stdout,
    /store ClickHouse at http:\/\/db:8123; reads HTTP only; policy in shadow mode; HTTP at 127\.0\.0\.1:4420/,
  );
});

test('a policy’s tests are run, and what it decides otherwise is wrong with 2', () => {
  const rule = '{ name: any, action: throttle, ttl: 15m, why: because }';
  const policy = file('policy.yaml', `version: 1\nrules: [${rule}]\n`);
  const config = file('with-policy.yaml', `detect: { policyFile: ${policy} }\n`);
  const expecting = (expected: string) =>
    file('policy.test.yaml', `cases: [{ name: one finding, steps: [{ expect: [${expected}] }] }]\n`);
  const right = gait(['check-config', '-c', config, '--test', expecting('throttle any shadow')]);
  assert.equal(right.status, 0, right.stderr);
  const wrong = gait(['check-config', '-c', config, '--test', expecting('notify any shadow')]);
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /^policy\.test\.yaml: one finding: step 1: decided \[throttle any shadow\]/);
});

test('a new API key comes with the hash that the configuration takes', () => {
  const { status, stdout } = gait(['check-config', '--hash-key']);
  assert.equal(status, 0);
  const [, key, sha256] = /^key {5}(gait_\S{43}) .*\nsha256 {2}([0-9a-f]{64}) /.exec(stdout) ?? assert.fail(stdout);
  assert.equal(createHash('sha256').update(key!).digest('hex'), sha256);
});

test('there is nothing to migrate without a store', () => {
  const { status, stderr } = gait(['migrate', '-c', file('off.yaml', 'store: { kind: off }\n')]);
  assert.deepEqual([status, stderr], [2, 'there is nothing to migrate: store.kind is off\n']);
});
