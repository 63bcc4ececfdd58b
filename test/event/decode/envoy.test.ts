import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeOne, filled } from './decode-one.ts';

const typed = {
  start_time: '1766000000.123',
  request_id: 'cc21d9b0',
  method: 'POST',
  path: '/api/v1/locations',
  authority: 'api.example.com',
  route_name: 'locations',
  response_code: 204,
  response_flags: '-',
  response_code_details: 'via_upstream',
  bytes_received: 154,
  bytes_sent: 0,
  duration: 226,
  downstream_remote_address: '203.0.113.7',
  x_forwarded_for: '203.0.113.7',
  user_agent: 'nsq2http',
  jwt_sub: 'u-123',
  jwt_jti: 'j-1',
  client_id: 'web',
  tls_peer_subject: null,
  decision_id: null,
};

const istio =
  '{"start_time":"2026-01-10T10:00:00.123Z","route_name":"default","method":"GET","path":"/status/418","protocol":"HTTP/1.1","response_code":418,"response_flags":"-","response_code_details":"via_upstream","connection_termination_details":null,"bytes_received":0,"bytes_sent":135,"duration":3,"upstream_service_time":"1","x_forwarded_for":null,"user_agent":"curl/7.73.0","request_id":"84961386-6d84-929d-98bd-c5aee93b5c88","authority":"httpbin:8000","upstream_host":"10.44.1.27:80","upstream_cluster":"outbound|8000||httpbin.foo.svc.cluster.local","upstream_local_address":"10.44.1.23:37652","downstream_local_address":"10.0.45.184:8000","downstream_remote_address":"10.44.1.23:46520","requested_server_name":null,"upstream_transport_failure_reason":null}';

test('the documented typed_json_format decodes', () => {
  assert.deepEqual(filled(decodeOne(typed)), {
    ts: 1766000000123,
    event_id: 'cc21d9b0',
    source: 'envoy',
    trace_id: 'cc21d9b0',
    sample_rate: 1,
    subject: 'u-123',
    client_id: 'web',
    token_id: 'j-1',
    client_ip: '203.0.113.7',
    forwarded_for: '203.0.113.7',
    user_agent: 'nsq2http',
    method: 'POST',
    host: 'api.example.com',
    path: '/api/v1/locations',
    request_bytes: 154,
    status: 204,
    response_bytes: 0,
    duration_ms: 226,
    service: 'locations',
    enforced: false,
  });
});

test("json_format's all-string values mean the same", () => {
  const strings = Object.fromEntries(
    Object.entries(typed).map(([key, value]) => [key, value === null ? '-' : String(value)]),
  );
  assert.deepEqual(decodeOne(strings), decodeOne(typed));
});

test("Istio's default names decode; a route name is a template only when it is a path", () => {
  const event = decodeOne(istio);
  assert.deepEqual(
    [event.client_ip, event.upstream_ms, event.route, event.host, event.status],
    ['10.44.1.23', 1, null, 'httpbin', 418],
  );
});

test('our own denials are marked as enforced, however the log says it', () => {
  assert.equal(decodeOne({ ...typed, response_code: 403, response_flags: 'UAEX' }).enforced, true);
  assert.equal(decodeOne({ ...typed, response_code: 403, response_code_details: 'ext_authz_denied' }).enforced, true);
  assert.equal(decodeOne({ ...typed, decision_id: 'dec_1' }).enforced, true);
  assert.equal(decodeOne({ ...typed, response_code: 403, response_flags: 'RL' }).enforced, false);
});

test('response code 0 is a client that went away, not a status', () => {
  const event = decodeOne({ ...typed, response_code: 0, response_flags: 'DC' });
  assert.deepEqual([event.status, event.error_code], [null, 'DC']);
});

test('one of several gateways names itself in its log format', () => {
  assert.equal(decodeOne({ ...typed, source: 'edge-1' }).source, 'edge-1');
});
