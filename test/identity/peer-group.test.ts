import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peerGroup, roleCircle } from '../../src/identity/peer-group.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { eventWith } from './sample-event.ts';

test('roles before the client application, people apart from machines, tenants apart', () => {
  assert.equal(peerGroup(eventWith({ roles: ['b', 'a'], client_id: 'web' }), 'user'), '-|human|a,b');
  assert.equal(peerGroup(eventWith({ client_id: 'web', tenant: 't' }), 'user'), 't|human|web');
  assert.equal(peerGroup(eventWith({ client_id: 'job' }), 'client'), '-|service|-');
  assert.equal(peerGroup(eventWith({ actor_kind: 'service', client_id: 'x' }), 'user'), '-|service|x');
  assert.equal(peerGroup(eventWith({}), 'address'), '-|unknown|-');
});

test('a name with a separator in it cannot pass for another group, and is bounded', () => {
  assert.equal(peerGroup(eventWith({ roles: ['a|human|b'] }), 'user'), '-|human|a/human/b');
  assert.ok(peerGroup(eventWith({ roles: ['x'.repeat(1000)] }), 'user').length < 100);
});

test('those of one role are one circle whatever their tenant, also when its name has been asked for by another', () => {
  const circle = (tenant: string, role: string) =>
    roleCircle({ event: eventWith({ roles: [role], tenant }), identity_kind: 'user' } as unknown as ResolvedEvent);
  assert.equal(circle('acme', 'support'), '|human|support');
  assert.equal(circle('a|b', 'support'), circle('acme', 'support'));
  assert.notEqual(circle('acme', 'admin'), circle('acme', 'support'));
});
