import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createRedactor } from '../../src/event/redact.ts';
import { identityKey } from '../../src/identity/identity-key.ts';
import type { Log } from '../../src/log/log.ts';
import { runEnforce } from '../../src/role/enforce.ts';
import { alice, enforce, forged, hmacKey, start, until } from './an-enforcer.ts';
import { createIssuer } from './issuer.ts';

test('a call is resolved by the chain of ingest: token, API key, session cookie, address', async (t) => {
  const { ask, publish } = await enforce(t);
  const digest = (secret: string): string => createHmac('sha256', hmacKey).update(secret).digest('hex').slice(0, 24);
  const asked: [Record<string, string>, string][] = [
    [forged({ sub: 'alice' }), 'user:-:alice'],
    [{ 'x-api-key': 'k-123456789' }, `api-key:-:${digest('k-123456789')}`],
    [{ cookie: 'lang=de; session_id=abcdefghijkl' }, `session:-:${digest('abcdefghijkl')}`],
    [{ 'x-forwarded-for': '203.0.113.9, 198.51.100.4' }, 'address:-:198.51.100.4'],
  ];
  await publish(
    ...asked.map(([, identity], i) => ({
      decision_id: `d${i}`,
      identity: identity as typeof alice,
      action: 'revoke-identity' as const,
    })),
  );
  for (const [i, [headers, identity]] of asked.entries())
    assert.equal((await ask(headers)).decisionId, `d${i}`, identity);
  const forwarded = await ask({ 'x-forwarded-for': '198.51.100.4, 203.0.113.9' });
  assert.equal(forwarded.decisionId, null, 'what stands further left was written by the caller');
});

test('a throttled identity has its burst and its rate, and one that is named by forged tokens keeps its own', async (t) => {
  const { ask, publish, clock } = await enforce(t, 'enforce: {throttle: {perMinute: 60, burst: 2}}');
  await publish({ action: 'throttle' });
  const from = (address: string) => ({ ...forged({ sub: 'alice' }), 'x-forwarded-for': address });
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push((await ask(from('192.0.2.1'))).status);
  assert.deepEqual(statuses, [200, 200, 429, 429]);
  assert.equal((await ask(from('192.0.2.1'))).headers['retry-after'], '1');
  assert.equal((await ask(from('192.0.2.2'))).status, 200);
  clock.at += 1000;
  assert.deepEqual([(await ask(from('192.0.2.1'))).status, (await ask(from('192.0.2.1'))).status], [200, 429]);
});

test('processes among which a balancer spreads calls let the burst and the rate through together', async (t) => {
  const yaml = 'enforce: {throttle: {perMinute: 120, burst: 6, processes: 2}}';
  const processes = [await enforce(t, yaml), await enforce(t, yaml)];
  for (const { publish } of processes) await publish({ action: 'throttle' });
  const passed = async (): Promise<number> => {
    let count = 0;
    for (let i = 0; i < 40; i++) if ((await processes[i % 2]!.ask(forged({ sub: 'alice' }))).status === 200) count++;
    return count;
  };
  assert.equal(await passed(), 6);
  for (const { clock } of processes) clock.at += 2000;
  assert.equal(await passed(), 4);
});

test('a step-up is challenged as RFC 9470 says, and a revoked session as RFC 6750 says', async (t) => {
  const { ask, publish } = await enforce(t);
  const acr = { acr_values: ['urn:example:mfa', 'phr'], max_age: 0 };
  await publish({ action: 'step-up', ...acr }, { action: 'revoke-session', scope: 'session', session_id: 's9' });
  const challenged = await ask(forged({ sub: 'alice' }));
  assert.equal(challenged.status, 401);
  assert.equal(
    challenged.headers['www-authenticate'],
    'Bearer error="insufficient_user_authentication", error_description="A fresh or stronger authentication is required", acr_values="urn:example:mfa phr", max_age=0',
  );
  assert.deepEqual(
    [challenged.headers['x-gait-decision'], challenged.headers['x-gait-verdict']],
    ['dec_0', 'challenge'],
  );
  const { authorization = '' } = forged({ sub: 'alice' });
  const bound = await ask({ authorization: authorization.replace('Bearer', 'DPoP') });
  assert.match(String(bound.headers['www-authenticate']), /^DPoP error="insufficient_user_authentication"/);
  const revoked = await ask(forged({ sub: 'alice', sid: 's9' }));
  assert.equal(revoked.status, 401);
  assert.match(String(revoked.headers['www-authenticate']), /^Bearer error="invalid_token"/);
});

