import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import { type FormatName, formatNames } from '../../src/core/words.ts';
import { AddressRanges } from '../../src/event/address-ranges.ts';
import { createDecoder } from '../../src/event/decode/decoder.ts';
import { RecordSplitter } from '../../src/event/decode/split-records.ts';
import { createEnrich } from '../../src/event/enrich.ts';
import { createRedactor } from '../../src/event/redact.ts';
import { createRouteTemplater } from '../../src/event/route-template.ts';
import { encodeLine } from '../../src/identity/event-line.ts';
import { createIngest, type Ingest, type Ingested, type IngestSource } from '../../src/identity/ingest.ts';
import { jwt } from '../event/decode/decode-one.ts';

const nowMs = Date.UTC(2026, 0, 15);
const redactor = createRedactor({ hmacKey: 'a key for tests only' });
const recordBytesMax = 1024 * 1024;
const good = { ts: 1766000000123, subject: 'u-1', method: 'GET', host: 'h', path: '/orders/42' };

function newIngest(source: Partial<IngestSource> & { format?: 'auto' | FormatName } = {}): Ingest {
  const { format = 'auto', ...rest } = source;
  return createIngest({
    sourceFor: () => ({ decoder: createDecoder({ format, redactor }), ...rest }),
    redactor,
    templater: createRouteTemplater(),
  });
}

function ingestOne(record: unknown, ingest = newIngest()): Ingested {
  const bytes = typeof record === 'string' ? record : JSON.stringify(record);
  return ingest.ingest(bytes, { topic: 'api-traffic', partition: 2, offset: 17, index: 0 }, nowMs);
}

/** Splits and ingests a whole input, as replay does. */
function ingestFile(input: Buffer): Ingested {
  const ingest = newIngest();
  const splitter = new RecordSplitter(recordBytesMax);
  const events = [];
  const deadLetters = [];
  const chunks = [...Array(Math.ceil(input.length / 65536)).keys()].map((i) =>
    input.subarray(i * 65536, (i + 1) * 65536),
  );
  for (const part of [...chunks.map((chunk) => splitter.push(chunk)), splitter.end()]) {
    for (const { bytes, size, line, index } of part) {
      const position = { topic: 'file.ndjson', partition: 0, offset: line, index };
      if (size > bytes.length) {
        deadLetters.push(
          ingest.refuse(
            { reason: 'record-too-large', cause: 'larger than a record may be', bytes, size },
            position,
            nowMs,
          ),
        );
        continue;
      }
      const ingested = ingest.ingest(bytes, position, nowMs);
      events.push(...ingested.events);
      deadLetters.push(...ingested.deadLetters);
    }
  }
  return { events, deadLetters };
}

test('an event is resolved: identity, template, objects, and an id from its position when it has none', () => {
  const [event] = ingestOne(good).events;
  assert.equal(event?.identity, 'user:-:u-1');
  assert.equal(event?.event_id, 'api-traffic-2-000000000017-0000');
  assert.deepEqual(
    [event?.route, event?.object_ids, event?.event.route, event?.event.object_ids],
    ['/orders/{id}', ['42'], '/orders/{id}', ['42']],
  );
  assert.equal(ingestOne({ ...good, event_id: 'mine' }).events[0]?.event_id, 'mine');
  assert.deepEqual(ingestOne({ ...good, object_ids: ['o', '42'] }).events[0]?.object_ids, ['o', '42']);
});

test('the events of one record differ in their index, dead letters included', () => {
  const { events, deadLetters } = ingestOne([good, { ...good, status: 'x' }, good]);
  assert.deepEqual(
    events.map((event) => event.event_id),
    ['api-traffic-2-000000000017-0000', 'api-traffic-2-000000000017-0002'],
  );
  assert.deepEqual(
    deadLetters.map(({ reason, source, partition, offset, index }) => [reason, source, partition, offset, index]),
    [['invalid-field', 'api-traffic', 2, 17, 1]],
  );
});

test('a source may name its chain and the tenant of events that have none', () => {
  const ingest = newIngest({ chain: ['client'], tenant: 'acme' });
  assert.equal(ingestOne({ ...good, client_id: 'web' }, ingest).events[0]?.identity, 'client:acme:web');
  assert.equal(ingestOne({ ...good, client_id: 'web', tenant: 'own' }, ingest).events[0]?.identity, 'client:own:web');
  assert.equal(ingestOne(good, ingest).deadLetters[0]?.reason, 'missing-identity');
});

test('the same record at the same position gives the same dead letter, whenever it is read', () => {
  const first = ingestOne('{"ts":').deadLetters[0];
  assert.deepEqual(ingestOne('{"ts":').deadLetters[0], first);
  assert.match(first?.id ?? '', /^dl_[0-9a-f]{24}$/);
});

