import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { createSigner, makeSigningKey } from '../../src/core/jose.ts';
import { aRevocation, issuer, pushReceiver, ssfWorld, streamRequest, until } from './ssf-world.ts';

const caep = 'https://schemas.openid.net/secevent/caep/event-type';
const idp = { name: 'idp', audience: 'https://idp.example.com/caep', subjectIssuer: 'https://idp.example.com' };
const other = { name: 'other', audience: 'https://other.example.com' };

test('the transmitter answers as SSF 1.0 says: every status, every required claim, tokens that jose verifies', async () => {
  const world = await ssfWorld({ issuer, receivers: [idp, other] });
  const { call } = world;
  const discovery = await call('GET /.well-known/ssf-configuration', undefined, '');
  assert.equal(discovery.status, 200);
  assert.equal(discovery.body.issuer, issuer);
  assert.deepEqual(discovery.body.delivery_methods_supported, ['urn:ietf:rfc:8935', 'urn:ietf:rfc:8936']);
  assert.equal(statSync(join(world.folder, 'ssf-keys.json')).mode & 0o777, 0o600);

  assert.equal((await call('POST /ssf/streams', {}, '')).status, 401);
  assert.equal((await call('POST /ssf/streams', {}, 'reader')).status, 403);
  assert.equal((await call('POST /ssf/streams', {}, 'stranger')).status, 403);
  assert.equal((await call('POST /ssf/streams', 'no json')).status, 400);
  const foreign = { method: 'urn:ietf:rfc:8935', endpoint_url: 'https://169.254.169.254/' };
  assert.equal((await call('POST /ssf/streams', { delivery: foreign })).status, 400);
  const created = await call('POST /ssf/streams', streamRequest);
  assert.equal(created.status, 201);
  const { stream_id: id, iss, aud, events_delivered } = created.body;
  assert.deepEqual([iss, aud, events_delivered.length], [issuer, idp.audience, 4]);
  assert.equal((await call('POST /ssf/streams', streamRequest)).status, 409);

  const stream = `/ssf/streams?stream_id=${id}`;
  assert.equal((await call(`GET ${stream}`)).status, 200);
  assert.equal((await call('GET /ssf/streams')).body.length, 1);
  assert.equal((await call(`GET ${stream}`, undefined, 'other')).status, 404, 'a receiver sees its own streams only');
  assert.equal((await call(`DELETE ${stream}`, undefined, 'other')).status, 404);
  assert.equal((await call('PATCH /ssf/streams', { stream_id: id, description: 'ours' })).body.description, 'ours');
  assert.equal((await call('PUT /ssf/streams', { stream_id: id })).body.description, undefined);
  assert.deepEqual((await call(`GET /ssf/status?stream_id=${id}`)).body, { stream_id: id, status: 'enabled' });

  assert.equal((await call('POST /ssf/verify', { stream_id: id, state: 'abc' })).status, 204);
  const soon = await call('POST /ssf/verify', { stream_id: id });
  assert.equal(soon.status, 429);
  assert.ok(Number(soon.headers['retry-after']) > 0);

  const poll = (body: object) => call(`POST /ssf/poll?stream_id=${id}`, body);
  const keys = createLocalJWKSet((await call('GET /ssf/jwks.json', undefined, '')).body);
  const verify = (token: string) => jwtVerify(token, keys, { issuer, audience: idp.audience, typ: 'secevent+jwt' });
  const first = await poll({});
  const [[jti, token] = []] = Object.entries(first.body.sets as Record<string, string>);
  const verification = (await verify(token!)).payload;
  assert.deepEqual(verification.sub_id, { format: 'opaque', id });
  assert.deepEqual(verification.events, {
    'https://schemas.openid.net/secevent/ssf/event-type/verification': { state: 'abc' },
  });
  assert.deepEqual(Object.keys((await poll({ returnImmediately: true })).body.sets), [jti], 'not acknowledged: again');

  await world.decide(aRevocation({ mode: 'shadow' }), aRevocation({ tenant: 'acme' }));
  await poll({ ack: [jti], maxEvents: 0 });
  let sets: Record<string, string> = {};
  while (Object.keys(sets).length < 2) sets = (await poll({})).body.sets;
  const payloads = await Promise.all(Object.values(sets).map(async (each) => (await verify(each)).payload));
  assert.deepEqual(
    payloads.map(({ events }) => Object.keys(events as object)),
    [[`${caep}/risk-level-change`], [`${caep}/session-revoked`]],
  );
  for (const { jti: setId, iat, txn, sub, exp, sub_id } of payloads) {
    assert.ok(typeof setId === 'string' && typeof iat === 'number');
    assert.deepEqual([txn, sub, exp], ['inc_8f2c', undefined, undefined]);
    assert.deepEqual(sub_id, {
      format: 'complex',
      user: { format: 'iss_sub', iss: 'https://idp.example.com', sub: 'u-123' },
      session: { format: 'opaque', id: 'sid-9' },
      tenant: { format: 'opaque', id: 'acme' },
    });
  }
  const [risk, revoked] = Object.keys(sets);
  const settled = await poll({ returnImmediately: true, ack: [risk], setErrs: { [revoked!]: { err: 'invalid_key' } } });
  assert.deepEqual(settled.body, { sets: {}, moreAvailable: false });
  await until(() => world.receipts.length === 3);
  assert.deepEqual(world.receipts.map(({ state }) => state).sort(), ['delivered', 'delivered', 'rejected']);

  const subject = { format: 'iss_sub', iss: 'https://idp.example.com', sub: 'u-123' };
  assert.equal((await call('POST /ssf/subjects/remove', { stream_id: id, subject })).status, 204);
  assert.equal((await call('POST /ssf/subjects/add', { stream_id: id, subject })).status, 200);
  assert.equal((await call('POST /ssf/subjects/add', { stream_id: 'no', subject })).status, 404);
  assert.equal((await call('POST /ssf/subjects/add', { stream_id: id })).status, 400);
  const paused = await call('POST /ssf/status', { stream_id: id, status: 'paused', reason: 'upkeep' });
  assert.deepEqual(paused.body, { stream_id: id, status: 'paused', reason: 'upkeep' });
  assert.equal((await call(`DELETE ${stream}`)).status, 204);
  assert.equal((await call(`GET ${stream}`)).status, 404);
  const changes = ['create', 'change', 'change', 'remove-subject', 'add-subject', 'status', 'delete'];
  assert.deepEqual(
    world.audited.map(({ who, from, action, about }) => [who, from, action, about]),
    changes.map((change) => ['idp', '127.0.0.1', `ssf.${change}`, id]),
    'who changed what, and nothing of what was refused or only read',
  );
  await world.stop();
  world.forget();
});

