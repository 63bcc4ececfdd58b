import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeOne, filled, newDecoder, redactor, refusals } from './decode-one.ts';

const record = JSON.parse(
  '{"request":{"id":"d2f1","uri":"/orders/42?x=1","url":"http://api.example.com:8000/orders/42?x=1","querystring":{"x":"1"},"method":"GET","headers":{"host":"api.example.com","user-agent":"curl/8.4.0","authorization":"REDACTED"},"size":512,"tls":{"version":"TLSv1.3","cipher":"TLS_AES_256_GCM_SHA384","client_verify":"NONE"}},"upstream_uri":"/orders/42?x=1","upstream_status":"200","response":{"status":200,"headers":{"content-type":"application/json"},"size":934},"latencies":{"kong":3,"proxy":41,"request":45,"receive":1},"tries":[{"ip":"10.0.0.7","port":8080,"balancer_latency":0}],"authenticated_entity":{"id":"cred-1","consumer_id":"c-9"},"route":{"id":"r-1","name":"orders"},"service":{"id":"s-1","name":"orders"},"consumer":{"id":"c-9","username":"mobile-app"},"client_ip":"203.0.113.7","started_at":1766000000123,"source":"upstream","workspace":"w","workspace_name":"default"}',
);

test("the serializer's record decodes", () => {
  assert.deepEqual(filled(decodeOne(record)), {
    ts: 1766000000123,
    event_id: 'd2f1',
    source: 'kong',
    trace_id: 'd2f1',
    sample_rate: 1,
    consumer: 'mobile-app',
    client_ip: '203.0.113.7',
    user_agent: 'curl/8.4.0',
    method: 'GET',
    host: 'api.example.com',
    path: '/orders/42?x',
    request_bytes: 512,
    status: 200,
    response_bytes: 934,
    duration_ms: 45,
    upstream_ms: 41,
    tls_version: 'TLSv1.3',
    tls_cipher: 'TLS_AES_256_GCM_SHA384',
    service: 'orders',
    enforced: false,
  });
});

test('header names are case-insensitive, and the API key in one is not kept', () => {
  const event = decodeOne({
    ...record,
    request: { ...record.request, headers: { HOST: 'API.example.com', ApiKey: ['k-raw-secret'], 'User-Agent': 'x/1' } },
  });
  assert.deepEqual(
    [event.host, event.user_agent, event.api_key],
    ['api.example.com', 'x/1', redactor.digest('k-raw-secret')],
  );
});

test('a key that Kong did not check says nothing about the caller', () => {
  const headers = { host: 'h', apikey: 'made up' };
  const event = decodeOne({
    ...record,
    consumer: undefined,
    authenticated_entity: undefined,
    request: { ...record.request, headers },
  });
  assert.deepEqual([event.api_key, event.consumer, event.client_ip], [null, null, '203.0.113.7']);
});

test('an array is a batch; a broken element is refused alone', () => {
  const outcomes = newDecoder()([record, { ...record, client_ip: 5 }, 7, record]);
  assert.deepEqual(
    outcomes.map((outcome) => outcome.kind),
    ['ok', 'dead-letter', 'dead-letter', 'ok'],
  );
  assert.deepEqual(refusals(outcomes), [
    'invalid-field: client_ip: expected an IP address in a string',
    'not-an-object: not a JSON object',
  ]);
});

test('proxy latency -1 is none; a route whose path has parameters is a template', () => {
  const event = decodeOne({
    ...record,
    latencies: { proxy: -1, request: 2 },
    route: { paths: ['~/orders/(?<id>[^/]+)$'] },
  });
  assert.deepEqual([event.upstream_ms, event.route], [null, '/orders/{id}']);
});