test('a session that was ended stays so for its tokens until they end, also when the decision’s time is over', async (t) => {
  const issuer = await createIssuer(t, 'https://idp.example');
  const yaml = `enforce: {issuers: [{issuer: "https://idp.example", jwksUri: "${issuer.jwksUri}"}]}`;
  const { ask, publish, clock } = await enforce(t, yaml);
  const nowS = start / 1000;
  const bearer = async (claims: object) => ({
    authorization: `Bearer ${await issuer.sign({ sub: 'alice', sid: 's1', iat: nowS, exp: nowS + 1800, ...claims })}`,
  });
  const minutes = 60_000;
  const revoked = {
    action: 'revoke-session',
    scope: 'session',
    session_id: 's1',
    expires_at: start + 10 * minutes,
  } as const;
  await publish(revoked);
  const stolen = await bearer({});
  assert.equal((await ask(stolen)).status, 401);
  clock.at = start + 29 * minutes;
  assert.equal((await ask(stolen)).status, 401);
  assert.equal((await ask(await bearer({ jti: 'never shown before' }))).status, 401, 'nor one that nobody had seen');
  assert.equal((await ask(await bearer({ sid: 's2' }))).status, 200, 'another session');
  assert.equal((await ask(forged({ sub: 'alice', sid: 's1' }))).status, 200, 'what nobody verified proves no age');
  clock.at = start + 31 * minutes;
  const later = await bearer({ iat: nowS + 1800, exp: nowS + 3600, auth_time: nowS - 60 });
  assert.equal((await ask(later)).status, 200, 'a session that the provider goes on with');
});

test('of a revoked user a new log-in passes; a token that was only refreshed does not', async (t) => {
  const issuer = await createIssuer(t, 'https://idp.example');
  const yaml = `enforce: {issuers: [{issuer: "https://idp.example", jwksUri: "${issuer.jwksUri}"}]}`;
  const { ask, publish, clock } = await enforce(t, yaml);
  await publish({ action: 'revoke-identity', issued_before: start });
  clock.at = start + 60_000;
  const nowS = clock.at / 1000;
  const status = async (claims: object): Promise<number> => {
    const token = await issuer.sign({ sub: 'alice', iat: nowS, exp: nowS + 300, ...claims });
    return (await ask({ authorization: `Bearer ${token}` })).status;
  };
  assert.equal(await status({ auth_time: nowS - 3600 }), 401);
  assert.equal(await status({ auth_time: nowS - 1 }), 200);
  assert.equal(await status({ iat: nowS - 3600 }), 401, 'without a time of log-in that of issue counts');
  assert.equal(await status({}), 200);
});

test('what cannot get another token is refused with 403', async (t) => {
  const { ask, publish } = await enforce(t);
  const identity = identityKey('mtls', null, 'CN=batch');
  await publish({ action: 'revoke-identity', identity });
  const reads = await enforce(t, 'enforce: {trustedHeaders: {mtls_subject: x-client-dn}}');
  await reads.publish({ action: 'revoke-identity', identity });
  assert.equal((await reads.ask({ 'x-client-dn': 'CN=batch' })).status, 403);
  assert.equal((await ask({ 'x-client-dn': 'CN=batch', 'x-forwarded-for': '192.0.2.1' })).status, 200);
});

