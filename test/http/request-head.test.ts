import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, METHODS } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { readRequestHead } from '../../src/http/request-head.ts';

type Read = { readonly method: string; readonly url: string; readonly headers: IncomingHttpHeaders };

/** What Node's own parser reads out of the same bytes; null when it refuses them. */
let byNode: Read | null = null;
const node = createServer((request, response) => {
  byNode = { method: request.method ?? '', url: request.url ?? '', headers: request.headers };
  response.writeHead(200, { connection: 'close' }).end();
});
node.on('clientError', (_error, socket) => socket.destroy());
before(() => new Promise<void>((resolve) => node.listen(0, '127.0.0.1', resolve)));
after(() => node.close());

async function readByNode(text: string): Promise<Read | null> {
  byNode = null;
  const socket = connect({ port: (node.address() as AddressInfo).port, host: '127.0.0.1' });
  socket.on('error', () => undefined).resume();
  socket.end(Buffer.from(text, 'latin1'));
  await once(socket, 'close');
  return byNode;
}

const names = [
  'host',
  'Authorization',
  'cookie',
  'X-Forwarded-For',
  'x-gait-key',
  'user-agent',
  'constructor',
  '__proto__',
  'content-length',
  'connection',
  'Transfer-Encoding',
  'expect',
  'accept',
];
const values = [
  'localhost',
  'Bearer a.b.c',
  'sid=1',
  '0',
  '00',
  '3',
  'keep-alive',
  'close',
  'chunked',
  '\xe9 \xa0',
  '',
  ' a\tb ',
];
const oddLine = fc.tuple(
  fc.constantFrom(...names),
  fc.constantFrom(': ', ':', ' :', ':\t '),
  fc.constantFrom(...values),
);
const plainLine = fc.tuple(
  fc.constantFrom('Authorization', 'cookie', 'x-a', 'User-Agent', 'accept'),
  fc.constantFrom(': ', ':', ':\t '),
  fc.constantFrom('Bearer a.b.c', 'sid=1', '\xe9 \xa0', '', ' a\tb '),
);
const line = fc.oneof({ weight: 4, arbitrary: plainLine }, { weight: 1, arbitrary: oddLine });
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  put: fc.constantFrom('', '\r', '\n', '\r\n', '\t', ' ', ':', '\0', '\x7f', '\x80', 'x', '/', '\r\n\r\n', '\r\n '),
  instead: fc.constantFrom(0, 1, 2),
});
const request = fc.record({
  method: fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'BREW'),
  url: fc.constantFrom('/authz', '/authz/a%20b?c=d', '/authz/a', '/authz/\xe9', 'http://a/authz'),
  version: fc.oneof({ weight: 9, arbitrary: fc.constant('1.1') }, { weight: 1, arbitrary: fc.constant('1.0') }),
  hasHost: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  lines: fc.array(line, { maxLength: 5 }),
  changes: fc.array(change, { maxLength: 1 }),
});

function textOf({
  method,
  url,
  version,
  hasHost,
  lines,
  changes,
}: typeof request extends fc.Arbitrary<infer T> ? T : never) {
  const fields = lines.map((parts) => `${parts.join('')}\r\n`).join('');
  let text = `${method} ${url} HTTP/${version}\r\n${hasHost ? 'Host: localhost\r\n' : ''}${fields}\r\n`;
  for (const { at, put, instead } of changes) {
    const i = Math.floor(at * text.length);
    text = text.slice(0, i) + put + text.slice(i + instead);
  }
  return text;
}

test('what is read of a head, Node reads in the same way, whatever was sent', async () => {
  let read = 0;
  const runs = 1500;
  const property = fc.asyncProperty(request, async (asked) => {
    const text = textOf(asked);
    const head = readRequestHead(text);
    // What is no method at all goes to Node before this counts (direct.ts).
    if (head === null || !METHODS.includes(head.method)) return;
    read++;
    const { method, url, headers } = head;
    assert.deepEqual({ method, url, headers }, await readByNode(text), JSON.stringify(text));
  });
  await fc.assert(property, { numRuns: runs });
  assert.ok(read > runs / 10, `${read} of ${runs} could be read`);
});

const gateways = {
  'nginx, keep-alive':
    'GET /authz HTTP/1.1\r\nX-Gait-Key: k\r\nX-Original-URI: /orders/1\r\nX-Original-Method: PUT\r\nX-Forwarded-For: 192.0.2.1\r\nHost: gait\r\nAuthorization: Bearer a.b.c\r\nUser-Agent: curl/8\r\n\r\n',
  'Envoy, with the length of a body that it does not send':
    'POST /authz/orders?a=b HTTP/1.1\r\nhost: shop.example\r\nauthorization: Bearer a.b.c\r\nx-forwarded-for: 192.0.2.1\r\nx-envoy-internal: true\r\ncontent-length: 0\r\n\r\n',
  Caddy:
    'GET /authz HTTP/1.1\r\nHost: 127.0.0.1:4420\r\nUser-Agent: curl/8\r\nAccept: */*\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Uri: /a?b=c\r\nAccept-Encoding: gzip\r\n\r\n',
  autocannon:
    'GET /authz HTTP/1.1\r\nHost: 127.0.0.1:4420\r\nConnection: keep-alive\r\nauthorization: Bearer a.b.c\r\n\r\n',
};

for (const [who, text] of Object.entries(gateways))
  test(`the questions of gateways are plain: ${who}`, async () => {
    const head = readRequestHead(text);
    assert.ok(head !== null);
    const { method, url, headers, isLast } = head;
    assert.deepEqual({ method, url, headers }, await readByNode(text));
    assert.equal(isLast, false);
  });

test('a name that is sent twice is one list, or its first value, as Node has it', async () => {
  const text =
    'GET /authz HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\ncookie: b=2\r\nX-A: 1\r\nx-a: 2\r\nAuthorization: first\r\nauthorization: second\r\n\r\n';
  const headers = { host: 'a', cookie: 'a=1; b=2', 'x-a': '1, 2', authorization: 'first' };
  assert.deepEqual({ ...readRequestHead(text)?.headers }, headers);
  assert.deepEqual({ ...(await readByNode(text))?.headers }, headers);
});

test('whatever has a body, or anything behind its end, is not plain', () => {
  const plain = 'POST /authz HTTP/1.1\r\nHost: a\r\n';
  assert.notEqual(readRequestHead(`${plain}\r\n`), null);
  for (const rest of [
    'content-length: 1\r\n\r\n',
    'content-length: 1\r\n\r\nx',
    'content-length: +0\r\n\r\n',
    'content-length: 0\r\ncontent-length: 0\r\n\r\n',
    'transfer-encoding: chunked\r\n\r\n',
    'expect: 100-continue\r\n\r\n',
    'connection: upgrade\r\nupgrade: h2c\r\n\r\n',
    '\r\nx',
    `\r\n${plain}\r\n`,
    'x: a\r\n b\r\n\r\n',
    'x: a\n\r\n',
    '',
  ])
    assert.equal(readRequestHead(plain + rest), null, JSON.stringify(rest));
});
