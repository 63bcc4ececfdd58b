import assert from 'node:assert/strict';
import { once } from 'node:events';
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

/** A connection on which bytes are sent as they stand; `until` resolves with all that came once the pattern is in it. */
function dial(server: { readonly address: string }) {
  const socket = connect({ port: Number(new URL(server.address).port), host: '127.0.0.1', allowHalfOpen: true });
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
    socket.emit('more');
  });
  socket.on('error', () => undefined);
  const until = async (pattern: RegExp): Promise<string> => {
    while (!pattern.test(text)) await once(socket, 'more', { signal: AbortSignal.timeout(10_000) });
    const all = text;
    text = '';
    return all;
  };
  return { socket, until };
}

const question = (path: string): string => `GET /authz${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`;
const saysPath: HttpParts['ask'] = ({ path }) => ({ ...allow, headers: { 'x-gait-verdict': path } });

test('a connection is answered whatever comes on it, in whatever pieces, before and after plain questions', async (t) => {
  const server = await serve(sampleParts({ ask: saysPath }));
  t.after(server.close);
  const plain = /^HTTP\/1.1 200 OK\r\n(?:.+\r\n)*x-gait-verdict: (.+)\r\n(?:.+\r\n)*Keep-Alive: timeout=72\r\n\r\n$/;
  const ofOthers: readonly (readonly [string, RegExp])[] = [
    ['GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n', /^HTTP\/1.1 200 OK[\s\S]*\r\n\r\n[\s\S]+/],
    [`POST /authz/long HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\n\r\nabc`, plain],
    ['GET /authz/old HTTP/1.0\r\nhost: localhost\r\nconnection: keep-alive\r\n\r\n', /x-gait-verdict: \/old/],
    ['GET /authzother HTTP/1.1\r\nhost: localhost\r\n\r\n', /^HTTP\/1.1 404/],
    ['\r\n', /^$/],
    [question('/odd').replace('host', 'x-odd : a\r\nhost'), /^HTTP\/1.1 400/],
  ];
  for (const [sent, expected] of ofOthers) {
    const { socket, until } = dial(server);
    t.after(() => socket.destroy());
    for (const path of ['/a', '/b']) {
      socket.write(question(path));
      assert.equal(plain.exec(await until(/\r\n\r\n$/))?.[1], path);
    }
    // In pieces, so that the server sees them one by one: each of them is answered by nothing.
    for (const [i, piece] of [...sent].entries()) {
      if (i < 12) await new Promise((resolve) => socket.write(piece, resolve));
      else {
        socket.write(sent.slice(i));
        break;
      }
    }
    await until(expected);
    if (/400|404/.test(expected.source)) continue;
    socket.write(question('/c'));
    assert.match(await until(/x-gait-verdict: \/c\r\n/), /200 OK/);
  }
});

test('a head larger than the limit is refused on whatever connection it comes', async (t) => {
  const server = await serve(sampleParts({ ask: saysPath }));
  t.after(server.close);
  const { socket, until } = dial(server);
  t.after(() => socket.destroy());
  socket.write(question('/a'));
  await until(/x-gait-verdict: \/a/);
  socket.write(question('/b').replace('host', `x-long: ${'x'.repeat(70_000)}\r\nhost`));
  await until(/^HTTP\/1.1 431/);
});

test('who ends his side, hangs up or does not read is forgotten, and the others are answered', async (t) => {
  const waiting: (() => void)[] = [];
  const later = (): Promise<EnforcementAnswer> => new Promise((resolve) => waiting.push(() => resolve(allow)));
  const server = await serve(sampleParts({ ask: (asked) => (asked.path === '/later' ? later() : saysPath(asked)) }));
  t.after(server.close);
  const gone = dial(server);
  gone.socket.write(question('/later'));
  while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
  gone.socket.destroy();
  const half = dial(server);
  half.socket.end(question('/half'));
  assert.match(await half.until(/\r\n\r\n$/), /x-gait-verdict: \/half/);
  await once(half.socket, 'end');
  const deaf = dial(server);
  deaf.socket.pause();
  for (let i = 0; i < 100; i++) deaf.socket.write(question('/deaf'));
  for (const answer of waiting) answer();
  const { socket, until } = dial(server);
  t.after(() => {
    socket.destroy();
    deaf.socket.destroy();
  });
  socket.write(question('/alive'));
  assert.match(await until(/\r\n\r\n$/), /x-gait-verdict: \/alive/);
});

test('a server that closes answers what is under way, and ends the connections that ask nothing', async (t) => {
  const waiting: (() => void)[] = [];
  const later = (): Promise<EnforcementAnswer> => new Promise((resolve) => waiting.push(() => resolve(allow)));
  const server = await serve(sampleParts({ ask: (asked) => (asked.path === '/later' ? later() : saysPath(asked)) }));
  const idle = dial(server);
  idle.socket.write(question('/a'));
  await idle.until(/\r\n\r\n$/);
  const busy = dial(server);
  t.after(() => busy.socket.destroy());
  busy.socket.write(question('/later'));
  while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const closed = server.close();
  await once(idle.socket, 'end');
  waiting[0]!();
  assert.match(await busy.until(/\r\n\r\n$/), /200 OK[\s\S]*Connection: close/);
  busy.socket.end();
  idle.socket.end();
  await closed;
});
