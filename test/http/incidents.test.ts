import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CaseNote, HttpParts } from '../../src/http/parts.ts';
import { apiKey, ask, sampleParts, serve } from './client.ts';

test('what is said about an incident reaches the desk in order, under the name of the key and the address', async (t) => {
  const asked: unknown[] = [];
  const note: HttpParts['note'] = async (id, notes, said) => {
    asked.push([id, notes, said]);
    return id === 'inc_1' ? 'noted' : 'unknown';
  };
  const server = await serve(sampleParts({ note }), { keys: [apiKey('carla', 'analyst'), apiKey('edge', 'enforce')] });
  t.after(server.close);
  const say = (body: object, { id = 'inc_1', key = 'carla' } = {}) =>
    ask(server, `/v1/incidents/${id}`, { method: 'POST', headers: { 'x-api-key': key }, body: JSON.stringify(body) });

  const answer = await say({ assignee: 'dan', comment: ' two\nlines ', state: 'closed', reason: 'a test' });
  assert.equal(answer.status, 202);
  assert.deepEqual(JSON.parse(answer.text), { incident_id: 'inc_1', noted: ['assign', 'comment', 'close'] });
  const notes: CaseNote[] = [
    { kind: 'assign', text: 'dan' },
    { kind: 'comment', text: 'two\nlines' },
    { kind: 'close', text: 'a test' },
  ];
  assert.deepEqual(asked, [['inc_1', notes, { who: 'carla', from: '127.0.0.1' }]]);
  assert.deepEqual(JSON.parse((await say({ assignee: '' })).text).noted, ['assign']);
  assert.deepEqual(JSON.parse((await say({ state: 'open', reason: 'wrong' })).text).noted, ['reopen']);
  assert.equal((await say({ comment: 'x' }, { id: 'inc_2' })).status, 404);
  assert.equal((await say({ comment: 'x' }, { key: 'edge' })).status, 403);
});

test('what is empty, half said, or would break a line or a terminal is refused', async (t) => {
  const server = await serve(sampleParts({ note: async () => 'noted' }));
  t.after(server.close);
  for (const body of [
    {},
    { comment: ' ' },
    { comment: 'x'.repeat(4001) },
    { comment: '\u001b[31mred' },
    { assignee: 'a\nb' },
    { state: 'closed' },
    { state: 'closed', reason: ' ' },
    { reason: 'why' },
    { state: 'suppressed', reason: 'x' },
    { comment: 'x', extra: 1 },
  ]) {
    const answer = await ask(server, '/v1/incidents/inc_1', { method: 'POST', body: JSON.stringify(body) });
    assert.equal(answer.status, 400, JSON.stringify(body));
  }
});

test('a report is a download whose name is the id and nothing else, and may not run anything when it is opened', async (t) => {
  const asked: unknown[] = [];
  const report = async (...call: unknown[]) => {
    asked.push(call);
    return call[0] === 'inc_none' ? undefined : { text: 'the report', policy: "default-src 'none'" };
  };
  const server = await serve(sampleParts({ pages: { ...sampleParts().pages, report } }));
  t.after(server.close);
  const { headers, text } = await ask(server, '/v1/incidents/inc_1%22%0d%0a/report');
  assert.equal(text, 'the report');
  assert.equal(headers['content-disposition'], 'attachment; filename="inc_1.html"');
  assert.equal(headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'");
  assert.match(String(headers['content-type']), /^text\/html/);
  const markdown = await ask(server, '/v1/incidents/inc_1/report?format=markdown');
  assert.match(String(markdown.headers['content-type']), /^text\/markdown/);
  assert.match(String(markdown.headers['content-disposition']), /"inc_1\.md"/);
  assert.equal((await ask(server, '/v1/incidents/inc_1/report?format=pdf')).status, 400);
  assert.equal((await ask(server, '/v1/incidents/inc_none/report')).status, 404);
  assert.deepEqual(asked[1], ['inc_1', 'markdown']);
});
