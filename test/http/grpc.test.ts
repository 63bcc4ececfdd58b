import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ClientUnaryCall, credentials, Metadata, makeClientConstructor, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Config } from '../../src/config/config.ts';
import { createLogger } from '../../src/config/logging.ts';
import { startGrpc } from '../../src/http/grpc.ts';
import type { EnforcementAnswer, EnforcementQuestion } from '../../src/http/parts.ts';
import { apiKey } from './client.ts';

const protoPath = join(import.meta.dirname, '../../../pipelines/enforce/ext-authz.proto');

type Check = (
  request: object,
  metadata: Metadata,
  done: (error: ServiceError | null, reply: Reply) => void,
) => ClientUnaryCall;
type Header = { readonly header: { readonly key: string; readonly value: string } };
type Reply = {
  readonly status: { readonly code: number };
  readonly http_response: string;
  readonly denied_response?: {
    readonly status: { readonly code: number };
    readonly headers: readonly Header[];
    readonly body: string;
  };
  readonly ok_response?: { readonly headers: readonly Header[] };
  readonly dynamic_metadata: { readonly fields: Readonly<Record<string, { readonly stringValue: string }>> };
};

const allow: EnforcementAnswer = {
  status: 200,
  headers: { 'x-gait-decision': '-' },
  decisionId: null,
  riskLevel: null,
  error: null,
};
const challenge: EnforcementAnswer = {
  status: 401,
  headers: {
    'x-gait-decision': 'dec_1',
    'x-gait-risk': 'HIGH',
    'www-authenticate': 'Bearer error="insufficient_user_authentication"',
  },
  decisionId: 'dec_1',
  riskLevel: 'HIGH',
  error: { code: 'step-up', message: 'a fresh authentication is needed' },
};

type Given = EnforcementAnswer | Promise<EnforcementAnswer>;

async function serve(t: TestContext, given: Given, keys: Config['http']['keys'] = []) {
  const asked: EnforcementQuestion[] = [];
  const server = await startGrpc({
    listen: { host: '127.0.0.1', port: 0 },
    http: { host: '127.0.0.1', port: 0, bodyBytesMax: 1024, keys },
    protoPath,
    ask: (question) => {
      asked.push(question);
      return given;
    },
    logger: createLogger('silent'),
  });
  const service = loadSync(protoPath, { keepCase: true, oneofs: true, defaults: true })[
    'envoy.service.auth.v3.Authorization'
  ];
  const Client = makeClientConstructor(service as Parameters<typeof makeClientConstructor>[0], 'Authorization');
  const client = new Client(server.address, credentials.createInsecure());
  t.after(async () => {
    client.close();
    await server.close();
  });
  const check = (request: object, key?: string): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const metadata = new Metadata();
      if (key !== undefined) metadata.set('x-gait-key', key);
      (client.Check as Check).call(client, request, metadata, (error, reply) =>
        error ? reject(error) : resolve(reply),
      );
    });
  return { check, asked, server };
}

const payload = { fields: { sub: { stringValue: 'alice' }, auth_time: { numberValue: 1767225600 } } };
const request = {
  attributes: {
    source: { address: { socket_address: { address: '192.0.2.7' } } },
    request: { http: { path: '/orders/1?x=2', headers: { authorization: 'Bearer t' } } },
    metadata_context: {
      filter_metadata: { 'envoy.filters.http.jwt_authn': { fields: { jwt_payload: { structValue: payload } } } },
    },
  },
};

test('Envoy’s question arrives with headers, path, address, and the claims that jwt_authn verified', async (t) => {
  const { check, asked } = await serve(t, allow);
  const reply = await check(request);
  assert.deepEqual(asked, [
    {
      headers: { authorization: 'Bearer t' },
      path: '/orders/1',
      point: 'local',
      verifiedClaims: { sub: 'alice', auth_time: 1767225600 },
      clientIp: '192.0.2.7',
    },
  ]);
  assert.deepEqual([reply.status.code, reply.http_response], [0, 'ok_response']);
  assert.deepEqual(
    reply.ok_response?.headers.map(({ header }) => [header.key, header.value]),
    [['x-gait-decision', '-']],
  );
});

test('raw headers arrive as well, the first of those that were sent twice, names in small letters, and a question without anything is still answered', async (t) => {
  const { check, asked } = await serve(t, allow);
  const raw = (key: string, value: string) => ({ key, raw_value: Buffer.from(value) });
  const header_map = { headers: [raw('Authorization', 'Bearer raw'), raw('authorization', 'Bearer other')] };
  await check({ attributes: { request: { http: { path: '/', header_map } } } });
  await check({ attributes: { request: { http: { path: '/', headers: { Authorization: 'Bearer mapped' } } } } });
  await check({});
  assert.deepEqual(
    asked.map(({ headers, clientIp, verifiedClaims }) => [headers, clientIp, verifiedClaims]),
    [
      [{ authorization: 'Bearer raw' }, null, null],
      [{ authorization: 'Bearer mapped' }, null, null],
      [{}, null, null],
    ],
  );
});

