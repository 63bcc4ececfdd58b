import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveIdentity } from '../../src/identity/resolve.ts';
import { eventWith } from './sample-event.ts';

test('the chain takes the best identity there is', () => {
  const all = {
    subject: 's',
    mtls_subject: 'm',
    api_key: 'k',
    client_id: 'c',
    consumer: 'n',
    session_id: 'e',
    device_id: 'd',
    client_ip: '203.0.113.7',
  };
  const names = [
    'user:-:s',
    'mtls:-:m',
    'api-key:-:k',
    'client:-:c',
    'consumer:-:n',
    'session:-:e',
    'device:-:d',
    'address:-:203.0.113.7',
  ];
  const fields = Object.keys(all) as (keyof typeof all)[];
  names.forEach((name, i) => {
    const rest = Object.fromEntries(fields.slice(i).map((field) => [field, all[field]]));
    assert.equal(resolveIdentity(eventWith(rest))?.identity, name);
  });
  assert.equal(resolveIdentity(eventWith({})), null);
});

test('the chain and the tenant are configurable', () => {
  const event = eventWith({ subject: 's', client_id: 'c', tenant: 't' });
  assert.deepEqual(resolveIdentity(event, ['client', 'subject']), {
    identity: 'client:t:c',
    identity_kind: 'client',
    claimed_identity: null,
  });
  assert.equal(resolveIdentity(event, ['device']), null);
});

test('claimed is not proven: a 401 belongs to its source, with the claim as an attribute', () => {
  const refused = { subject: 'victim', client_ip: '203.0.113.7', device_id: 'd' };
  for (const outcome of [{ status: 401 }, { status: 200, auth_result: 'failure' as const }]) {
    assert.deepEqual(resolveIdentity(eventWith({ ...refused, ...outcome })), {
      identity: 'address:-:203.0.113.7',
      identity_kind: 'address',
      claimed_identity: 'user:-:victim',
    });
  }
  assert.equal(resolveIdentity(eventWith({ ...refused, status: 403 }))?.identity, 'user:-:victim');
  assert.equal(resolveIdentity(eventWith({ ...refused, client_ip: null, status: 401 }))?.identity, 'device:-:d');
  assert.deepEqual(resolveIdentity(eventWith({ subject: 'victim', status: 401 })), {
    identity: 'address:-:unknown',
    identity_kind: 'address',
    claimed_identity: 'user:-:victim',
  });
});

test('a certificate is proof only when the gateway verified it', () => {
  const event = { subject: 'victim', mtls_subject: 'CN=svc', client_ip: '203.0.113.7', status: 401 };
  assert.equal(resolveIdentity(eventWith({ ...event, client_cert_verified: true }))?.identity, 'mtls:-:CN=svc');
  assert.equal(resolveIdentity(eventWith(event))?.identity, 'address:-:203.0.113.7');
});

test('an address that claimed nothing claims nothing', () => {
  assert.equal(resolveIdentity(eventWith({ client_ip: '203.0.113.7', status: 401 }))?.claimed_identity, null);
});