test('a step-up clears by a verified token of a newer log-in and by nothing else; the stolen token stays challenged', async (t) => {
  const issuer = await createIssuer(t, 'https://idp.example');
  const stranger = await createIssuer(t, 'https://other.example');
  const yaml = `enforce: {issuers: [{issuer: "https://idp.example", jwksUri: "${issuer.jwksUri}", audiences: [api]}]}`;
  const { ask, publish, notices, clock } = await enforce(t, yaml);
  await publish({ action: 'step-up', acr_values: ['gold'], max_age: 0, session_id: null });
  clock.at = start + 10_000;
  const nowS = clock.at / 1000;
  const claims = { sub: 'alice', aud: 'api', iat: nowS, exp: nowS + 300, auth_time: nowS - 1, sid: 's2', acr: 'gold' };
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const sign = (changes: object, by = issuer): Promise<string> => by.sign({ ...claims, ...changes });
  const tampered = (await sign({ auth_time: nowS - 900 })).split('.');
  tampered[1] = Buffer.from(JSON.stringify({ ...claims, iss: 'https://idp.example' })).toString('base64url');
  const wrong: Record<string, Record<string, string>> = {
    unsigned: forged({ ...claims, iss: 'https://idp.example' }),
    expired: bearer(await sign({ exp: nowS - 60 })),
    'never ending': bearer(await sign({ exp: undefined })),
    'of another issuer': bearer(await sign({}, stranger)),
    'of another issuer under our name': bearer(await stranger.sign(claims, 'https://idp.example')),
    'changed after signing': bearer(tampered.join('.')),
    'for another API': bearer(await sign({ aud: 'elsewhere' })),
    'of the log-in before, of the right level': bearer(await sign({ auth_time: start / 1000 - 60 })),
    'of the decision’s own second': bearer(await sign({ auth_time: start / 1000 })),
    'signed by a symmetric key': bearer(await issuer.signSymmetric(claims)),
  };
  for (const [what, headers] of Object.entries(wrong)) assert.equal((await ask(headers)).status, 401, what);
  assert.deepEqual(notices, []);
  const stolen = bearer(await sign({ auth_time: start / 1000 - 60, sid: 's1' }));
  assert.equal((await ask(stolen)).status, 401);
  const bob = await ask(bearer(await sign({ sub: 'bob' })));
  assert.equal(bob.status, 200);
  assert.deepEqual(notices, [], "another one's token clears nothing");

  assert.equal((await ask(bearer(await sign({})))).status, 200);
  assert.deepEqual(
    notices.map(({ notice, decision_id, identity, session_id, by }) => ({
      notice,
      decision_id,
      identity,
      session_id,
      by,
    })),
    [{ notice: 'step-up-succeeded', decision_id: 'dec_0', identity: alice, session_id: 's2', by: 'nginx' }],
  );
  assert.equal((await ask(stolen)).status, 401, 'the token from before is still known by its age');
  const silent = { auth_time: undefined, sid: 's1' };
  assert.equal(
    (await ask(bearer(await sign({ ...silent, iat: start / 1000 - 60 })))).status,
    401,
    'or by that of its making',
  );
  assert.equal((await ask(bearer(await sign({})))).status, 200);
  assert.equal(notices.length, 1);
});

test('the keys of issuers are there before the first question, and what cannot be had is said once', async (t) => {
  const issuer = await createIssuer(t, 'https://idp.example');
  const issuers = [
    { issuer: 'https://idp.example', jwksUri: issuer.jwksUri, audiences: [] },
    { issuer: 'https://away.example', jwksUri: 'http://127.0.0.1:9/jwks', audiences: [] },
  ];
  const { missing } = await enforce(t, `enforce: ${JSON.stringify({ issuers })}`);
  const deadline = performance.now() + 5000;
  while ((issuer.fetched() === 0 || missing.length === 0) && performance.now() < deadline)
    await new Promise((resolve) => setImmediate(resolve));
  assert.equal(issuer.fetched(), 1);
  assert.deepEqual(missing, ['https://away.example']);
});

