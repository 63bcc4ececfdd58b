import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SuppressionDraft, VerdictDraft } from '../../src/http/feedback-parts.ts';
import { apiKey, ask, sampleParts, serve } from './client.ts';
import { sampleFeedback } from './sample.ts';

async function open(t: { after: (end: () => Promise<void>) => void }) {
  const said: { readonly id?: string; readonly draft?: VerdictDraft | SuppressionDraft; readonly by: string }[] = [];
  const feedback: typeof sampleFeedback = {
    ...sampleFeedback,
    giveVerdict: async (id, draft, { caller }) => {
      said.push({ id, draft, by: caller });
      if (id === 'gone') return undefined;
      return id === 'far' ? 'no-route' : { verdict_id: 'vdt_1', closes: 2, suppression_id: 'sup_1' };
    },
    suppress: async (draft, { caller }) => {
      said.push({ draft, by: caller });
      return 'sup_2';
    },
    undoVerdict: async (id) => id === 'vdt_1',
    liftSuppression: async (id) => id === 'sup_1',
  };
  const keys = [apiKey('chief', 'admin'), apiKey('desk', 'analyst'), apiKey('gate', 'enforce')];
  const server = await serve(sampleParts({ feedback }), { keys });
  t.after(server.close);
  const send = (key: string, what: string, body: object = {}) => {
    const [method = '', path = ''] = what.split(' ');
    return ask(server, path, {
      method,
      body: method === 'DELETE' ? '' : JSON.stringify(body),
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    });
  };
  return { send, said };
}

test('a verdict of an analyst is taken with its defaults, under the name of the key', async (t) => {
  const { send, said } = await open(t);
  const answer = await send('desk', 'POST /v1/findings/f1/verdict', {
    verdict: 'false-positive',
    note: ' the audit ',
  });
  assert.equal(answer.status, 202);
  assert.deepEqual(JSON.parse(answer.text), { verdict_id: 'vdt_1', closes: 2, suppression_id: 'sup_1' });
  const draft = {
    verdict: 'false-positive',
    scope: 'identity',
    expiresMs: 90 * 86_400_000,
    note: 'the audit',
    route: null,
  };
  assert.deepEqual(said, [{ id: 'f1', draft, by: 'desk' }]);
});

test('what is no verdict is refused: other words, scopes, times, control characters, unknown findings and routes', async (t) => {
  const { send, said } = await open(t);
  for (const wrong of [
    {},
    { verdict: 'wrong' },
    { verdict: 'benign', scope: 'everybody' },
    { verdict: 'benign', expires: '400d' },
    { verdict: 'benign', expires: '0s' },
    { verdict: 'benign', note: 'a\nb' },
    { verdict: 'benign', more: 1 },
  ])
    assert.equal((await send('desk', 'POST /v1/findings/f1/verdict', wrong)).status, 400, JSON.stringify(wrong));
  assert.equal(said.length, 0);
  assert.equal((await send('desk', 'POST /v1/findings/gone/verdict', { verdict: 'benign' })).status, 404);
  assert.equal(
    (await send('desk', 'POST /v1/findings/far/verdict', { verdict: 'benign', scope: 'route' })).status,
    422,
  );
});

test('suppressing needs an admin, something to suppress, a reason and an end; looking first does not', async (t) => {
  const { send, said } = await open(t);
  const draft = { identity: 'client:acme:etl-*', kinds: ['object_enumeration'], reason: 'export', expires: '30d' };
  assert.equal((await send('desk', 'POST /v1/suppressions', draft)).status, 403);
  assert.equal((await send('gate', 'POST /v1/suppressions/preview', draft)).status, 403);
  assert.equal((await send('desk', 'POST /v1/suppressions/preview', draft)).status, 200);
  assert.equal((await send('chief', 'POST /v1/suppressions', draft)).status, 202);
  const all = { peer_group: null, route: null, network: null, owner: 'chief' };
  const { expires: _, ...rest } = draft;
  assert.deepEqual(said, [{ draft: { ...all, ...rest, expiresMs: 30 * 86_400_000 }, by: 'chief' }]);
  for (const wrong of [
    { reason: 'x', expires: '30d' },
    { ...draft, reason: undefined },
    { ...draft, expires: undefined },
    { ...draft, network: '10.0.0.0/64' },
    { ...draft, kinds: ['nothing'] },
  ])
    assert.equal((await send('chief', 'POST /v1/suppressions', wrong)).status, 400, JSON.stringify(wrong));
});

test('what is taken back must be there', async (t) => {
  const { send } = await open(t);
  assert.equal((await send('desk', 'DELETE /v1/verdicts/vdt_1')).status, 202);
  assert.equal((await send('desk', 'DELETE /v1/verdicts/vdt_9')).status, 404);
  assert.equal((await send('desk', 'DELETE /v1/suppressions/sup_1')).status, 403);
  assert.equal((await send('chief', 'DELETE /v1/suppressions/sup_1')).status, 202);
  assert.equal((await send('chief', 'DELETE /v1/suppressions/sup_9')).status, 404);
});
