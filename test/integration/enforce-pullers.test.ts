import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { identityKey } from '../../src/identity/identity-key.ts';
import { alice, freePort, missing, startGait, startProduct, until } from './enforcement.ts';

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'gait-puller-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const address = identityKey('address', null, '192.0.2.66');

test("CrowdSec's custom bouncer from Debian receives a decision about an address, and its end", {
  skip: missing('crowdsec-custom-bouncer', '-h'),
}, async (t) => {
  const gait = await startGait(t);
  const folder = folderOf(t);
  const calls = join(folder, 'calls');
  const script = join(folder, 'act.sh');
  writeFileSync(script, `#!/bin/sh\necho "$1 $2 $3 $4" >> ${calls}\n`);
  chmodSync(script, 0o755);
  const settings = {
    bin_path: script,
    update_frequency: '1s',
    cache_retention_duration: '1s',
    daemonize: false,
    log_mode: 'stdout',
    piddir: folder,
    api_url: `${gait.server.address}/`,
    api_key: 'any',
    prometheus: { enabled: false },
  };
  writeFileSync(join(folder, 'bouncer.yaml'), JSON.stringify(settings));
  const bouncer = spawn('crowdsec-custom-bouncer', ['-c', join(folder, 'bouncer.yaml')]);
  let output = '';
  for (const stream of [bouncer.stdout, bouncer.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk));
  t.after(async () => {
    bouncer.kill('SIGKILL');
    if (bouncer.exitCode === null && bouncer.signalCode === null)
      await new Promise((resolve) => bouncer.once('exit', resolve));
  });
  const called = (pattern: RegExp): Promise<string> =>
    until(() => {
      assert.equal(bouncer.exitCode, null, output);
      return existsSync(calls) ? pattern.exec(readFileSync(calls, 'utf8'))?.[0] : undefined;
    }, `${pattern} of the bouncer: ${output}`);
  const decision = await gait.publish({ identity: address, identity_kind: 'address', action: 'throttle' });
  await gait.publish({ action: 'revoke-identity' });
  await called(/^add 192\.0\.2\.66 \d+ gait\/throttle$/m);
  await gait.publish({ ...decision, version: 2, change: 'restored', action: 'restore' });
  await called(/^del 192\.0\.2\.66 \d+ gait\/throttle$/m);
  assert.doesNotMatch(readFileSync(calls, 'utf8'), /alice/, 'a decision about a user is none about an address');
});

const opa = process.env.OPA ?? 'opa';
/** Debian has none, so it may be missing where CI is set as well. */
const hasOpa = spawnSync(opa, ['version']).error === undefined;

test('a real Open Policy Agent takes the snapshot, then deltas by long polling, and answers with them', {
  skip: hasOpa
    ? false
    : 'opa is not installed (go install github.com/open-policy-agent/opa@latest; OPA names its path)',
}, async (t) => {
  const gait = await startGait(t);
  await gait.publish({ action: 'step-up', acr_values: ['gold'], max_age: 0 });
  const folder = folderOf(t);
  const port = await freePort();
  const settings = {
    services: { gait: { url: gait.server.address, credentials: { bearer: { token: 'any' } } } },
    bundles: {
      gait: {
        service: 'gait',
        resource: 'v1/opa/bundle.tar.gz',
        polling: { long_polling_timeout_seconds: 10, min_delay_seconds: 1, max_delay_seconds: 2 },
      },
    },
  };
  writeFileSync(join(folder, 'opa.json'), JSON.stringify(settings));
  const rego = `package api
default allow := true
allow := false if data.gait.decisions[input.identity].expires_at > input.now
`;
  writeFileSync(join(folder, 'api.rego'), rego);
  const args = [
    'run',
    '--server',
    '--addr',
    `127.0.0.1:${port}`,
    '--config-file',
    'opa.json',
    '--disable-telemetry',
    'api.rego',
  ];
  await startProduct(t, [opa, ...args], { port, cwd: folder });
  const allows = async (identity: string, aheadMs = 0): Promise<boolean> => {
    const body = JSON.stringify({ input: { identity, now: gait.clock.now() + aheadMs } });
    const answer = await fetch(`http://127.0.0.1:${port}/v1/data/api/allow`, { method: 'POST', body });
    return ((await answer.json()) as { result: boolean }).result;
  };
  await until(async () => (await allows(alice)) === false || undefined, 'the snapshot');
  assert.equal(await allows(alice, 700_000), true, 'expired by its own time');
  const odd = identityKey('user', null, 'a/b~c:d e%');
  assert.equal(await allows(odd), true);
  const decision = await gait.publish({ identity: odd, action: 'revoke-identity' });
  const start = Date.now();
  await until(async () => (await allows(odd)) === false || undefined, 'the delta');
  assert.ok(Date.now() - start < 5000, 'a long poll is answered by the change');
  await gait.publish({ ...decision, version: 2, change: 'restored', action: 'restore' });
  await until(async () => (await allows(odd)) || undefined, 'the end');
  assert.equal(await allows(alice), false, 'what did not change is still there');
});
