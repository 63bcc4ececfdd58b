import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeOne, filled } from './decode-one.ts';

const record = {
  ts: '1766000000.123',
  request_id: '8f2c',
  remote_addr: '203.0.113.7',
  xff: '',
  method: 'GET',
  host: 'api.example.com',
  uri: '/orders/42?token=abc&page=2',
  status: 200,
  request_length: 412,
  body_bytes_sent: 820,
  bytes_sent: 1033,
  request_time: 0.045,
  upstream_response_time: '0.041',
  upstream_status: '200',
  http_user_agent: 'curl/8.4.0',
  http_referer: '',
  remote_user: '',
  ssl_client_s_dn: '',
  ssl_protocol: 'TLSv1.3',
  jwt_sub: 'u-123',
};

test('the documented log_format decodes, seconds becoming milliseconds', () => {
  assert.deepEqual(filled(decodeOne(record)), {
    ts: 1766000000123,
    event_id: '8f2c',
    source: 'nginx',
    trace_id: '8f2c',
    sample_rate: 1,
    subject: 'u-123',
    client_ip: '203.0.113.7',
    user_agent: 'curl/8.4.0',
    method: 'GET',
    host: 'api.example.com',
    path: '/orders/42?token&page=2',
    request_bytes: 412,
    status: 200,
    response_bytes: 1033,
    duration_ms: 45,
    upstream_ms: 41,
    tls_version: 'TLSv1.3',
    enforced: false,
  });
});

test('retried upstreams add up, "-" is none, status 000 is no status', () => {
  assert.equal(decodeOne({ ...record, upstream_response_time: '0.001, 0.002 : 0.004' }).upstream_ms, 7);
  assert.equal(decodeOne({ ...record, upstream_response_time: '-' }).upstream_ms, null);
  assert.equal(decodeOne({ ...record, status: '000' }).status, null);
});

test("nginx's own variable names, a request line and a CLF date are read too", () => {
  const event = decodeOne({
    time_local: '17/Dec/2025:19:33:20 +0000',
    remote_addr: '203.0.113.7',
    request: 'POST /login HTTP/1.1',
    status: '401',
    remote_user: '-',
  });
  assert.deepEqual([event.ts, event.method, event.path, event.status], [1766000000000, 'POST', '/login', 401]);
});

test('a refusal is ours only where nginx answered by itself: a header that the API repeated marks nothing', () => {
  const refused = {
    ...record,
    status: '401',
    decision_id: 'dec_0123456789abcdef01234567',
    upstream_response_time: '',
    upstream_status: '',
  };
  assert.equal(decodeOne(refused).enforced, true);
  assert.equal(decodeOne({ ...refused, upstream_status: '401', upstream_response_time: '0.012' }).enforced, false);
  const { upstream_status: _, ...older } = refused;
  assert.equal(decodeOne(older).enforced, true);
  assert.equal(decodeOne({ ...older, upstream_response_time: '0.012' }).enforced, false);
  assert.equal(decodeOne({ ...refused, status: '200' }).enforced, false);
});

test('the digest by which Gait named the key of a call is the identity that the key itself would give', () => {
  const named = decodeOne({ ...record, gait_key: '0123456789abcdef01234567' });
  assert.equal(named.api_key, '0123456789abcdef01234567');
  assert.equal(decodeOne({ ...record, gait_key: 'a key in the clear' }).api_key, null);
});

test('one of several gateways names itself in its log format', () => {
  assert.equal(decodeOne({ ...record, source: 'edge-1' }).source, 'edge-1');
});
