import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { apiKey, ask, post, sampleParts, serve } from './client.ts';

const keys = [
  apiKey('ingest-key', 'ingest'),
  apiKey('analyst-key', 'analyst'),
  apiKey('enforce-key', 'enforce'),
  apiKey('admin-key', 'admin'),
];

/** Which statuses a key gets: events, findings, decisions, metrics. */
const allowed: Readonly<Record<string, readonly number[]>> = {
  'ingest-key': [202, 403, 403, 200],
  'analyst-key': [403, 200, 200, 200],
  'enforce-key': [403, 403, 200, 200],
  'admin-key': [202, 200, 200, 200],
  'no-such-key': [401, 401, 401, 401],
  '': [401, 401, 401, 401],
};

test('each key may do what its roles say and nothing else, by either header', async (t) => {
  const server = await serve(sampleParts(), { keys });
  t.after(server.close);
  for (const [key, expected] of Object.entries(allowed)) {
    for (const headers of [{ authorization: `Bearer ${key}` }, { 'x-api-key': key }]) {
      const answers = [await post(server, '{}', headers)];
      for (const path of ['/v1/findings', '/v1/decisions', '/metrics'])
        answers.push(await ask(server, path, { headers }));
      assert.deepEqual(
        answers.map(({ status }) => status),
        expected,
        key,
      );
    }
  }
});

test('without a key only health, readiness, the files of the dashboard and the OpenAPI document answer', async (t) => {
  const server = await serve(sampleParts(), { keys });
  t.after(server.close);
  for (const path of ['/healthz', '/readyz', '/', '/assets/main.js', '/openapi.json'])
    assert.equal((await ask(server, path)).status, 200, path);
  const refused = await ask(server, '/v1/findings');
  assert.equal(refused.status, 401);
  assert.match(String(refused.headers['www-authenticate']), /^Bearer/);
});

test('the hash of a key is not a key, and the body of a refused sender is not read', async (t) => {
  let ingested = 0;
  const ingest = async () => {
    ingested++;
    return { kind: 'accepted', accepted: 0, refused: [] } as const;
  };
  const server = await serve(sampleParts({ ingest }), { keys });
  t.after(server.close);
  assert.equal((await post(server, '{}', { 'x-api-key': keys[0]!.sha256 })).status, 401);
  assert.equal(ingested, 0);
});

test('keys are compared by digest in constant time, without an early end', () => {
  const code = readFileSync(join(import.meta.dirname, '../../../src/http/access.ts'), 'utf8');
  const compare = code.slice(code.indexOf('function keyOf'));
  assert.match(compare, /for \(const known of keys\) if \(timingSafeEqual\(known\.digest, digest\)\) found = known;/);
  assert.doesNotMatch(code, /(sha256|digest) ===/);
});

test('without keys a name that was rebound to loopback is refused, loopback names are not', async (t) => {
  const server = await serve(sampleParts());
  t.after(server.close);
  for (const host of ['localhost', 'LOCALHOST:4420', '127.0.0.1:1', '[::1]:4420']) {
    assert.equal((await ask(server, '/v1/findings', { headers: { host } })).status, 200, host);
  }
  for (const host of [
    'rebound.example',
    'rebound.example:4420',
    '127.0.0.1.example',
    'localhost.example',
    '10.0.0.1',
    '[::2]',
  ]) {
    assert.equal((await ask(server, '/v1/findings', { headers: { host } })).status, 403, host);
  }
});

test('without keys the page of another site can neither write nor read', async (t) => {
  const server = await serve(sampleParts());
  t.after(server.close);
  const origin = 'https://evil.example';
  assert.equal((await post(server, '{}', { origin })).status, 403);
  assert.equal((await post(server, '{}', { origin: 'null' })).status, 403);
  assert.equal((await post(server, '{}', { origin: server.address })).status, 202);
  // What a form or a plain fetch may send without asking first is not a type that is taken.
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    assert.equal((await post(server, '{}', { 'content-type': type })).status, 415, type);
  }
  const preflight = await ask(server, '/v1/events', {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST' },
  });
  assert.equal(preflight.headers['access-control-allow-origin'], undefined);
  assert.equal(preflight.status, 404);
});