test('a refusal carries status, challenge and body for the client, and the decision as metadata for the log', async (t) => {
  const { check } = await serve(t, challenge);
  const reply = await check(request);
  assert.deepEqual(
    [reply.status.code, reply.http_response, reply.denied_response?.status.code],
    [16, 'denied_response', 401],
  );
  const header = reply.denied_response?.headers.find(({ header }) => header.key === 'www-authenticate');
  assert.match(header?.header.value ?? '', /insufficient_user_authentication/);
  assert.ok(
    reply.denied_response?.headers.every((each) => each.header.key !== 'x-gait-risk'),
    'not the caller’s business',
  );
  const { decision_id, risk_level } = reply.dynamic_metadata.fields;
  assert.deepEqual([decision_id?.stringValue, risk_level?.stringValue], ['dec_1', 'HIGH']);
});

test('where keys are configured one of the role enforce is needed', async (t) => {
  const { check, asked } = await serve(t, allow, [apiKey('envoy', 'enforce'), apiKey('sender', 'ingest')]);
  await assert.rejects(check(request), { code: 16 });
  await assert.rejects(check(request, 'guessed'), { code: 16 });
  await assert.rejects(check(request, 'sender'), { code: 7 });
  await check(request, 'envoy');
  assert.deepEqual(
    asked.map(({ point }) => point),
    ['envoy'],
  );
});

const checkPath = '/envoy.service.auth.v3.Authorization/Check';

type Raw = { readonly path?: string; readonly body: Buffer; readonly headers?: Record<string, string> };

function dial(t: TestContext, address: string): ClientHttp2Session {
  const session = connect(`http://${address}`);
  t.after(() => session.destroy());
  return session;
}

/** What is on the wire: the status of HTTP, the code of gRPC from headers or trailers, and the bytes of the message. */
function call(session: ClientHttp2Session, { path = checkPath, body, headers }: Raw) {
  return new Promise<{ readonly status: number; readonly code: string; readonly bytes: Buffer }>((resolve, reject) => {
    const start = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...headers };
    const stream = session.request(start);
    const chunks: Buffer[] = [];
    let said: Record<string, unknown> = {};
    stream.on('response', (each) => {
      said = { ...said, ...each };
    });
    stream.on('trailers', (each) => {
      said = { ...said, ...each };
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () =>
      resolve({ status: Number(said[':status']), code: String(said['grpc-status']), bytes: Buffer.concat(chunks) }),
    );
    stream.end(body);
  });
}

function framed(message: Buffer, flag = 0): Buffer {
  const prefix = Buffer.alloc(5, flag);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

test('what is no unary call of a known method is refused with the code of gRPC that says why', async (t) => {
  const { server, asked } = await serve(t, allow);
  const session = dial(t, server.address);
  const empty = framed(Buffer.alloc(0));
  const codeOf = async (raw: Raw): Promise<string> => (await call(session, raw)).code;
  assert.equal(await codeOf({ path: '/envoy.service.auth.v3.Authorization/Other', body: empty }), '12');
  assert.equal(await codeOf({ body: framed(Buffer.alloc(0), 1) }), '12', 'compressed');
  assert.equal(await codeOf({ body: Buffer.alloc(0) }), '13', 'no message');
  assert.equal(await codeOf({ body: Buffer.concat([empty, empty]) }), '13', 'two messages');
  assert.equal(await codeOf({ body: empty.subarray(0, 3) }), '13', 'half a prefix');
  assert.equal(await codeOf({ body: framed(Buffer.from([0x0a, 0x7f])) }), '13', 'a message cut short');
  assert.equal(await codeOf({ body: framed(Buffer.alloc(2 * 1024 * 1024)) }), '8', 'too large');
  const page = await call(session, { body: empty, headers: { 'content-type': 'text/plain' } });
  assert.equal(page.status, 415);
  assert.equal(asked.length, 0);
  assert.equal(await codeOf({ body: empty }), '0', 'the connection outlives all of them');
});

test('without its key nobody’s message is read', async (t) => {
  const { server } = await serve(t, allow, [apiKey('envoy', 'enforce')]);
  const stream = dial(t, server.address).request({
    ':method': 'POST',
    ':path': checkPath,
    'content-type': 'application/grpc',
  });
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  assert.equal(headers['grpc-status'], '16', 'although the message has not begun');
  stream.destroy();
});

test('a stop lets a call under way end, and takes no other', async (t) => {
  let give: (answer: EnforcementAnswer) => void = () => undefined;
  const { server, asked, check } = await serve(t, new Promise((resolve) => (give = resolve)));
  const underWay = check(request);
  while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const closed = server.close();
  give(allow);
  assert.equal((await underWay).http_response, 'ok_response');
  await closed;
  const late = connect(`http://${server.address}`);
  await assert.rejects(once(late, 'connect'), { code: 'ECONNREFUSED' });
});

test('a caller who hangs up, and an answer that fails, end their own call only', async (t) => {
  let fail: (error: Error) => void = () => undefined;
  const { server, asked, check } = await serve(t, new Promise((_resolve, reject) => (fail = reject)));
  const gone = dial(t, server.address).request({
    ':method': 'POST',
    ':path': checkPath,
    'content-type': 'application/grpc',
  });
  gone.on('error', () => undefined);
  gone.end(framed(Buffer.alloc(0)));
  const failing = check(request);
  failing.catch(() => undefined);
  while (asked.length < 2) await new Promise((resolve) => setImmediate(resolve));
  gone.destroy();
  fail(new Error('a secret'));
  await assert.rejects(failing, (error: ServiceError) => error.code === 13 && !error.message.includes('secret'));
});
