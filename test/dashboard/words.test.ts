import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingKinds } from '../../src/core/words.ts';
import { ago, claimOf, count, identityName, kindName, shortTime } from '../../src/dashboard/browser/words.ts';
import { pageOf } from '../../src/dashboard/pages.ts';

test('every kind of finding has a name for people, and an unknown one is shown as it is', () => {
  for (const kind of findingKinds) assert.notEqual(kindName(kind), kind);
  assert.equal(kindName('toString'), 'toString');
});

test('a key is taken apart at its first two colons; what is no key is a name as it is', () => {
  const arn = 'user:-:arn:aws:iam::1:user/b';
  assert.deepEqual(identityName(arn), { kind: 'user', tenant: '-', id: 'arn:aws:iam::1:user/b' });
  assert.deepEqual(identityName('plain'), { kind: '', tenant: '', id: 'plain' });
});

test('a sentence is split into what is claimed and what it rests on; one about somebody else stays whole', () => {
  const told = { identity: 'user:acme:zoe', title: 'user zoe calls far more often: 400 calls a minute; 5 are usual' };
  assert.deepEqual(claimOf(told), { claim: 'Calls far more often', because: '400 calls a minute; 5 are usual' });
  assert.deepEqual(claimOf({ identity: 'user:a:x', title: 'y: is fine' }), { claim: 'Y', because: 'is fine' });
});

test('numbers and times are short and lose no order of size', () => {
  assert.equal(count(12_345), '12,345');
  assert.equal(count(1_234_567), '1.2M');
  const now = Date.parse('2026-01-01T12:00:00Z');
  assert.equal(ago('2026-01-01T11:57:00.000Z', now), '3 min ago');
  assert.equal(ago('2026-01-01T14:00:00.000Z', now), 'in 2 h');
  assert.equal(ago('2025-01-01T11:57:00.000Z', now), '2025-01-01 11:57');
  assert.equal(shortTime('2026-01-01T10:00:01.500Z', '2026-01-01T09:00:00Z'), '10:00:01');
  assert.equal(shortTime('2026-01-02T10:00:01.500Z', '2026-01-01T09:00:00Z'), '2026-01-02 10:00:01');
});

test('an address is a page and an id, whatever the id holds, and anything else is no page', () => {
  const hostile = 'user:-:"><img src=x onerror=alert(1)>/../x?y#z';
  assert.deepEqual(pageOf(`/identities/${encodeURIComponent(hostile)}`), { name: 'identity', id: hostile });
  assert.deepEqual(pageOf('/'), { name: 'overview', id: '' });
  const none = [
    '/nowhere',
    '/identities/',
    '/identities/a/b',
    '/identities/%E0%A4%A',
    '//evil.example',
    '/v1/findings',
  ];
  for (const path of none) assert.equal(pageOf(path), undefined, path);
});
