import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRedactor } from '../../src/event/redact.ts';

const redactor = createRedactor({ hmacKey: 'a key for tests only', listedQueryNames: ['Page'] });

test('of a query the names stay, and the values of listed names', () => {
  const cases: Record<string, string> = {
    '/orders/42': '/orders/42',
    '/orders?page=2&q=alice&page': '/orders?page=2&q&page',
    '/orders?': '/orders?',
    '/a?b=c#token=d': '/a?b',
    '/a#access_token=abc': '/a',
    '/a?eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc': '/a?***',
    '/a?filter[name]=x&$top=5': '/a?filter[name]&$top',
    '/a?page=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc': '/a?page=***',
    '/a?ghp_0123456789abcdef0123456789abcdef': '/a?***',
  };
  for (const [path, expected] of Object.entries(cases)) assert.equal(redactor.path(path), expected, path);
});

test('secrets in path segments and URLs are masked, matrix parameters dropped, ids kept', () => {
  const cases: Record<string, string> = {
    '/reset/3f9a8b7c6d5e4f3a2b1c': '/reset/***',
    '/v1/token/abcdefghijklmnop1234/info': '/v1/token/***/info',
    '/reset/form': '/reset/form',
    '/orders/3f9a8b7c6d5e4f3a2b1c': '/orders/3f9a8b7c6d5e4f3a2b1c',
    '/orders/123e4567-e89b-12d3-a456-426614174000': '/orders/123e4567-e89b-12d3-a456-426614174000',
    '/bot123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/send': '/***/send',
    '/x/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc/y': '/x/***/y',
    'http://alice:hunter2@api.example.com/a': 'http://api.example.com/a',
    '/a;jsessionid=0123456789ABCDEF/b': '/a/b',
    '/a%3Ftoken=hunter2hunter2': '/a%3Ftoken=***',
  };
  for (const [path, expected] of Object.entries(cases)) assert.equal(redactor.path(path), expected, path);
});

test('tokens, keys and assignments in free text are masked, resource names and user agents are not', () => {
  const masked = [
    'Bearer abcdef123456',
    'x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc y',
    'curl --data password=hunter2',
    '{"password":"hunter2"}',
    'password:hunter2',
    'api_key=hunter2x',
    'sk_live_0123456789abcdef',
    'https://u:hunter2@h/',
    'Authorization: Basic aHVudGVyMg==',
  ];
  for (const text of masked)
    assert.doesNotMatch(redactor.text(text), /hunter2|eyJ|abcdef123456|0123456789abcdef|aHVudGVyMg/, text);
  const kept = [
    'Mozilla/5.0 (X11; Linux x86_64; rv:128.0)',
    'arn:aws:secretsmanager:eu-west-1:111122223333:secret:billing-AbCdEf',
    'arn:aws:kms:eu-west-1:1:key/1234',
    'CN=alice,O=Example',
    '[Boto3/1.26.165 md/Botocore#1.29]',
    'svc (+https://example.com/bot)',
  ];
  for (const text of kept) assert.equal(redactor.text(text), text);
});

test('a digest is stable, keyed and not the secret; memory of it is bounded', () => {
  const other = createRedactor({ hmacKey: 'another key for tests' });
  assert.equal(redactor.digest('k'), createRedactor({ hmacKey: 'a key for tests only' }).digest('k'));
  assert.notEqual(redactor.digest('k'), other.digest('k'));
  const first = redactor.digest('key 0');
  for (let i = 0; i < 20_000; i++) redactor.digest(`key ${i}`);
  assert.equal(redactor.digest('key 0'), first);
});

test('a session is one however its cookie is written, and where its name is given no other cookie is taken for it', () => {
  const hmacKey = 'a key for tests only';
  const named = createRedactor({ hmacKey, sessionCookies: ['sid'] });
  const session = redactor.digest('s:abc');
  for (const cookies of [
    'sid=s:abc',
    'sid="s:abc"',
    'sid=s%3Aab%63',
    ' a=1;sid = s:abc ;b=2',
    'auth_token=of-his-own; sid=s:abc',
  ])
    assert.equal(named.session(cookies), session, cookies);
  for (const cookies of ['', 'sid', 'sid=', '=s:abc', 'SID=s:abc', 'auth_token=of-his-own'])
    assert.equal(named.session(cookies), null, cookies);
  assert.equal(redactor.session('theme=dark; login=s%zzabcdef'), redactor.digest('s%zzabcdef'));
});

test('a caller cannot make masking slow', () => {
  for (const unit of ['password=', 'eyJ', 'Bearer ', '//', 'key: ', '%3d', '"token":"', 'sk_live_']) {
    const text = unit.repeat(2048 / unit.length);
    const started = performance.now();
    redactor.text(text);
    redactor.path(`/${text}`);
    assert.ok(performance.now() - started < 100, unit);
  }
});

test('no query value of an unlisted name survives', () => {
  const word = fc.stringMatching(/^[a-z]{3,8}$/);
  const value = fc.stringMatching(/^[A-Z0-9]{8,20}$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(word, value), { minLength: 1, maxLength: 5 }), (pairs) => {
      const kept = redactor.path(`/a/b?${pairs.map(([name, secret]) => `${name}=${secret}`).join('&')}`);
      for (const [name, secret] of pairs) if (name !== 'page') assert.ok(!kept.includes(secret), kept);
    }),
  );
});

test('an identifier that is a secret becomes its digest, so that two callers stay two', () => {
  const tokens = ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIn0.abc'];
  assert.deepEqual(tokens.map(redactor.id), tokens.map(redactor.digest));
  for (const id of [
    '123e4567-e89b-12d3-a456-426614174000',
    'CN=svc,O=Example Ltd',
    'arn:aws:iam::1:user/token-reader',
    'alice@example.com',
  ])
    assert.equal(redactor.id(id), id);
});
