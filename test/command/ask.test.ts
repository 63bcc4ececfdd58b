import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import type { HttpParts } from '../../src/http/parts.ts';
import { apiKey, sampleParts, serve } from '../http/client.ts';
import { sampleDecision, sampleFinding } from '../http/sample.ts';
import { gait } from './gait-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'gait-ask-'));
after(() => rmSync(folder, { recursive: true }));

async function running(t: TestContext, changes: Partial<HttpParts> = {}, ...keys: ReturnType<typeof apiKey>[]) {
  const server = await serve(sampleParts(changes), { keys });
  t.after(() => server.close());
  const key = keys[0]?.name;
  const env = { GAIT_URL: server.address, ...(key && { GAIT_KEY: key }) };
  const run = (...args: string[]) => gait(args, { cwd: folder, env });
  return { server, run };
}

test('a list follows the pages until it has as many as were asked for', async (t) => {
  const asked: unknown[] = [];
  const queries: HttpParts['queries'] = {
    ...sampleParts().queries,
    findings: async (filter) => {
      asked.push({ ...filter });
      const rows = Array.from({ length: filter.limit ?? 0 }, (_, i) => sampleFinding({ finding_id: `fnd_${i}` }));
      return { rows, next: '1700000000000_fnd_x' };
    },
  };
  const { run } = await running(t, { queries });
  const { code, stdout, stderr } = await run(
    'findings',
    '-n',
    '700',
    '--severity',
    'high',
    '--since',
    '2026-01-01T00:00:00Z',
  );
  assert.deepEqual([code, stderr], [0, '']);
  assert.equal(stdout.trimEnd().split('\n').length, 700);
  const same = { severity: 'high', since: Date.UTC(2026, 0, 1) };
  assert.deepEqual(asked, [
    { ...same, limit: 500 },
    { ...same, limit: 200, cursor: '1700000000000_fnd_x' },
  ]);
});

test('one finding is shown with its reasons and the decisions that rest on it', async (t) => {
  const decision = { ...sampleDecision, finding_ids: [sampleFinding().finding_id] };
  const others = { ...sampleDecision, decision_id: 'dec_other' };
  const queries = { ...sampleParts().queries, decisions: async () => ({ rows: [decision, others], next: undefined }) };
  const { run } = await running(t, { queries });
  const id = sampleFinding().finding_id;
  const { code, stdout } = await run('finding', id);
  assert.equal(code, 0);
  assert.match(stdout, /400 calls in a minute; 5 to 18 are usual/);
  assert.match(stdout, /^dec_1\tstep-up\tshadow\t/m);
  assert.doesNotMatch(stdout, /dec_other/);
  const { decisions, ...finding } = JSON.parse((await run('finding', id, '--json')).stdout);
  assert.deepEqual(finding, sampleFinding());
  assert.deepEqual(decisions, [decision]);
});

test('a person decides and takes it back: the identity, the reason and the mode arrive as they were given', async (t) => {
  const orders: unknown[] = [];
  const { run } = await running(
    t,
    {
      order: async (order) => {
        orders.push(order);
        return 'ntc_0123456789abcdef01234567';
      },
    },
    apiKey('a-key-for-tests', 'admin'),
  );
  const made = await run(
    'decide',
    "user:acme:o'hara/..",
    'revoke-identity',
    '--ttl',
    '1h',
    '-r',
    'asked by phone',
    '--shadow',
  );
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /^dec_[0-9a-f]{24}\n$/);
  const ended = await run('decide', 'dec_1/..%2f', 'restore', '-r', 'it was her', '-i', 'user:acme:alice');
  assert.deepEqual([ended.code, ended.stdout], [0, 'dec_1/..%2f ends\n']);
  const common = { by: 'a-key-for-tests', session_id: null };
  const wanted = { notice: 'decide', action: 'revoke-identity', mode: 'shadow', ttl_ms: 3_600_000 };
  assert.deepEqual(orders, [
    { ...common, ...wanted, reason: 'asked by phone', identity: "user:acme:o'hara/.." },
    { ...common, notice: 'restore', reason: 'it was her', identity: 'user:acme:alice', decision_id: 'dec_1/..%2f' },
  ]);
});

test('what is wrong is one sentence on standard error: 2 for what was asked, 1 for what could not be done', async (t) => {
  const open = await running(t);
  const locked = await running(t, {}, apiKey('the-right-key', 'analyst'));
  const withKey = (key: string) =>
    gait(['findings'], { cwd: folder, env: { GAIT_URL: locked.server.address, GAIT_KEY: key } });
  writeFileSync(join(folder, 'key'), 'the-right-key\n');
  writeFileSync(join(folder, 'keys'), 'one\ntwo\n');
  const cases: readonly (readonly [Awaited<ReturnType<typeof gait>>, number, RegExp])[] = [
    [await open.run('finding', 'fnd_none'), 1, /^there is none of this id$/],
    [await open.run('finding', '..'), 2, /names nothing/],
    [await open.run('findings', '--since', 'yesterday'), 2, /^--since: expected/],
    [await open.run('decide', 'user:-:a', 'throttle', '-r', 'x'), 2, /^--ttl/],
    [await open.run('decide', 'nobody', 'throttle', '-t', '1h', '-r', 'x'), 2, /kind:tenant:id/],
    [await open.run('findings', '--url', 'http://gait.example'), 2, /^--url: expected https/],
    [await open.run('findings', '--url', 'https://user:secret@gait.example'), 2, /^--url: expected https/],
    [await open.run('findings', '--url', 'http://127.0.0.1:9'), 1, /^no Gait answers at http:\/\/127\.0\.0\.1:9: /],
    [await open.run('findings', '--key-file', 'nowhere'), 2, /^nowhere: the key cannot be read$/],
    [await open.run('findings', '--key-file', 'keys'), 2, /^keys: expected one key/],
    [
      await gait(['findings'], { cwd: folder, env: { GAIT_URL: locked.server.address } }),
      1,
      /^a key is needed: GAIT_KEY/,
    ],
    [await withKey('the-wrong-key'), 1, /^the key was not accepted$/],
  ];
  for (const [{ code, stdout, stderr }, expected, pattern] of cases) {
    assert.deepEqual([code, stdout, stderr.trimEnd().split('\n').length], [expected, '', 1], stderr);
    assert.match(stderr.trimEnd(), pattern);
    assert.doesNotMatch(stderr, /the-wrong-key|secret|one\s*two/);
  }
  assert.equal((await withKey('the-right-key')).code, 0);
  const fromFile = { GAIT_URL: locked.server.address, GAIT_KEY: 'the-wrong-key' };
  assert.equal((await gait(['findings', '--key-file', 'key'], { cwd: folder, env: fromFile })).code, 0);
});

test('a key goes to no other address, and an answer that is not Gait’s is none', async (t) => {
  const seen: (string | undefined)[] = [];
  const thief = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end('{}');
  });
  const door = createServer((request, response) => {
    if (request.url?.startsWith('/html')) return void response.end('<html>\u001b[31m');
    response.writeHead(302, { location: `http://127.0.0.1:${(thief.address() as AddressInfo).port}/` }).end();
  });
  for (const server of [thief, door]) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => void server.close());
  }
  const url = `http://127.0.0.1:${(door.address() as AddressInfo).port}`;
  for (const path of ['', '/html']) {
    const { code, stdout, stderr } = await gait(['findings', '--url', url + path], {
      cwd: folder,
      env: { GAIT_KEY: 'a-key' },
    });
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^HTTP \d+, and not as Gait answers: is this its address\?\n$/);
  }
  assert.deepEqual(seen, []);
});