test('a receiver that was down for an hour gets everything once and in order, also over a restart of ours', async () => {
  let status = 503;
  const receiver = await pushReceiver(() => ({ status }));
  const push = { url: receiver.url, authorization: 'Bearer of-the-receiver' };
  const settings = { issuer, receivers: [{ ...idp, push }] };
  const before = await ssfWorld(settings);
  const decisions = Array.from({ length: 5 }, (_, i) =>
    aRevocation({ decision_id: `dec_${String(i).padStart(24, '0')}`, identity: `user:-:u-${i}` as never }),
  );
  await before.decide(...decisions);
  await before.decide(aRevocation({ mode: 'shadow', decision_id: 'dec_shadow' }));
  await before.stop();
  const world = await ssfWorld(settings, before.folder);
  world.forward(3_600_000);
  status = 202;
  await until(() => world.receipts.length === 10);
  const payloads = receiver.got.map(({ body }) => JSON.parse(Buffer.from(body.split('.')[1]!, 'base64url').toString()));
  assert.deepEqual(
    payloads.map(({ sub_id }) => sub_id.user.sub),
    ['u-0', 'u-0', 'u-1', 'u-1', 'u-2', 'u-2', 'u-3', 'u-3', 'u-4', 'u-4'],
  );
  assert.equal(new Set(payloads.map(({ jti }) => jti)).size, 10);
  assert.deepEqual(
    [...new Set(receiver.got.map(({ request }) => request.headers.authorization))],
    [push.authorization],
  );
  await world.stop();
  world.forget();
  await receiver.close();
});

