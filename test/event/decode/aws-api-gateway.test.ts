import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeOne, filled } from './decode-one.ts';

const record = JSON.parse(
  '{"requestId":"c6af9ac6","ip":"203.0.113.7","caller":"-","user":"-","apiKeyId":"-","userAgent":"okhttp/4.12","sub":"u-123","requestTimeEpoch":"1766000000123","requestTime":"17/Dec/2025:19:33:20 +0000","httpMethod":"GET","path":"/prod/orders/42","resourcePath":"/orders/{id}","status":"200","protocol":"HTTP/1.1","responseLength":"820","responseLatency":"45","integrationLatency":"41","apiId":"a1","stage":"prod"}',
);

test('the documented $context format decodes, "-" being missing', () => {
  assert.deepEqual(filled(decodeOne(record)), {
    ts: 1766000000123,
    event_id: 'c6af9ac6',
    source: 'aws-api-gateway',
    trace_id: 'c6af9ac6',
    sample_rate: 1,
    subject: 'u-123',
    client_ip: '203.0.113.7',
    user_agent: 'okhttp/4.12',
    method: 'GET',
    path: '/prod/orders/42',
    route: '/orders/{id}',
    status: 200,
    response_bytes: 820,
    duration_ms: 45,
    upstream_ms: 41,
    service: 'a1/prod',
    enforced: false,
  });
});

test("an HTTP API's routeKey gives method and template", () => {
  const event = decodeOne({ ...record, resourcePath: '-', httpMethod: '-', routeKey: 'DELETE /orders/{id}' });
  assert.deepEqual([event.method, event.route], ['DELETE', '/orders/{id}']);
  assert.equal(decodeOne({ ...record, resourcePath: undefined, routeKey: '$default' }).route, null);
});

test('without the epoch the request time counts', () => {
  assert.equal(decodeOne({ ...record, requestTimeEpoch: '-' }).ts, 1766000000000);
});

test('every name of the format to paste is one line of JSON and known to the decoder', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../../pipelines/ingest/aws-api-gateway.txt'), 'utf8');
  const format = JSON.parse(text) as Record<string, string>;
  assert.equal(text.trim().split('\n').length, 1);
  assert.ok(Object.values(format).every((value) => value.startsWith('$context.')));
  const absent = Object.fromEntries(Object.keys(format).map((key) => [key, '-']));
  assert.deepEqual(decodeOne({ ...absent, ...record }), decodeOne(record));
});
