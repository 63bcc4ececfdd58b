import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatNames } from '../../../src/core/words.ts';
import { newDecoder, nowMs, refusals } from './decode-one.ts';

const good = { ts: 1766000000123, subject: 'u-1', method: 'GET', path: '/a' };
const nginx = { ts: '1766000000.123', remote_addr: '203.0.113.7', uri: '/a', status: 200 };

function reasonOf(record: unknown): string | undefined {
  return refusals(newDecoder()(record))[0]?.split(':')[0];
}

test('each kind of broken record has its own reason', () => {
  const nested = (levels: number): string =>
    `{"ts":${good.ts},"subject":"u","x":${'['.repeat(levels)}${']'.repeat(levels)}}`;
  const cases: [unknown, string | undefined][] = [
    [JSON.stringify(good), undefined],
    [Buffer.from(JSON.stringify(good)), undefined],
    [`\ufeff${JSON.stringify(good)}\r`, undefined],
    ['{"ts":1766000000123,"subj', 'invalid-json'],
    [`${JSON.stringify(good)}\0`, 'invalid-json'],
    [
      Buffer.concat([Buffer.from('{"ts":1766000000123,"subject":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
      'invalid-utf8',
    ],
    [`{"subject":"${'x'.repeat(1024 * 1024)}"}`, 'record-too-large'],
    [nested(31), undefined],
    [nested(32), 'too-deep'],
    [nested(100_000), 'too-deep'],
    ['['.repeat(100_000), 'too-deep'],
    ['42', 'not-an-object'],
    ['null', 'not-an-object'],
    ['{"a":1}', 'unknown-format'],
    [{ subject: 'u', method: 'GET' }, 'missing-timestamp'],
    [{ ...good, ts: 'soon' }, 'invalid-field'],
    [{ ...good, ts: 0 }, 'timestamp-out-of-range'],
    [{ ...good, ts: '1970-01-01T00:00:01Z' }, 'timestamp-out-of-range'],
    [{ ...good, ts: '2100-01-01T00:00:00Z' }, 'timestamp-out-of-range'],
    [{ ...good, ts: nowMs + 6 * 60_000 }, 'timestamp-out-of-range'],
    [{ ...good, ts: nowMs + 4 * 60_000 }, undefined],
    [{ ts: good.ts, method: 'GET' }, 'missing-identity'],
  ];
  for (const [record, reason] of cases) assert.equal(reasonOf(record), reason, String(record).slice(0, 60));
});

test('a replacement character that was really sent is no encoding error', () => {
  assert.equal(reasonOf(Buffer.from(JSON.stringify({ ...good, user_agent: '\ufffd' }))), undefined);
});

test('a blank record holds nothing, and an empty batch holds nothing', () => {
  for (const blank of ['', ' \n', '[]', '{"Records":[]}']) assert.deepEqual(newDecoder()(blank), []);
});

test('the cause never quotes the record', () => {
  const secret = 'hunter2secret';
  for (const text of [
    `{"password":"${secret}`,
    `${secret}`,
    `{"ts":"${secret}","subject":"u"}`,
    `{"ts":1766000000123,"status":"${secret}"}`,
  ]) {
    assert.doesNotMatch(refusals(newDecoder()(text)).join(), /hunter2/);
  }
});

test("shippers' envelopes are taken off, in text and as objects, one in another", () => {
  const text = JSON.stringify(nginx);
  const envelopes = [
    { message: text, host: 'h', source_type: 'file', timestamp: 't' },
    { '@timestamp': 't', log: text },
    { log: `${text}\n`, stream: 'stdout', time: 't' },
    {
      '@timestamp': 't',
      '@version': '1',
      message: 'GET /a',
      event: { original: text },
      host: { name: 'h' },
      path: '/var/log/x',
    },
    { MESSAGE: text, _HOSTNAME: 'h' },
    { message: { ...nginx } },
    { message: JSON.stringify([nginx]) },
    { message: JSON.stringify({ log: text }) },
  ];
  for (const envelope of envelopes) {
    const [outcome] = newDecoder()(envelope);
    assert.equal(outcome?.kind === 'ok' && outcome.value.source, 'nginx', JSON.stringify(envelope));
  }
  assert.equal(reasonOf({ message: 'plain text', host: 'h', path: '/p' }), 'missing-timestamp');
  assert.equal(reasonOf({ message: 'plain text' }), 'unknown-format');
  assert.equal(reasonOf({ message: `{"a":${'['.repeat(50)}${']'.repeat(50)}}` }), 'too-deep');
});

test('auto keeps the format of its source while records match, and looks again when they stop', () => {
  const decode = newDecoder();
  const sources = [good, good, nginx, nginx, good].map((record) => {
    const [outcome] = decode(record);
    return outcome?.kind === 'ok' ? outcome.value.source : outcome?.kind;
  });
  assert.deepEqual(sources, [null, null, 'nginx', 'nginx', null]);
  assert.deepEqual(refusals(decode({ foo: 1 })), ['missing-timestamp: no time']);
});

test('a fixed format is not second-guessed', () => {
  assert.deepEqual(refusals(newDecoder({ format: 'canonical' })(nginx)), [
    'missing-identity: neither an identity field nor client_ip',
  ]);
});

test('nothing throws and no prototype changes, whatever JSON comes', () => {
  const before = Object.getOwnPropertyNames(Object.prototype).join();
  const names = [
    'ts',
    'subject',
    'client_ip',
    'path',
    'status',
    '__proto__',
    'constructor',
    'message',
    'Records',
    'request',
    'response',
    'eventSource',
    'eventName',
    'eventTime',
    'userIdentity',
    'authorization',
    'cookie',
    'started_at',
    'start_time',
    'response_code',
    'remote_addr',
    'uri',
    'requestTimeEpoch',
    'routeKey',
    'sensitive',
    'scopes',
    'upstream_response_time',
    'requestParameters',
    'resources',
    'toString',
    'hasOwnProperty',
  ];
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      fc.string(),
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('any'), { maxLength: 3 }),
      tie('object'),
    ),
    object: fc
      .array(fc.tuple(fc.constantFrom(...names), tie('any')), { maxLength: 8 })
      .map(
        (entries) =>
          JSON.parse(
            `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${JSON.stringify(item) ?? 'null'}`).join()}}`,
          ) as unknown,
      ),
  }));
  const decoders = formatNames.filter((name) => name !== 'map').map((format) => newDecoder({ format }));
  decoders.push(newDecoder());
  fc.assert(
    fc.property(
      fc.oneof(
        { weight: 4, arbitrary: value.any.map((item) => JSON.stringify(item) ?? '') },
        { weight: 1, arbitrary: fc.string() },
      ),
      (text) => {
        for (const decode of decoders)
          for (const outcome of decode(text)) assert.ok(outcome.kind === 'ok' || outcome.kind === 'dead-letter');
      },
    ),
    { numRuns: 400 },
  );
  assert.equal(Object.getOwnPropertyNames(Object.prototype).join(), before);
});

test('nothing throws on bytes that are no text', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void newDecoder()(Buffer.from(bytes))));
});