test('a token that is answered 400 is not tried again and is reported with what the receiver said', async () => {
  const receiver = await pushReceiver(() => ({ status: 400, body: '{"err":"invalid_audience"}' }));
  const world = await ssfWorld({ issuer, receivers: [{ ...idp, push: { url: receiver.url } }] });
  await world.decide(aRevocation());
  await until(() => world.receipts.length === 2);
  assert.equal(receiver.got.length, 2);
  for (const { state, status, detail } of world.receipts) {
    assert.deepEqual([state, status], ['rejected', 400]);
    assert.match(detail, /invalid_audience/);
  }
  await world.stop();
  world.forget();
  await receiver.close();
});

test('a wrong password loses no token: 401 and 403 are tried again until it is right, in order', async () => {
  const answers = [401, 403, 404];
  const receiver = await pushReceiver(() => ({ status: answers.shift() ?? 202 }));
  const world = await ssfWorld({ issuer, receivers: [{ ...idp, push: { url: receiver.url } }] });
  await world.decide(aRevocation());
  await until(() => world.receipts.length === 2);
  assert.deepEqual(
    world.receipts.map(({ state }) => state),
    ['delivered', 'delivered'],
  );
  const bodies = receiver.got.map(({ body }) => body.split('.')[1]);
  assert.equal(bodies.length, 5);
  assert.equal(new Set(bodies.slice(0, 4)).size, 1, 'the first was tried until it was taken');
  await world.stop();
  world.forget();
  await receiver.close();
});

test('a level is told once, also over a restart, and again when it changes', async () => {
  const receiver = await pushReceiver(() => ({ status: 202 }));
  const settings = { issuer, receivers: [{ ...idp, push: { url: receiver.url } }] };
  const told = (): readonly unknown[] =>
    receiver.got.map(({ body }) => {
      const { events } = JSON.parse(Buffer.from(body.split('.')[1]!, 'base64url').toString());
      const [[type = '', event] = []] = Object.entries(events as Record<string, Record<string, unknown>>);
      return [type.slice(caep.length + 1), event?.previous_level, event?.current_level];
    });
  const before = await ssfWorld(settings);
  await before.decide(aRevocation());
  await until(() => before.receipts.length === 2);
  await before.stop();
  const world = await ssfWorld(settings, before.folder);
  // The embedded log keeps the newest version of a decision alone, so each is waited for.
  await world.decide(aRevocation({ version: 2, change: 'escalated', action: 'revoke-identity' }));
  await until(() => told().length === 3);
  await world.decide(aRevocation({ version: 3, change: 'extended', risk_level: 'LOW' }));
  await world.decide(aRevocation({ version: 4, change: 'escalated', risk_level: 'MEDIUM' }));
  await until(() => told().length === 5);
  assert.deepEqual(told(), [
    ['risk-level-change', undefined, 'HIGH'],
    ['session-revoked', undefined, undefined],
    ['session-revoked', undefined, undefined],
    ['risk-level-change', 'HIGH', 'MEDIUM'],
    ['session-revoked', undefined, undefined],
  ]);
  await world.stop();
  world.forget();
  await receiver.close();
});

