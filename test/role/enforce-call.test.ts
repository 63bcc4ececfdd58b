import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseConfig } from '../../src/config/config.ts';
import { createRedactor } from '../../src/event/redact.ts';
import type { IdentityKey } from '../../src/identity/resolved-event.ts';
import type { Decision } from '../../src/policy/decision.ts';
import { DecisionTable } from '../../src/policy/decision-table.ts';
import { Enforcement } from '../../src/policy/enforce.ts';
import { createCallReader, pathMeantBy } from '../../src/role/enforce-call.ts';
import { aDecision } from '../signal/a-decision.ts';

const redactor = createRedactor({ hmacKey: 'a key for tests only' });
const outcome = parseConfig({ name: 'gait.yaml', text: () => '{}' }, {});
assert.ok(outcome.kind === 'ok');
const read = createCallReader({ config: outcome.config, redactor });
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test('what an API behind would still read of a call is read here: no blank, cookie or second header hides a caller', () => {
  const token = `${part({ alg: 'none' })}.${part({ sub: 'alice' })}.`;
  const key = `api-key:-:${redactor.digest('k-1')}`;
  const calls: [Record<string, string>, string][] = [
    ...[' ', '  ', '\t', '\u00a0', '!', '\ufffd', ' '.repeat(20_000)].map((blank): [Record<string, string>, string] => [
      { authorization: `Bearer${blank}${token}` },
      'user:-:alice',
    ]),
    // As Node and nginx, and as Envoy, join a header that was sent twice.
    [{ 'x-api-key': 'k-1, k-1' }, key],
    [{ 'x-api-key': 'k-1,other' }, key],
    [{ cookie: `${'a=1; '.repeat(100)}session_id=abcdefghijkl` }, `session:-:${redactor.digest('abcdefghijkl')}`],
  ];
  for (const [headers, identity] of calls) {
    const call = read({ headers, path: '/', point: 'nginx', verifiedClaims: null, clientIp: null });
    assert.equal(call?.resolution.identity, identity, JSON.stringify(headers).slice(0, 60));
    assert.equal(call?.bearer, headers.authorization === undefined ? null : token);
  }
});

test('a key or a session that was refused stays so beside a token that names somebody else, and a ban of an address beside a new one', () => {
  const authorization = `Bearer ${part({ alg: 'none' })}.${part({ sub: 'nobody', sid: 'made-up' })}.`;
  const headers = { authorization, 'x-api-key': 'k-1', cookie: 'sid=abcdefghijkl', 'x-forwarded-for': '192.0.2.1' };
  const call = read({ headers, path: '/', point: 'nginx', verifiedClaims: null, clientIp: null })!;
  const { identity } = call.resolution;
  assert.equal(identity, 'user:-:nobody');
  const proof = { authTimeSeconds: 2000, issuedAtSeconds: 2000, acr: null };
  const { caller } = call;
  assert.deepEqual([caller.sessionId, caller.clientIp], ['made-up', '192.0.2.1']);
  const verdictOn = (about: string, action: Decision['action'], isProven: boolean): string => {
    const asked = { caller, claimedAuthTimeSeconds: 2000, proof: isProven ? proof : null, isProven };
    const table = new DecisionTable(10);
    const times = { made_at: 1_000_000, issued_before: 1_000_000, expires_at: 5_000_000 };
    table.apply(aDecision({ identity: about as IdentityKey, tenant: '-', action, ...times }), 1_000_000);
    const rules = { throttle: { perMinute: 1, burst: 1 }, ignoredMax: 1, graceMs: 0 };
    return new Enforcement(table, rules, () => undefined).judge(asked, 'nginx', 3_000_000).kind;
  };
  const refused = [
    `api-key:-:${redactor.digest('k-1')}`,
    `session:-:${redactor.digest('abcdefghijkl')}`,
    'address:-:192.0.2.1',
  ];
  for (const about of refused) assert.equal(verdictOn(about, 'revoke-identity', false), 'revoked', about);
  assert.deepEqual(
    refused.map((about) => verdictOn(about, 'revoke-identity', true)),
    ['allow', 'allow', 'revoked'],
    'many may come with one key; an address is refused with everybody behind it',
  );
  assert.equal(verdictOn(identity, 'revoke-identity', true), 'allow', 'whose token is newer');
  assert.equal(verdictOn(refused[0]!, 'throttle', false), 'allow', 'what slows a key down is for those who come by it');
});

test('a route is the one that the API will see, however its path is written', () => {
  const written = [
    '/admin/x',
    '//admin//x',
    '/./admin/x',
    '/a/../admin/x',
    '/%61dmin/x',
    '/a%2F..%2Fadmin/x',
    '/a\\..\\admin\\x',
  ];
  for (const path of written) assert.equal(pathMeantBy(path), '/admin/x', path);
  const others: [string, string][] = [
    ['/', '/'],
    ['', '/'],
    ['/admin/', '/admin/'],
    ['/admin/x/..', '/admin/'],
    ['/../..', '/'],
    ['/50%/x', '/50%/x'],
    ['/50%/%2e%2e/caf%C3%A9', '/caf%C3%A9'],
  ];
  for (const [path, meant] of others) assert.equal(pathMeantBy(path), meant, path);
});

test('what is remembered of a call answers for no other: each is read as by a reader that remembers nothing', () => {
  const { config } = outcome;
  const token = (sub: string): string => `${part({ alg: 'none' })}.${part({ sub })}.${'s'.repeat(40)}`;
  // Few values, so that many calls are alike in all but one; some look like what stands between values, and a long one is not kept.
  const value = fc.constantFrom(undefined, '', 'a', '|a', 'a|', '1:a|');
  const authorization = fc.constantFrom(
    undefined,
    `Bearer ${token('alice')}`,
    `Bearer ${token('mallory')}`,
    `Bearer ${'x'.repeat(5000)}.${token('bob')}`,
    `Basic ${Buffer.from('alice:pw').toString('base64')}`,
  );
  const calls = fc.array(
    fc.record({
      authorization,
      cookie: value,
      key: value,
      address: fc.constantFrom('192.0.2.1', '192.0.2.2'),
      clientIp: fc.constantFrom(null, null, '192.0.2.3'),
      verifiedClaims: fc.constantFrom(null, null, { sub: 'carol' }),
    }),
    { minLength: 200, maxLength: 300 },
  );
  fc.assert(
    fc.property(calls, (asked) => {
      const remembering = createCallReader({ config, redactor });
      for (const { authorization, cookie, key, address, clientIp, verifiedClaims } of asked) {
        const headers = { authorization, cookie, 'x-api-key': key, 'x-forwarded-for': address };
        const question = { headers, path: '/', point: 'nginx', verifiedClaims, clientIp };
        assert.deepEqual(remembering(question), createCallReader({ config, redactor })(question));
      }
    }),
    { numRuns: 20 },
  );
});
