import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/config.ts';
import { createRedactor } from '../../src/event/redact.ts';
import { createCallReader, pathMeantBy } from '../../src/role/enforce-call.ts';

test('what an API behind would still read of a call is read here: no blank, cookie or second header hides a caller', () => {
  const redactor = createRedactor({ hmacKey: 'a key for tests only' });
  const outcome = parseConfig({ name: 'gait.yaml', text: () => '{}' }, {});
  assert.ok(outcome.kind === 'ok');
  const read = createCallReader({ config: outcome.config, redactor });
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
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