test('a paused stream keeps its tokens, in order; beyond outboxMax the oldest is given up and reported', async () => {
  const receiver = await pushReceiver(() => ({ status: 202 }));
  const world = await ssfWorld({ issuer, outboxMax: 4, receivers: [{ ...idp, pushOrigins: [receiver.url] }] });
  const delivery = { method: 'urn:ietf:rfc:8935', endpoint_url: receiver.url };
  const { stream_id } = (await world.call('POST /ssf/streams', { delivery })).body;
  await world.call('POST /ssf/status', { stream_id, status: 'paused' });
  const users = ['u-1', 'u-2', 'u-3'];
  await world.decide(
    ...users.map((user) => aRevocation({ decision_id: `dec_${user}`, identity: `user:-:${user}` as never })),
  );
  await until(() => world.receipts.length === 2);
  assert.deepEqual(
    world.receipts.map(({ decision_id, state, detail }) => [decision_id, state, detail]),
    [
      ['dec_u-1', 'failed', 'outbox full'],
      ['dec_u-1', 'failed', 'outbox full'],
    ],
  );
  assert.equal(receiver.got.length, 0);
  await world.call('POST /ssf/status', { stream_id, status: 'enabled' });
  await until(() => receiver.got.length === 4);
  const payloads = receiver.got.map(({ body }) => JSON.parse(Buffer.from(body.split('.')[1]!, 'base64url').toString()));
  assert.deepEqual(
    payloads.map(({ sub_id }) => sub_id.user.sub),
    ['u-2', 'u-2', 'u-3', 'u-3'],
  );
  await world.stop();
  world.forget();
  await receiver.close();
});

test('tokens of an identity provider become notices once; what it did not sign for us is refused by its code', async () => {
  const signer = await createSigner(await makeSigningKey());
  const stranger = await createSigner(await makeSigningKey());
  const jwks = createServer((_, response) => response.end(JSON.stringify({ keys: [signer.jwk] })));
  await new Promise<void>((resolve) => jwks.listen(0, '127.0.0.1', resolve));
  const jwksUri = `http://127.0.0.1:${(jwks.address() as AddressInfo).port}/`;
  const from = 'https://idp.example.com/realms/shop';
  const world = await ssfWorld({ transmitters: [{ name: 'kc', issuer: from, jwksUri, audiences: [issuer] }] });
  const user = { format: 'iss_sub', iss: from, sub: 'u-1' };
  const claims = {
    iss: from,
    aud: issuer,
    jti: 'j-1',
    iat: 1766000000,
    sub_id: { format: 'complex', user, session: { format: 'opaque', id: 's-1' } },
    events: { [`${caep}/session-revoked`]: { event_timestamp: 1765999990 } },
  };
  const token = await signer.sign(claims, 'secevent+jwt');
  assert.equal((await world.push(token)).status, 202);
  assert.equal((await world.push(token)).status, 202);
  assert.equal(world.notices.length, 1, 'a token that comes twice is one');
  const { notice, identity, session_id, at, by } = world.notices[0]!;
  assert.deepEqual([notice, identity, session_id, at, by], ['session-ended', 'user:-:u-1', 's-1', 1765999990000, 'kc']);

  const cases: readonly [string, string, string?][] = [
    ['invalid_request', 'no token'],
    ['invalid_request', token, 'application/json'],
    ['invalid_request', await signer.sign(claims, 'JWT')],
    ['invalid_request', await signer.sign({ ...claims, jti: 'j-2', sub_id: undefined }, 'secevent+jwt')],
    ['invalid_issuer', await signer.sign({ ...claims, iss: 'https://evil.example' }, 'secevent+jwt')],
    ['invalid_audience', await signer.sign({ ...claims, aud: 'https://else.example' }, 'secevent+jwt')],
    ['invalid_key', await stranger.sign(claims, 'secevent+jwt')],
    ['authentication_failed', `${token.slice(0, -20)}${'A'.repeat(20)}`],
  ];
  for (const [err, body, type] of cases) {
    const answer = await world.push(body, type);
    assert.deepEqual([answer.status, JSON.parse(answer.text).err], [400, err]);
  }
  const foreign = { ...user, iss: 'https://another.example' };
  const changes = { [`${caep}/credential-change`]: { credential_type: 'password', change_type: 'update' } };
  const unknown = { ...claims, jti: 'j-3', sub_id: foreign, events: changes };
  assert.equal((await world.push(await signer.sign(unknown, 'secevent+jwt'))).status, 202);
  assert.equal(world.notices.length, 1, 'nobody speaks for the people of another issuer');
  const changed = { ...claims, jti: 'j-4', sub_id: user, events: changes };
  assert.equal(
    (await world.push(await signer.sign(changed, 'secevent+jwt'), 'Application/SecEvent+JWT ; charset=utf-8')).status,
    202,
  );
  const [, told] = world.notices;
  assert.deepEqual(
    [told?.notice, told?.at],
    ['credential-changed', 1766000000000],
    'without a time, as old as its token',
  );
  await world.stop();
  world.forget();
  await new Promise((resolve) => jwks.close(resolve));
});