/** Each kind of broken line, by the reason that it must be given. */
const broken: Readonly<Record<string, readonly (string | Buffer)[]>> = {
  'invalid-json': [
    JSON.stringify(good).slice(0, 40),
    `${JSON.stringify(good).slice(0, -1)}\0}`,
    '\0\0\0\0',
    'not json at all',
    `${JSON.stringify(good)}}`,
  ],
  'invalid-field': [
    JSON.stringify({ ...good, status: 'two hundred' }),
    JSON.stringify({ ...good, path: 17 }),
    JSON.stringify({ ...good, subject: { a: 1 } }),
  ],
  'record-too-large': [`{"ts":1766000000123,"subject":"${'x'.repeat(10 * 1024 * 1024)}"}`],
  'invalid-utf8': [
    Buffer.concat([Buffer.from('{"ts":1766000000123,"subject":"'), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('"}')]),
  ],
  'too-deep': [`{"ts":1766000000123,"subject":"u","x":${'['.repeat(5000)}${']'.repeat(5000)}}`, '{"a":'.repeat(5000)],
  'timestamp-out-of-range': ['1970-01-01T00:00:00Z', '2100-01-01T00:00:00Z'].map((ts) =>
    JSON.stringify({ ...good, ts }),
  ),
  'missing-timestamp': ['{"__proto__":{"ts":1766000000123},"subject":"u","method":"GET"}'],
  'missing-identity': ['{"ts":1766000000123,"__proto__":{"subject":"admin"},"constructor":{"subject":"admin"}}'],
  'not-an-object': ['42', '"text"'],
};

test('a file with 5 % broken records gives those and only those as dead letters, each with its reason and line', () => {
  const random = seededRandom(7);
  const kinds = Object.entries(broken).flatMap(([reason, samples]) =>
    samples.map((bytes) => ({ reason, bytes: Buffer.from(bytes as string) })),
  );
  const expected: [number, string][] = [];
  const lines: Buffer[] = [];
  for (let line = 1; line <= 2000; line++) {
    const isBroken = line > 1 && random.next() < 0.05;
    // Every kind once before chance decides, and the one of 10 MB not again.
    const kind =
      kinds[expected.length] ??
      kinds.filter(({ bytes }) => bytes.length < 1e6)[Math.floor(random.next() * (kinds.length - 1))]!;
    if (isBroken) expected.push([line, kind.reason]);
    lines.push(
      isBroken ? kind.bytes : Buffer.from(JSON.stringify({ ...good, subject: `u-${line}` })),
      Buffer.from('\n'),
    );
  }
  const { events, deadLetters } = ingestFile(Buffer.concat(lines));
  assert.ok(expected.length > 80);
  assert.deepEqual(
    deadLetters.map(({ offset, reason }) => [offset, reason]),
    expected,
  );
  assert.equal(events.length, 2000 - expected.length);
  assert.equal(new Set(deadLetters.map(({ id }) => id)).size, expected.length);
  assert.equal(({} as Record<string, unknown>).subject, undefined);
});

test('a dead letter tells the size of the whole record and shows its shape without its values', () => {
  const [tooLarge] = ingestFile(
    Buffer.from(`{"password":"hunter2","x":"${'y'.repeat(2 * 1024 * 1024)}"}\n`),
  ).deadLetters;
  assert.equal(tooLarge?.bytes, 2 * 1024 * 1024 + 29);
  const [letter] = ingestOne('{"ts":"soon","subject":"alice","note":"\u001b[31m<b>hunter2"}').deadLetters;
  assert.ok(letter!.sample.length <= 200);
  assert.match(letter!.sample, /^\{"ts":"…","subject":"…","note":"…"\}$/);
});

const secrets = [
  's3cr3tApiKeyValue01',
  's3cr3tOpaqueToken0000001',
  's3cr3tPassw0rd',
  's3cr3tCookieValue99',
  's3cr3tQueryValue7',
  's3cr3tResetToken0042',
];
const [apiKey, token, password, cookie, queryValue, resetToken] = secrets as [
  string,
  string,
  string,
  string,
  string,
  string,
];
const signedToken = jwt({ sub: 'u-1', jti: 'j-1' });

