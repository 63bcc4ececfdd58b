import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Order } from '../../src/http/parts.ts';
import { apiKey, ask, sampleParts, serve } from './client.ts';
import { sampleDecision } from './sample.ts';

const key = { authorization: 'Bearer the-admin' };

async function served(t: TestContext) {
  const orders: { order: Order; from: string }[] = [];
  const order = async (said: Order, from: string) => {
    orders.push({ order: said, from });
    return 'ntc_00000000';
  };
  const server = await serve(sampleParts({ order }), { keys: [apiKey('the-admin', 'admin')] });
  t.after(server.close);
  const post = (path: string, body: unknown) =>
    ask(server, path, {
      method: 'POST',
      headers: { ...key, 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { orders, post };
}

const body = { identity: 'user:acme:alice', action: 'step-up', ttl: '15m', reason: 'asked by phone' };

test('a decision is signed with the name of the key and answered when it is durable', async (t) => {
  const { orders, post } = await served(t);
  const answer = await post('/v1/decisions', { ...body, session: 's1', mode: 'shadow' });
  assert.equal(answer.status, 202);
  assert.match(JSON.parse(answer.text).decision_id, /^dec_[0-9a-f]{24}$/);
  const said = { notice: 'decide', by: 'the-admin', reason: 'asked by phone', identity: body.identity };
  const order = { ...said, session_id: 's1', action: 'step-up', mode: 'shadow', ttl_ms: 900_000 };
  assert.deepEqual(orders, [{ order, from: '127.0.0.1' }]);
});

test('a decision about one token names it by its jti, and can only refuse it', async (t) => {
  const { orders, post } = await served(t);
  const refuse = { ...body, action: 'revoke-session', token: 'j1' };
  assert.equal((await post('/v1/decisions', refuse)).status, 202);
  assert.deepEqual(
    orders.map(({ order }) => (order.notice === 'decide' ? [order.session_id, order.token_id] : [])),
    [[null, 'j1']],
  );
  for (const change of [{ session: 's1' }, { action: 'throttle' }, { token: '' }])
    assert.equal((await post('/v1/decisions', { ...refuse, ...change })).status, 400, JSON.stringify(change));
});

test('what is not valid is refused with its place, and nothing is ordered', async (t) => {
  const { orders, post } = await served(t);
  const refused: readonly [unknown, RegExp][] = [
    ['{', /not JSON/],
    [{ ...body, identity: 'alice' }, /identity: expected kind:tenant:id/],
    [{ ...body, identity: 'address:-:192.0.2.0/24', action: 'throttle' }, /identity: expected .*192\.0\.2\.1/],
    [{ ...body, action: 'restore' }, /action: /],
    [{ ...body, ttl: '0s' }, /ttl: /],
    [{ ...body, ttl: '400d' }, /ttl: /],
    [{ ...body, reason: '' }, /reason: /],
    [{ ...body, reason: 'a\nb' }, /reason: expected one line/],
    [{ ...body, modus: 'enforce' }, /modus/],
    ...['client', 'api-key', 'mtls', 'consumer', 'device', 'address'].map((kind): [unknown, RegExp] => [
      { ...body, identity: `${kind}:acme:192.0.2.1` },
      /action: only a user or a session can/,
    ]),
  ];
  for (const [value, message] of refused) {
    const answer = await post('/v1/decisions', value);
    assert.equal(answer.status, 400, JSON.stringify(value));
    assert.match(answer.text, message);
  }
  assert.deepEqual(orders, []);
});

test('a decision is taken back by its id, one that nobody knows is 404 unless its identity is said', async (t) => {
  const { orders, post } = await served(t);
  assert.equal(
    (await post(`/v1/decisions/${sampleDecision.decision_id}/restore`, { reason: 'it was me' })).status,
    202,
  );
  assert.equal((await post('/v1/decisions/dec_none/restore', { reason: 'it was me' })).status, 404);
  const said = { reason: 'it was me', identity: 'user:acme:bob' };
  assert.equal((await post('/v1/decisions/dec_new/restore', said)).status, 202);
  assert.deepEqual(
    orders.map(({ order }) => [order.notice, order.identity, 'decision_id' in order && order.decision_id]),
    [
      ['restore', sampleDecision.identity, sampleDecision.decision_id],
      ['restore', 'user:acme:bob', 'dec_new'],
    ],
  );
});