test('a subject that is nested without end is the sender’s error', async () => {
  const world = await ssfWorld({ issuer, receivers: [idp] });
  const { stream_id } = (await world.call('POST /ssf/streams', streamRequest)).body;
  const body = `{"stream_id": ${JSON.stringify(stream_id)}, "subject": {"format": "x", "a": ${'['.repeat(20_000)}${']'.repeat(20_000)}}}`;
  assert.equal((await world.call('POST /ssf/subjects/add', body)).status, 400);
  await world.stop();
  world.forget();
});

test('where nobody is a subject to begin with, a stream tells of those only whom its receiver added', async () => {
  const world = await ssfWorld({ issuer, receivers: [idp], defaultSubjects: 'NONE' });
  const { call } = world;
  assert.equal((await call('GET /.well-known/ssf-configuration', undefined, '')).body.default_subjects, 'NONE');
  const id = (await call('POST /ssf/streams', streamRequest)).body.stream_id;
  const subject = { format: 'iss_sub', iss: 'https://idp.example.com', sub: 'u-1' };
  const about = (sub: string, i: number) =>
    aRevocation({ decision_id: `dec_${String(i).padStart(24, '0')}`, identity: `user:-:${sub}` as never });
  const told = async (): Promise<readonly string[]> => {
    const { body } = await call(`POST /ssf/poll?stream_id=${id}`, { returnImmediately: true });
    const sets = Object.values(body.sets as Record<string, string>);
    await call(`POST /ssf/poll?stream_id=${id}`, { ack: Object.keys(body.sets), maxEvents: 0 });
    return sets.map((set) => JSON.parse(Buffer.from(set.split('.')[1]!, 'base64url').toString()).sub_id.user.sub);
  };
  assert.equal((await call('POST /ssf/subjects/add', { stream_id: id, subject })).status, 200);
  await world.decide(about('u-2', 1), about('u-1', 2), about('u-3', 3));
  const first: string[] = [];
  await until(async () => first.push(...(await told())) >= 2);
  assert.deepEqual(first, ['u-1', 'u-1'], 'the level, and the session');
  assert.equal((await call('POST /ssf/subjects/remove', { stream_id: id, subject })).status, 204);
  const dayMs = 86_400_000;
  world.forward(dayMs + 1000);
  const other = { ...subject, sub: 'u-4' };
  assert.equal((await call('POST /ssf/subjects/add', { stream_id: id, subject: other })).status, 200);
  await world.decide(about('u-1', 4), about('u-4', 5));
  const second = new Set<string>();
  await until(async () => {
    for (const sub of await told()) second.add(sub);
    return second.has('u-4');
  });
  assert.deepEqual([...second], ['u-4'], 'of whom was removed a day ago nothing is told');
  await world.stop();
  world.forget();
});
