import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/config.ts';
import type { Post, PostRequest } from '../../src/core/post.ts';
import { createHttpAction, withClientCredentials } from '../../src/signal/http-action.ts';
import { aDecision } from './a-decision.ts';

const base = { name: 'x', on: ['revoke-session'], method: 'DELETE', headers: {}, allowInsecure: false } as const;
const decision = aDecision({ action: 'revoke-session', change: 'made', session_id: 's/../x?y#"\\' });

test('what an attacker chose stays one segment of the address and one string of the body', () => {
  const body = '{"s":"{{session_id}}"}';
  const action = createHttpAction({ ...base, url: 'https://idp.example/sessions/{{session_id}}/end', body });
  const request = action.request(decision);
  assert.equal(request?.url, 'https://idp.example/sessions/s%2F..%2Fx%3Fy%23%22%5C/end');
  assert.equal(request?.method, 'DELETE');
  assert.deepEqual(JSON.parse(request?.body ?? ''), { s: decision.session_id });
});

test('a decision that lacks what the action names, or is none of its actions, calls nobody', () => {
  const action = createHttpAction({ ...base, url: 'https://idp.example/{{session_id}}' });
  assert.equal(action.request({ ...decision, session_id: null }), undefined);
  assert.equal(action.request({ ...decision, session_id: '..' }), undefined);
  assert.equal(action.lack({ ...decision, session_id: '..' }), 'session_id');
  assert.equal(action.lack({ ...decision, session_id: null, action: 'step-up' }), undefined);
  assert.equal(action.lack(decision), undefined);
  assert.equal(action.request({ ...decision, action: 'step-up' }), undefined);
  assert.equal(action.request({ ...decision, change: 'extended' }), undefined);
});

test('templates with an unknown field, a field in the host or a body that is no JSON are refused', () => {
  for (const wrong of [
    { url: 'https://idp.example/{{password}}' },
    { url: 'https://{{tenant}}.example/' },
    { url: 'http://idp.example/' },
    { url: 'https://idp.example/', body: '{{session_id}}{' },
  ]) {
    assert.throws(() => createHttpAction({ ...base, ...wrong }), { code: 'CONFIG_INVALID' });
  }
});

test('an access token is fetched once, and anew after a 401; neither it nor the secret is told', async () => {
  const asked: PostRequest[] = [];
  let status = 204;
  const post: Post = async (request) => {
    asked.push(request);
    const isGrant = request.url.endsWith('/token');
    const kind = isGrant || status < 300 ? 'delivered' : 'rejected';
    const answer = JSON.stringify({ access_token: `token-${asked.length}`, expires_in: 300 });
    return { kind, status: isGrant ? 200 : status, detail: '', retryAfterMs: null, answer };
  };
  const credentials = { url: 'https://idp.example/token', clientId: 'gait', clientSecret: 's3cret', extra: {} };
  const authorized = withClientCredentials(post, { ...credentials, allowInsecure: false }, { now: () => 0 });
  const call = () => authorized({ url: 'https://idp.example/x', headers: {}, body: '' }, new AbortController().signal);
  await call();
  await call();
  assert.deepEqual(
    asked.map(({ headers }) => headers.authorization),
    [undefined, 'Bearer token-1', 'Bearer token-1'],
  );
  status = 401;
  const refused = await call();
  assert.equal(refused.kind, 'failed', 'it is tried again');
  assert.doesNotMatch(JSON.stringify({ ...refused, answer: '' }), /s3cret|token-/);
  status = 204;
  await call();
  assert.equal(asked.at(-1)?.headers.authorization, 'Bearer token-5');
});

test('the actions that come with the program are valid settings', () => {
  for (const file of ['keycloak', 'providers']) {
    const text = readFileSync(join(import.meta.dirname, `../../../pipelines/actions/${file}.yaml`), 'utf8');
    const names = [...text.matchAll(/\$\{([A-Z0-9_]+)\}/g)].map(([, name]) => name!);
    const env = Object.fromEntries(names.map((name) => [name, 'https://idp.example']));
    const outcome = parseConfig({ name: file, text: () => text }, env);
    assert.deepEqual(outcome.kind === 'ok' ? [] : outcome.problems, []);
  }
});