test('keys that were rotated are fetched; without the keys nothing is believed and nothing waits for long', async (t) => {
  const issuer = await createIssuer(t, 'https://idp.example');
  const yaml = `enforce: {issuers: [{issuer: "https://idp.example", jwksUri: "${issuer.jwksUri}"}]}`;
  const { ask, publish, clock } = await enforce(t, yaml);
  await publish({ action: 'step-up', max_age: 0 });
  clock.at = start + 10_000;
  const nowS = clock.at / 1000;
  await issuer.rotate();
  // The keys are not fetched twice in two seconds, and a token that was refused is not looked at again at once.
  const asked = async (jti: number): Promise<readonly [string, number]> => {
    const token = await issuer.sign({ sub: 'alice', jti: `${jti}`, iat: nowS, exp: nowS + 300, auth_time: nowS });
    return [token, (await ask({ authorization: `Bearer ${token}` })).status];
  };
  const deadline = performance.now() + 8000;
  let [token, status] = await asked(0);
  for (let jti = 1; status !== 200 && performance.now() < deadline; jti++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    [token, status] = await asked(jti);
  }
  assert.equal(status, 200);

  const away = await enforce(
    t,
    'enforce: {issuers: [{issuer: "https://idp.example", jwksUri: "http://127.0.0.1:1/"}]}',
  );
  away.clock.at = start + 10_000;
  await away.publish({ action: 'step-up', max_age: 0 });
  assert.equal((await away.ask({ authorization: `Bearer ${token}` })).status, 401);

  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => silent.close().closeAllConnections());
  const jwksUri = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
  const waiting = await enforce(t, `enforce: {issuers: [{issuer: "https://idp.example", jwksUri: "${jwksUri}"}]}`);
  waiting.clock.at = start + 10_000;
  await waiting.publish({ action: 'step-up', max_age: 0 });
  const begun = performance.now();
  assert.equal((await waiting.ask({ authorization: `Bearer ${token}` })).status, 401);
  assert.ok(performance.now() - begun < 2000, 'nginx waits for a second, and may let the call pass then');
});

test('a step-up is ignored when the identity itself goes on; strangers who name it count for nothing', async (t) => {
  const issuer = await createIssuer(t, 'https://idp.example');
  const yaml = `enforce: {graceMs: 5000, issuers: [{issuer: "https://idp.example", jwksUri: "${issuer.jwksUri}"}]}`;
  const { ask, publish, notices, clock } = await enforce(t, yaml);
  await publish({ action: 'step-up', max_age: 0 });
  const nowS = start / 1000;
  const old = {
    authorization: `Bearer ${await issuer.sign({ sub: 'alice', iat: nowS - 60, exp: nowS + 600, auth_time: nowS - 60 })}`,
  };
  for (let i = 0; i < 10; i++) await ask(old);
  clock.at = start + 5000;
  for (let i = 0; i < 100; i++) await ask(forged({ sub: 'alice', exp: nowS + 600, iss: 'https://idp.example' }));
  assert.deepEqual(notices, []);
  for (let i = 0; i < 10; i++) await ask(old);
  assert.deepEqual(
    notices.map(({ notice }) => notice),
    ['step-up-ignored'],
  );
});

test('what the gateway verified is believed when the configuration says so, and only then', async (t) => {
  const yaml = 'trustedHeaders: {subject: x-user, auth_time: x-auth-time}';
  const nowS = start / 1000 + 10;
  const headers = { 'x-user': 'alice', 'x-auth-time': String(nowS) };
  for (const [gatewayVerifies, status] of [
    [true, 200],
    [false, 401],
  ] as const) {
    const { ask, publish, clock } = await enforce(t, `enforce: {gatewayVerifies: ${gatewayVerifies}, ${yaml}}`);
    await publish({ action: 'step-up', max_age: 0 });
    clock.at = nowS * 1000;
    assert.equal((await ask(headers)).status, status);
    const verifiedClaims = { sub: 'alice', auth_time: nowS };
    assert.equal((await ask({}, { verifiedClaims })).status, status);
  }
});

