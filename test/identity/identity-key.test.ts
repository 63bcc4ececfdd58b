import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { atIssuer, identityId, identityIssuer, identityKey, keyMeantBy } from '../../src/identity/identity-key.ts';

test('a key reads as kind:tenant:id, with - for no tenant', () => {
  assert.equal(identityKey('user', null, 'alice@example.com'), 'user:-:alice@example.com');
  assert.equal(identityKey('user', 'acme', 'arn:aws:iam::1:user/bob'), 'user:acme:arn:aws:iam::1:user/bob');
  assert.equal(identityKey('user', 'a:b', 'c d%'), 'user:a%3Ab:c%20d%25');
  assert.equal(identityKey('user', null, 'a\nb\u0000'), 'user:-:a%0Ab%00');
});

test('different tenants and ids never share a key', () => {
  const part = fc.oneof(
    fc.string({
      minLength: 1,
      maxLength: 12,
      unit: fc.constantFrom('a', ':', '%', '0', '3', 'u', 'A', ' ', '\u2003', '~', '\ud800', 'é'),
    }),
    fc.string({ minLength: 1, maxLength: 300 }),
  );
  fc.assert(
    fc.property(fc.tuple(part, part), fc.tuple(part, part), ([tenant, id], [otherTenant, otherId]) => {
      fc.pre((tenant !== otherTenant || id !== otherId) && tenant !== '-' && otherTenant !== '-');
      assert.notEqual(identityKey('user', tenant, id), identityKey('user', otherTenant, otherId));
    }),
    { numRuns: 2000 },
  );
});

test('a blank and what follows it are not taken for another blank, and the id comes back as it was', () => {
  assert.equal(identityKey('user', null, ' 03\u2003'), 'user:-:%2003%u2003');
  const id = fc.string({
    minLength: 1,
    maxLength: 60,
    unit: fc.constantFrom('a', ':', '%', '0', 'u', ' ', '\u2003', '\ud800', '😀'),
  });
  fc.assert(fc.property(id, (text) => assert.equal(identityId(identityKey('user', 'a:b', text)), text)));
  assert.equal(identityId(identityKey('user', null, 'x'.repeat(300))), undefined);
});

test('a key is bounded, and long ids with the same beginning stay apart', () => {
  const long = 'x'.repeat(5000);
  const key = identityKey('user', null, long);
  assert.ok(key.length < 240);
  assert.notEqual(key, identityKey('user', null, `${long}y`));
  assert.equal(key, identityKey('user', null, long));
});

test('equal names at two issuers are two keys, neither is a bare one, and both parts come back as they were', () => {
  assert.equal(atIssuer(identityKey('user', null, 'bob'), 'https://b.example'), 'user:-:bob%@https://b.example');
  const text = fc.string({
    minLength: 1,
    maxLength: 60,
    unit: fc.constantFrom('a', ':', '%', '@', '4', '0', 'u', ' ', '\u2003', '\ud800', '😀'),
  });
  const issuer = fc.option(text, { nil: undefined });
  fc.assert(
    fc.property(fc.tuple(text, issuer), fc.tuple(text, issuer), ([id, at], [otherId, otherAt]) => {
      const key = atIssuer(identityKey('user', null, id), at);
      assert.deepEqual([identityId(key), identityIssuer(key)], [id, at]);
      const isSame = id === otherId && at === otherAt;
      assert.equal(key === atIssuer(identityKey('user', null, otherId), otherAt), isSame);
    }),
    { numRuns: 2000 },
  );
  const long = atIssuer(identityKey('user', null, 'bob'), `https://${'b'.repeat(300)}`);
  assert.ok(identityId(long) === 'bob' && identityIssuer(long) !== undefined, 'never taken for one of home');
});

test('whoever writes a key means the one that calls have: addresses in their usual form, ids encoded and cut', () => {
  const meant: readonly [string, string | null][] = [
    ['user:acme:alice', 'user:acme:alice'],
    ['user:a%20b:al%20ice%@https://idp.example', 'user:a%20b:al%20ice%@https://idp.example'],
    ['user:-:100%', identityKey('user', null, '100%')],
    [`user:-:${'x'.repeat(300)}`, identityKey('user', null, 'x'.repeat(300))],
    [identityKey('user', null, 'x'.repeat(300)), identityKey('user', null, 'x'.repeat(300))],
    ['address:-:2001:DB8:0::1', 'address:-:2001:db8::1'],
    ['address:acme:::ffff:c000:201', 'address:acme:192.0.2.1'],
    ['address:-:192.0.2.1', 'address:-:192.0.2.1'],
    ['address:-:192.0.2.256', null],
    ['address:-:192.0.2.0/24', null],
    ['nobody', null],
  ];
  for (const [text, key] of meant) assert.equal(keyMeantBy(text), key, text);
});