/** A record of each format with a secret at every place where a gateway may put one. */
const secretBearing: readonly Record<string, unknown>[] = [
  {
    ...good,
    api_key: apiKey,
    authorization: `Bearer ${token}`,
    cookie: `SID=${cookie}; theme=x`,
    path: `/reset/${resetToken}?access_token=${queryValue}&q=${signedToken}`,
    user_agent: `client ${signedToken} password=${password}`,
    forwarded_for: `203.0.113.7, token=${token}`,
    host: `bob:${password}@example.com`,
    error_code: `bad Bearer ${token}`,
    client_id: signedToken,
    scopes: [`api_key=${apiKey}`],
    body: { password },
  },
  {
    ts: '1766000000.1',
    remote_addr: '203.0.113.7',
    request: `GET /a?key=${queryValue} HTTP/1.1`,
    status: 200,
    http_authorization: `Basic ${Buffer.from(`bob:${password}`).toString('base64')}`,
    http_cookie: `session=${cookie}`,
    http_x_api_key: apiKey,
    http_referer: `/x?token=${token}`,
  },
  {
    started_at: good.ts,
    client_ip: '203.0.113.7',
    request: {
      uri: `/a?api_key=${apiKey}`,
      url: `http://h/a?api_key=${apiKey}`,
      querystring: { api_key: apiKey },
      headers: { APIKEY: apiKey, Authorization: `bearer ${signedToken}`, cookie: `auth=${cookie}` },
    },
    response: { status: 200, headers: { 'set-cookie': `auth=${cookie}` } },
  },
  {
    start_time: '1766000000.1',
    response_code: 200,
    path: `/verify/${resetToken}?t=${queryValue}`,
    downstream_remote_address: '203.0.113.7:1',
    authorization: `Bearer ${signedToken}`,
    x_api_key: apiKey,
    user_agent: `secret=${password}`,
  },
  {
    requestTimeEpoch: '1766000000123',
    httpMethod: 'GET',
    ip: '203.0.113.7',
    apiKey,
    path: `/token/${resetToken}`,
    userAgent: `"token":"${token}"`,
  },
  {
    eventTime: '2025-12-17T19:33:20Z',
    eventSource: 'iam.amazonaws.com',
    eventName: 'CreateLoginProfile',
    userIdentity: { arn: 'arn:aws:iam::1:user/a', accessKeyId: apiKey },
    requestParameters: { userName: 'b', password, secretString: token, clientToken: token },
    responseElements: { credentials: { sessionToken: token } },
    userAgent: `x password=${password}`,
  },
];

test('no secret of any format is in an event, a line or a dead letter, in clear or encoded', () => {
  const ingest = newIngest();
  const outputs: string[] = [];
  for (const record of secretBearing) {
    const good = ingestOne(record, ingest);
    assert.deepEqual([good.events.length, good.deadLetters], [1, []], JSON.stringify(record));
    const text = JSON.stringify(record);
    const wrong = [
      ingestOne({ ...record, ts: {}, start_time: {}, started_at: {}, eventTime: {}, requestTimeEpoch: {} }, ingest),
      ingestOne(text.slice(0, -2), ingest),
      ingestOne(`${text}x`, ingest),
      ingestOne(text.slice(1), ingest),
      ingestOne(text.replaceAll('"', "'"), ingest),
    ];
    for (const result of [good, ...wrong]) outputs.push(JSON.stringify(result), ...result.events.map(encodeLine));
    assert.ok(wrong.every((result) => result.deadLetters.length === 1));
  }
  const all = outputs.join('\n');
  for (const secret of [
    ...secrets,
    signedToken,
    signedToken.slice(0, 30),
    Buffer.from(`bob:${password}`).toString('base64'),
  ]) {
    assert.ok(!all.includes(secret), `${secret} in ${outputs.find((output) => output.includes(secret))}`);
  }
});

test('every format that has a record here is known to the decoder', () => {
  assert.deepEqual([...formatNames].filter((name) => name !== 'map').length, secretBearing.length);
});

test('what an address says is on the canonical line, and what the gateway said stays', () => {
  const ranges = new AddressRanges();
  const at = (low: number) => ({ family: 4, high: 0, low }) as const;
  ranges.add(at(0xc0000200), at(0xc00002ff), 64500);
  const ingest = createIngest({
    sourceFor: () => ({ decoder: createDecoder({ format: 'canonical', redactor }) }),
    redactor,
    templater: createRouteTemplater(),
    enrich: createEnrich(ranges, null),
  });
  const lineOf = (fields: object): string => encodeLine(ingestOne({ ...good, ...fields }, ingest).events[0]!);
  assert.match(lineOf({ client_ip: '192.0.2.7' }), /"asn":64500\b/);
  assert.match(lineOf({ client_ip: '192.0.2.7', asn: 7 }), /"asn":7\b/);
  assert.doesNotMatch(lineOf({ client_ip: '10.0.0.1' }), /"asn"/);
});
