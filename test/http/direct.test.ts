import assert from 'node:assert/strict';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { GaitError } from '../../src/core/errors.ts';
import type { EnforcementAnswer, HttpParts } from '../../src/http/parts.ts';
import { type Answer, apiKey, ask, sampleParts, serve } from './client.ts';

const allow: EnforcementAnswer = {
  status: 200,
  headers: { 'x-gait-verdict': 'allow' },
  decisionId: null,
  riskLevel: null,
  error: null,
};
const revoked: EnforcementAnswer = {
  ...allow,
  status: 401,
  headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
  error: { code: 'revoked', message: 'this session was ended' },
};
const throttled: EnforcementAnswer = { ...revoked, status: 429, headers: { 'retry-after': '7' } };

const fail = (error: Error) => (): never => {
  throw error;
};
const away = new GaitError('STORE_UNAVAILABLE', 'http://gait:pw@clickhouse:8123 refused');
const answers: Readonly<Record<string, HttpParts['ask']>> = {
  allow: () => allow,
  revoked: () => revoked,
  throttled: () => throttled,
  'allow later': async () => allow,
  'revoked later': async () => revoked,
  'fails at once': fail(new TypeError('undefined is not a table')),
  'fails later': async () => fail(new TypeError('undefined is not a table'))(),
  'a part is away': fail(away),
};

const body = 'of the call';
const ofBody = { 'content-length': String(body.length) };

function comparable({ status, headers: { date: _, ...headers }, text }: Answer): object {
  return { status, headers, text };
}

test('a question without a body is answered past the framework, byte for byte as the framework answers one with a body', async (t) => {
  const keys = [apiKey('nginx', 'enforce'), apiKey('sender', 'ingest')];
  for (const [name, answer] of Object.entries(answers)) {
    for (const known of [[], keys]) {
      const server = await serve(sampleParts({ ask: answer }), { keys: known });
      t.after(server.close);
      const shown: Record<string, string>[] =
        known.length === 0
          ? [{}, { host: 'rebound.example' }, { 'x-gait-denials': '403' }]
          : [{}, { 'x-gait-key': 'nginx' }, { 'x-gait-key': 'sender' }, { 'x-gait-key': 'guessed' }];
      for (const headers of shown)
        for (const method of ['GET', 'HEAD', 'POST', 'DELETE']) {
          const plain = await ask(server, '/authz/orders?a=b', { method, headers });
          const long = await ask(server, '/authz/orders?a=b', { method, headers: { ...headers, ...ofBody }, body });
          assert.deepEqual(comparable(plain), comparable(long), `${name}, ${method} ${JSON.stringify(headers)}`);
          assert.equal(plain.headers['cache-control'], 'no-store');
          assert.equal(plain.headers['x-content-type-options'], plain.status === 200 ? undefined : 'nosniff');
        }
    }
  }
});

test('what failed is told to the log in full, to the gateway as a code, and all are counted', async (t) => {
  const broken = new TypeError('undefined is not a table');
  const noHeader = { ...allow, headers: { 'x-gait-subject': 'a\r\nset-cookie: b=c' } };
  const asks = [fail(broken), fail(away), () => noHeader];
  const parts = sampleParts({ ask: () => asks.shift()!() });
  const server = await serve(parts);
  t.after(server.close);
  const told = [await ask(server, '/authz'), await ask(server, '/authz'), await ask(server, '/authz')];
  assert.deepEqual(
    told.map(({ status, headers }) => [status, headers['retry-after'], headers['set-cookie']]),
    [
      [500, undefined, undefined],
      [503, '5', undefined],
      [500, undefined, undefined],
    ],
  );
  for (const { text } of told) assert.doesNotMatch(text, /clickhouse|table|cookie|stack|\.ts/);
  assert.match(server.logged.join(''), /undefined is not a table[\s\S]*"route":"\/authz"/);
  await parts.metrics.expose();
  // To look at the numbers does not change them.
  const { text } = await parts.metrics.expose();
  for (const [status, count] of [
    [500, 2],
    [503, 1],
  ])
    assert.ok(text.includes(`gait_http_requests_total{route="/authz",status="${status}"} ${count}\n`), text);
});

test('a body beyond the limit is refused, and none is taken for the next question', async (t) => {
  let asked = 0;
  const count = (): EnforcementAnswer => {
    asked++;
    return allow;
  };
  const server = await serve(sampleParts({ ask: count }), { bodyBytesMax: 1000 });
  t.after(server.close);
  assert.equal((await ask(server, '/authz', { method: 'POST', body: 'x'.repeat(1001) })).status, 413);
  assert.equal(asked, 0);
  const smuggled = 'GET /authz/smuggled HTTP/1.1\r\nhost: localhost\r\n\r\n';
  assert.equal((await ask(server, '/authz', { method: 'POST', body: smuggled })).status, 200);
  assert.equal(asked, 1);
});

test('questions sent one after the other without waiting are answered in their order, slow ones too', async (t) => {
  const server = await serve(
    sampleParts({
      ask: ({ path }) => {
        const answer = { ...allow, headers: { 'x-gait-verdict': path } };
        return path === '/slow' ? new Promise((resolve) => setImmediate(resolve, answer)) : answer;
      },
    }),
  );
  t.after(server.close);
  const socket = connect({ port: Number(new URL(server.address).port), host: '127.0.0.1' });
  t.after(() => socket.destroy());
  const paths = ['/slow', '/quick', '/slow', '/last'];
  socket.write(paths.map((path) => `GET /authz${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`).join(''));
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
    if (text.includes('/last')) break;
  }
  assert.deepEqual(
    [...text.matchAll(/x-gait-verdict: (\S+)/g)].map((match) => match[1]),
    paths,
  );
});

test('a gateway that keeps asking on its connection cannot keep the server from closing', async (t) => {
  const server = await serve(sampleParts({ ask: async () => allow }));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const once = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const sent = request(`${server.address}/authz`, { agent }, (response: IncomingMessage) => {
        response.resume().once('end', () => resolve(response.statusCode ?? 0));
      });
      sent.on('error', reject).end();
    });
  assert.equal(await once(), 200);
  const asking = (async () => {
    for (;;) assert.ok([200, 503].includes(await once()));
  })();
  await Promise.all([server.close(), assert.rejects(asking, { code: /^ECONN/ })]);
});
