import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peerGroup } from '../../src/identity/peer-group.ts';
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