test('a restart answers from the topic; before it is read the route decides, and says so', async (t) => {
  const first = await enforce(t, 'enforce: {unready: open, routes: [{path: "/admin/*", unready: closed}]}');
  await first.publish({ action: 'revoke-identity' });
  const { log, config, clock } = first;
  let open: (() => void) | undefined;
  const slow: Log = {
    ...log,
    tail: async (options) => {
      const tail = await log.tail(options);
      return {
        ...tail,
        caughtUp: Promise.all([
          tail.caughtUp,
          new Promise<void>((done) => {
            open = done;
          }),
        ]).then(() => undefined),
      };
    },
  };
  const second = await runEnforce({
    log: slow,
    config,
    clock,
    redactor: createRedactor({ hmacKey }),
    ignoredMax: 3,
    notify: () => undefined,
    answered: () => undefined,
    held: () => undefined,
  });
  t.after(() => second.consumption.close());
  const question = { headers: forged({ sub: 'alice' }), point: 'nginx', verifiedClaims: null, clientIp: null };
  const early = await second.ask({ ...question, path: '/orders' });
  assert.deepEqual([early.status, early.headers['x-gait-verdict']], [200, 'not-ready-open']);
  const closed = await second.ask({ ...question, path: '/admin/users' });
  assert.deepEqual([closed.status, closed.headers['x-gait-verdict']], [503, 'not-ready-closed']);
  open?.();
  await until(second.isReady);
  assert.equal((await second.ask({ ...question, path: '/orders' })).status, 401);
});

test('hundreds of long polls that wait for a change are told of it together, and are no leak to Node', async (t) => {
  const { enforcer, publish } = await enforce(t);
  const warnings: string[] = [];
  const onWarning = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  const polls = Array.from({ length: 300 }, () => enforcer.held.nextChange(60_000));
  await publish({ action: 'throttle' });
  await Promise.all(polls);
  assert.deepEqual(warnings, []);
});

test('who was answered about what is counted by enforcement point', async (t) => {
  const { ask, publish, enforcer, clock } = await enforce(t, 'enforce: {throttle: {perMinute: 60, burst: 1}}');
  await publish({ action: 'throttle' });
  await ask(forged({ sub: 'alice' }));
  clock.at += 5;
  await ask(forged({ sub: 'alice' }));
  await ask(forged({ sub: 'alice' }), { point: 'envoy' });
  await ask(forged({ sub: 'bob' }));
  const counted = enforcer.counts
    .take()
    .map(({ point, allowed, refused, firstAt, lastAt }) => [point, allowed, refused, lastAt - firstAt]);
  assert.deepEqual(counted, [
    ['nginx', 1, 1, 5],
    ['envoy', 0, 1, 0],
  ]);
  assert.deepEqual(enforcer.counts.take(), []);
});

test('ten thousand forged, expired and foreign tokens that name a victim change nothing for its own session', async (t) => {
  const issuer = await createIssuer(t, 'https://idp.example');
  const stranger = await createIssuer(t, 'https://other.example');
  const yaml = `enforce: {graceMs: 0, throttle: {perMinute: 60, burst: 3}, issuers: [{issuer: "https://idp.example", jwksUri: "${issuer.jwksUri}"}]}`;
  const { ask, publish, notices } = await enforce(t, yaml);
  const nowS = start / 1000;
  const claims = { sub: 'alice', sid: 's1', iat: nowS - 60, exp: nowS + 600, auth_time: nowS + 60 };
  const bearer = (token: string) => ({ authorization: `Bearer ${token}`, 'x-forwarded-for': '203.0.113.9' });
  const wrong = [
    { ...forged({ ...claims, iss: 'https://idp.example' }), 'x-forwarded-for': '203.0.113.9' },
    bearer(await issuer.sign({ ...claims, exp: nowS - 600 })),
    bearer(await stranger.sign(claims)),
    bearer(await stranger.sign(claims, 'https://idp.example')),
  ];
  const storm = async (): Promise<void> => {
    for (let i = 0; i < 10_000; i++) await ask(wrong[i % wrong.length]!);
  };
  const own = { ...bearer(await issuer.sign({ ...claims, auth_time: nowS - 60 })), 'x-forwarded-for': '198.51.100.4' };
  await storm();
  assert.equal((await ask(own)).status, 200);
  await publish({ action: 'throttle' });
  await storm();
  assert.equal((await ask(own)).status, 200, 'its bucket is still full');
  await publish({ action: 'step-up', max_age: 0 });
  await storm();
  assert.deepEqual(notices, [], 'neither answered nor ignored');
  assert.equal((await ask(own)).status, 401);
  const fresh = await issuer.sign({ ...claims, iat: nowS + 1, auth_time: nowS + 1 });
  assert.equal((await ask({ ...own, authorization: `Bearer ${fresh}` })).status, 200);
});
