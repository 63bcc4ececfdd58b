import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Past, type Suppression, Suppressions, taughtBy, wouldHide } from '../../src/finding/suppression.ts';
import { aFinding } from '../policy/a-finding.ts';

const none: Suppression = {
  suppression_id: 'sup_1',
  verdict_id: null,
  identity: null,
  peer_group: null,
  route: null,
  network: null,
  kinds: [],
  cause: null,
  owner: 'desk',
  reason: 'known',
  until: 1000,
};
const call = { route: '/orders/{id}', clientIp: '192.0.2.7' };
const who = { identity: 'user:acme:alice', peers: 'acme|human|clerk', calls: [call], at: 0 };
const past: Past = { ...who, kind: 'object_enumeration', cause: { 'objects.distinct': { nats: 20 } } };
const seen = () => '';

function holding(...suppressions: readonly Partial<Suppression>[]): Suppressions {
  const all = new Suppressions();
  suppressions.forEach((each, i) => {
    all.add({ ...none, suppression_id: `sup_${i}`, ...each });
  });
  return all;
}

test('all that is given must hold: identity, peers, route, network, time', () => {
  const asked = (suppression: Partial<Suppression>, of: Partial<typeof who> = {}): boolean =>
    holding(suppression).excuseFor({ ...who, ...of }) !== undefined;
  assert.ok(asked({ identity: 'user:acme:alice' }));
  assert.ok(asked({ identity: 'user:acme:*' }));
  assert.ok(!asked({ identity: 'user:acme:al' }));
  assert.ok(asked({ peer_group: 'acme|human|clerk' }));
  assert.ok(!asked({ peer_group: 'acme|human|clerk', identity: 'user:*:bob' }));
  assert.ok(asked({ route: '/orders/*', network: '192.0.2.0/24' }));
  assert.ok(!asked({ route: '/orders/*', network: '198.51.100.0/24' }));
  assert.ok(!asked({ network: '192.0.2.0/24' }, { calls: [{ ...call, clientIp: null as unknown as string }] }));
  assert.ok(!asked({ identity: 'user:acme:alice' }, { at: 1000 }));
});

test('a case that reaches beyond the route or the network is not of it', () => {
  const all = holding({ route: '/orders/*' });
  assert.equal(all.excuseFor({ ...who, calls: [call, { ...call, route: '/admin' }] }), undefined);
});

test('what a verdict taught is so much of so many features, and only the values that were seen', () => {
  const finding = aFinding({
    kind: 'object_enumeration',
    cause: { 'objects.distinct': { nats: 20 }, 'context.country': { nats: 4, values: ['FR'] } },
  });
  const said = {
    verdict_id: 'vdt_1',
    scope: 'identity',
    route: null,
    owner: 'desk',
    reason: 'known',
    until: 1000,
  } as const;
  const { allowed } = holding(taughtBy(said, finding)).excuseFor(who)!;
  assert.equal(allowed('objects.distinct', seen), 25);
  assert.equal(allowed('objects.foreign', seen), 0);
  assert.equal(allowed('token.reuse', seen), 0);
  assert.equal(
    allowed('context.country', () => 'FR'),
    5,
  );
  assert.equal(
    allowed('context.country', () => 'RU'),
    0,
  );
});

test('kinds mean the features that they rest on, and a kind of one feature only that one', () => {
  const { allowed } = holding({ kinds: ['impossible_travel', 'new_context'] }).excuseFor(who)!;
  assert.equal(allowed('token.travel', seen), Number.POSITIVE_INFINITY);
  assert.equal(allowed('token.expired', seen), 0);
  assert.equal(allowed('context.network', seen), Number.POSITIVE_INFINITY);
  assert.equal(allowed('novelty.function', seen), 0);
});

test('the bound is kept: of those that are about everybody the one that ends soonest goes', () => {
  const all = new Suppressions();
  for (let i = 0; i < 257; i++)
    all.add({ ...none, suppression_id: `sup_${i}`, identity: `user:*:${i}`, until: 2000 + ((i + 100) % 257) });
  assert.equal(all.size, 256);
  assert.equal(all.get('sup_157'), undefined);
});

test('expired ones are handed out once, and what is left is what was not over', () => {
  const all = holding({ until: 10 }, { until: 20 });
  assert.deepEqual(
    all.expire(10).map(({ suppression_id }) => suppression_id),
    ['sup_0'],
  );
  assert.deepEqual(all.expire(10), []);
  assert.equal(all.size, 1);
});

test('a look back hides what rests on nothing else, and nothing whose calls are unknown where they matter', () => {
  assert.ok(wouldHide({ ...none, kinds: ['object_enumeration'] })(past));
  assert.ok(!wouldHide({ ...none, kinds: ['rate_spike'] })(past));
  const mixed = { ...past, cause: { ...past.cause, 'token.reuse': { nats: 18 } } };
  assert.ok(!wouldHide({ ...none, kinds: ['object_enumeration'] })(mixed));
  assert.ok(wouldHide({ ...none, route: '/orders/*' })(past));
  assert.ok(!wouldHide({ ...none, route: '/orders/*' })({ ...past, calls: [] }));
});
