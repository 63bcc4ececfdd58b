import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeOne, filled, jwt, newDecoder, redactor, refusals } from './decode-one.ts';

const ts = 1766000000123;

test('canonical fields are taken, unknown ones ignored, missing ones left null', () => {
  const event = decodeOne({
    ts,
    subject: 'u-1',
    status: '200',
    asn: '-',
    country: '',
    unknown: { a: 1 },
    scopes: 'a b',
    enforced: 'true',
  });
  assert.deepEqual(filled(event), {
    ts,
    sample_rate: 1,
    subject: 'u-1',
    status: 200,
    scopes: ['a', 'b'],
    enforced: true,
  });
});

test('a wrong type is refused under the name of its field, without its value', () => {
  const cases: [Record<string, unknown>, string][] = [
    [{ status: 'hunter2' }, 'invalid-field: status: expected a whole number from 100 to 999'],
    [{ status: 2.5e2 + 0.5 }, 'invalid-field: status: expected a whole number from 100 to 999'],
    [{ path: { a: 1 } }, 'invalid-field: path: expected a string within the length limit'],
    [{ roles: [{}] }, 'invalid-field: roles: expected an array of strings'],
    [{ sensitive: { card: 'many' } }, 'invalid-field: sensitive: expected an object of counts'],
    [{ actor_kind: 'robot' }, 'invalid-field: actor_kind: expected "human" or "service"'],
    [{ sample_rate: 0 }, 'invalid-field: sample_rate: expected a number from 1e-9 to 1'],
    [{ duration_ms: -1 }, 'invalid-field: duration_ms: expected a number of at least 0'],
    // The store could not hold these.
    [{ request_bytes: 1e20 }, 'invalid-field: request_bytes: expected a whole number from 0 to 9007199254740991'],
    [{ rows: 1e308 }, 'invalid-field: rows: expected a whole number from 0 to 9007199254740991'],
    [{ token_exp: 1e308 }, 'invalid-field: token_exp: expected a time'],
    [{ subject: 'x'.repeat(5000) }, 'invalid-field: subject: expected a string within the length limit'],
    [{ client_cert_verified: 'perhaps' }, 'invalid-field: client_cert_verified: expected true or false'],
  ];
  for (const [fields, expected] of cases) {
    assert.deepEqual(refusals(newDecoder()({ ts, client_id: 'c', ...fields })), [expected]);
  }
});

test('ids and codes may be numbers', () => {
  const event = decodeOne({ ts, subject: 7, acr: 2, error_code: 4031 });
  assert.deepEqual([event.subject, event.acr, event.error_code], ['7', '2', '4031']);
});

test('what the caller writes is cut or renamed, never a reason to refuse the event', () => {
  const event = decodeOne({
    ts,
    subject: 7,
    user_agent: 'x'.repeat(9000),
    method: 'get',
    path: `/${'y'.repeat(9000)}`,
    client_ip: 'nonsense',
  });
  assert.equal(event.user_agent?.length, 2048);
  assert.equal(event.path?.length, 2048);
  assert.equal(event.method, 'GET');
  assert.equal(event.client_ip, null);
  assert.equal(decodeOne({ ts, subject: 's', method: 'HACK' }).method, '_OTHER');
  assert.equal(decodeOne({ ts, subject: 's', host: 'user@API.Example.com:8443' }).host, 'api.example.com');
});

test("a bearer token's claims fill the gaps and the token is dropped", () => {
  const token = jwt({
    sub: 'u-9',
    iss: 'https://id.example',
    azp: 'web',
    sid: 's-9',
    jti: 'j-9',
    scope: 'read write',
    acr: '2',
    amr: ['pwd', 'otp'],
    auth_time: 1765999000,
    iat: 1765999100,
    exp: 1766003600,
    realm_access: { roles: ['admin'] },
  });
  const event = decodeOne({ ts, client_id: 'as the gateway says', Authorization: `Bearer ${token}` });
  assert.deepEqual(filled(event), {
    ts,
    sample_rate: 1,
    subject: 'u-9',
    issuer: 'https://id.example',
    client_id: 'as the gateway says',
    session_id: 's-9',
    token_id: 'j-9',
    auth_method: 'bearer',
    scopes: ['read', 'write'],
    roles: ['admin'],
    acr: '2',
    amr: ['pwd', 'otp'],
    auth_time: 1765999000,
    token_iat: 1765999100,
    token_exp: 1766003600,
    enforced: false,
  });
});

test('a token with claims of the wrong type costs the claims, not the event', () => {
  const event = decodeOne({
    ts,
    client_ip: '203.0.113.7',
    authorization: `Bearer ${jwt({ sub: { a: 1 }, exp: 'soon', jti: 5 })}`,
  });
  assert.equal(event.subject, null);
  assert.equal(event.token_exp, null);
  const endless = decodeOne({
    ts,
    client_ip: '203.0.113.7',
    authorization: `Bearer ${jwt({ exp: 1e308, iat: -1e300 })}`,
  });
  assert.deepEqual([endless.token_exp, endless.token_iat], [null, null]);
});

test('opaque tokens, API keys and session cookies become a keyed HMAC; Basic keeps the name alone', () => {
  const opaque = decodeOne({
    ts,
    client_ip: '203.0.113.7',
    authorization: 'Bearer 2YotnFZFEjr1zCsicMWpAA',
    cookie: 'theme=dark; SESSIONID=abc123def456',
  });
  assert.equal(opaque.token_id, redactor.digest('2YotnFZFEjr1zCsicMWpAA'));
  assert.equal(opaque.session_id, redactor.digest('abc123def456'));
  assert.equal(decodeOne({ ts, api_key: 'k-secret-1' }).api_key, redactor.digest('k-secret-1'));
  const basic = decodeOne({
    ts,
    client_ip: '203.0.113.7',
    authorization: `Basic ${Buffer.from('alice:hunter2hunter2').toString('base64')}`,
  });
  assert.equal(basic.subject, 'alice');
  assert.match(redactor.digest('x'), /^[0-9a-f]{24}$/);
});

test('names of the object prototype are plain unknown fields', () => {
  const event = decodeOne(
    `{"ts":${ts},"subject":"u","__proto__":{"status":500},"constructor":{"prototype":{"polluted":1}},"toString":"x","sensitive":{"__proto__":3,"card":2}}`,
  );
  assert.equal(event.status, null);
  assert.deepEqual(event.sensitive, { card: 2 });
  assert.equal(Object.getPrototypeOf(event), Object.prototype);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});
