import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { checkTarget } from '../../src/core/post.ts';
import { createHttpPost } from '../../src/signal/http-post.ts';
import { answer, silence, startReceiver } from './receiver.ts';

const clock = { now: () => Date.UTC(2026, 0, 1) };
const post = createHttpPost({ clock, timeoutMs: 10_000 });
const { signal } = new AbortController();
/** An address at which something listened a moment ago. */
async function closedAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

const request = (url: string) => ({ url, headers: { 'content-type': 'application/json' }, body: '{}' });

test('each status means delivered, refused, gone or worth another try', async (context) => {
  const meanings = {
    delivered: [200, 202, 204],
    rejected: [301, 302, 307, 400, 401, 403, 404, 413, 422],
    gone: [410],
    failed: [408, 429, 500, 502, 503, 504],
  };
  for (const [kind, statuses] of Object.entries(meanings)) {
    for (const status of statuses) {
      const { url } = await startReceiver(context, answer(status, status === 302 ? { location: '/elsewhere' } : {}));
      assert.equal((await post(request(url), signal)).kind, kind, String(status));
    }
  }
});

test('a redirect is never followed, to this host or another', async (context) => {
  const other = await startReceiver(context);
  const first = await startReceiver(context, answer(307, { location: other.url }));
  assert.equal((await post(request(first.url), signal)).kind, 'rejected');
  assert.equal(other.received.length, 0);
});

test('a receiver that does not answer, refuses the connection or stops in its answer may work later', async (context) => {
  const hasty = createHttpPost({ clock, timeoutMs: 300 });
  const silent = await startReceiver(context, silence);
  assert.deepEqual(await hasty(request(silent.url), signal), {
    kind: 'failed',
    status: null,
    detail: 'timed out',
    retryAfterMs: null,
  });
  const stuck = await startReceiver(context, (response) => void response.writeHead(200).write('half'));
  assert.equal((await hasty(request(stuck.url), signal)).kind, 'failed');
  assert.equal((await post(request(await closedAddress()), signal)).detail, 'ECONNREFUSED');
});

test('Retry-After is read as seconds or as a date, and never beyond an hour', async (context) => {
  for (const [header, ms] of [
    ['7', 7000],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['999999', 3_600_000],
    ['soon', null],
  ] as const) {
    const { url } = await startReceiver(context, answer(429, { 'retry-after': header }));
    assert.equal((await post(request(url), signal)).retryAfterMs, ms, header);
  }
});

test('an endless answer is read for its first words only', async (context) => {
  const { url } = await startReceiver(context, (response) => {
    const write = (): boolean => response.write('x'.repeat(65_536));
    response.on('drain', write);
    response.on('error', () => {});
    write();
  });
  const result = await post(request(url), signal);
  assert.equal(result.kind, 'delivered');
  assert.ok(result.detail.length <= 120);
});

test('what is kept of an answer is printable and never holds the secret part of the address', async (context) => {
  const { url } = await startReceiver(context, answer(404, {}, '\u001b[31mno /services/T0/B0/s3cret\u0000'));
  const { detail } = await post(request(`${url}/services/T0/B0/s3cret`), signal);
  assert.equal(detail, 'HTTP 404  [31mno …');
});

test('an address is https, or http to this machine, unless http is allowed on purpose', () => {
  for (const url of [
    'https://hooks.example.com/x',
    'http://127.0.0.1:8080/',
    'http://localhost/x',
    'http://[::1]:80/',
  ]) {
    assert.equal(checkTarget(url), url);
  }
  const insecure = 'http://hooks.example.com/';
  assert.equal(checkTarget(insecure, true), insecure);
  for (const url of [
    insecure,
    'http://127.example.com/',
    'ftp://localhost/',
    'file:///etc/passwd',
    'nonsense',
    'https://u:p@h/',
  ]) {
    assert.throws(() => checkTarget(url), { code: 'CONFIG_INVALID' }, url);
  }
});
