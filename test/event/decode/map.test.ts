import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readMap } from '../../../src/role/assemble.ts';
import { decodeOne, filled, jwt, newDecoder, refusals } from './decode-one.ts';

const map = {
  fields: {
    ts: 'time.start',
    subject: { from: ['auth.user', 'auth.fallback'], case: 'lower' },
    method: { from: 'verb', case: 'upper' },
    client_ip: { from: 'peers.0.ip' },
    source: { constant: 'legacy' },
    tenant: { from: 'k8s.io/tenant' },
    authorization: { from: 'headers.Authorization' },
  },
} as const;

test('paths, array places, keys with dots, alternatives, constants and case are mapped', () => {
  const record = {
    time: { start: '2025-12-17T19:33:20Z' },
    auth: { user: '-', fallback: 'Alice' },
    verb: 'patch',
    peers: [{ ip: '203.0.113.7' }],
    'k8s.io/tenant': 'acme',
  };
  assert.deepEqual(filled(decodeOne(record, { format: 'map', map })), {
    ts: 1766000000000,
    source: 'legacy',
    sample_rate: 1,
    subject: 'alice',
    tenant: 'acme',
    client_ip: '203.0.113.7',
    method: 'PATCH',
    enforced: false,
  });
});

test('a mapped authorization is read for its claims and dropped', () => {
  const event = decodeOne(
    { time: { start: 1766000000 }, headers: { Authorization: `Bearer ${jwt({ sub: 'u-5', jti: 'j' })}` } },
    { map, format: 'auto' },
  );
  assert.equal(event.subject, 'u-5');
  assert.doesNotMatch(JSON.stringify(event), /eyJ/);
});

test('names of the prototype find nothing', () => {
  const outcome = newDecoder({
    format: 'map',
    map: { fields: { ts: { from: 'constructor.length' }, subject: { from: '__proto__.x' } } },
  })({ a: 1 });
  assert.deepEqual(refusals(outcome), ['missing-timestamp: no time']);
});

test("the example map reads Traefik's log, also in a shipper's envelope", () => {
  const example = readMap(join(import.meta.dirname, '../../../../pipelines/ingest/map.example.yaml'));
  const traefik = {
    ClientHost: '203.0.113.7',
    ClientUsername: '-',
    DownstreamContentSize: 820,
    DownstreamStatus: 200,
    RequestHost: 'api.example.com',
    RequestMethod: 'GET',
    RequestPath: '/orders/42',
    ServiceName: 'orders@docker',
    StartUTC: '2026-01-10T10:00:00.1Z',
    TLSVersion: '1.3',
    TLSCipher: 'TLS_AES_128_GCM_SHA256',
    'request_User-Agent': 'curl/8.4.0',
    request_Authorization: `Bearer ${jwt({ sub: 'u-1' })}`,
    msg: '',
  };
  const event = decodeOne(traefik, { map: example });
  assert.deepEqual(
    [event.source, event.subject, event.client_ip, event.user_agent, event.status, event.path],
    ['traefik', 'u-1', '203.0.113.7', 'curl/8.4.0', 200, '/orders/42'],
  );
  assert.deepEqual(decodeOne({ log: JSON.stringify(traefik) }, { map: example }), event);
});
