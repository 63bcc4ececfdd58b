import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { EnforcementAnswer, EnforcementQuestion } from '../../src/http/parts.ts';
import { apiKey, ask, sampleParts, serve } from './client.ts';

const allow: EnforcementAnswer = { status: 200, headers: {}, decisionId: null, riskLevel: null, error: null };
const throttled: EnforcementAnswer = {
  ...allow,
  status: 429,
  headers: { 'retry-after': '7' },
  error: { code: 'throttled', message: 'too many calls for the moment' },
};

/** A server that lets every call pass, and what it was asked. */
async function listening(t: TestContext) {
  const asked: EnforcementQuestion[] = [];
  const server = await serve(
    sampleParts({
      ask: (question) => {
        asked.push(question);
        return allow;
      },
    }),
  );
  t.after(server.close);
  return { server, asked };
}

test('any method, path, query and length of the call arrives as it was, and is none of ours', async (t) => {
  const { server, asked } = await listening(t);
  const paths = ['/authz', '/authz/v1/findings', `/authz/${'x'.repeat(5000)}?a=b`, '/authz/%zz/%00', '/authz?limit=0'];
  for (const path of paths) assert.equal((await ask(server, path)).status, 200, path.slice(0, 40));
  for (const method of ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
    assert.equal(
      (await ask(server, '/authz/orders', { method, headers: { origin: 'https://app.example' } })).status,
      200,
      method,
    );
  assert.deepEqual(
    asked.slice(0, 5).map(({ path }) => path.slice(0, 20)),
    ['/', '/v1/findings', '/xxxxxxxxxxxxxxxxxxx', '/%zz/%00', '/'],
  );
  await ask(server, '/authz', { headers: { 'x-original-uri': '/admin/users?x=1' } });
  assert.equal(asked.at(-1)?.path, '/admin/users');
});

test('a token behind thousands of headers is seen', async (t) => {
  const { server, asked } = await listening(t);
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`h${i}`, '']));
  assert.equal(
    (await ask(server, '/authz', { headers: { ...many, authorization: 'Bearer of-the-call' } })).status,
    200,
  );
  assert.equal(asked[0]?.headers.authorization, 'Bearer of-the-call');
});

test('the key of the gateway comes in X-Gait-Key; what the call itself carries opens nothing, and names the point', async (t) => {
  const points: string[] = [];
  const answer = ({ point }: EnforcementQuestion): EnforcementAnswer => {
    points.push(point);
    return allow;
  };
  const keys = [apiKey('nginx-key', 'enforce'), apiKey('ingest-key', 'ingest')];
  const server = await serve(sampleParts({ ask: answer }), { keys });
  t.after(server.close);
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await ask(server, '/authz', { headers })).status;
  assert.equal(await status({ 'x-gait-key': 'nginx-key', authorization: 'Bearer of-the-call' }), 200);
  assert.equal(await status({ 'x-api-key': 'nginx-key', authorization: 'Bearer nginx-key' }), 401);
  assert.equal(await status({ 'x-gait-key': 'guessed' }), 401);
  assert.equal(await status({ 'x-gait-key': 'ingest-key' }), 403);
  assert.deepEqual(points, ['nginx-key']);
});

test('a gateway that knows 401 and 403 only is told the real status beside it', async (t) => {
  const server = await serve(sampleParts({ ask: () => throttled }));
  t.after(server.close);
  const plain = await ask(server, '/authz');
  assert.deepEqual([plain.status, plain.headers['retry-after']], [429, '7']);
  assert.equal(JSON.parse(plain.text).error.code, 'throttled');
  const nginx = await ask(server, '/authz', { headers: { 'x-gait-denials': '403' } });
  assert.deepEqual([nginx.status, nginx.headers['x-gait-status']], [403, '429']);
});
