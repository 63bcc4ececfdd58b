import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { startGait, waitFor } from '../integration/gait-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'gait-shadow-'));
after(() => rmSync(folder, { recursive: true, force: true }));

type Row = Readonly<Record<string, unknown>>;

test('shadow mode sends nothing anywhere: webhook, action and shared signals stay silent, nobody fetches anything, and all hear the first enforced one', {
  timeout: 180_000,
}, async (t) => {
  const heard: { readonly path: string; readonly body: string }[] = [];
  const listener = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    heard.push({ path: request.url ?? '', body: Buffer.concat(chunks).toString() });
    response.writeHead(request.url === '/ssf' ? 202 : 204).end();
  });
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  t.after(() => listener.close());
  const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const on = ['throttle', 'step-up', 'revoke-session', 'revoke-identity'];
  const secrets = [`whsec_${Buffer.alloc(24, 7).toString('base64')}`];
  // The sample's attacks are decided by the shipped policy, which is in shadow mode.
  const gait = startGait({
    folder,
    config: {
      dataDir: './data',
      sample: true,
      http: { port: 0 },
      enforce: { trustedHeaders: { subject: 'x-user' } },
      signals: {
        webhooks: [{ name: 'gate', url: `${url}/webhook`, secrets }],
        actions: [{ name: 'idp', on, url: `${url}/action`, body: '{"id":"{{decision_id}}","who":"{{subject}}"}' }],
      },
      ssf: {
        issuer: 'https://gait.example',
        receivers: [{ name: 'rp', audience: 'https://rp.example', push: { url: `${url}/ssf` } }],
      },
    },
  });
  const alive = [gait];
  await waitFor('it serves', () => gait.address() !== undefined, { withinMs: 60_000, alive });
  const post = (body: object) =>
    fetch(`${gait.address()}/v1/decisions`, { method: 'POST', body: JSON.stringify(body) });
  const decisions = async (mode: string): Promise<readonly Row[]> => {
    const response = await fetch(`${gait.address()}/v1/decisions?mode=${mode}&limit=500`);
    return response.ok ? ((await response.json()) as { decisions: Row[] }).decisions : [];
  };
  const order = { action: 'revoke-identity', ttl: '1h', reason: 'rehearsed' };
  assert.equal((await post({ ...order, identity: 'user:-:bob', mode: 'shadow' })).status, 202);
  await waitFor('the sample is played', () => gait.output().includes('The sample has been played'), {
    withinMs: 60_000,
    alive,
  });
  const isStored = async (): Promise<boolean> => {
    const made = await decisions('shadow');
    return made.length > 3 && made.some(({ identity }) => identity === 'user:-:bob');
  };
  await waitFor('shadow decisions are stored', isStored, { withinMs: 60_000, alive });
  assert.deepEqual(await decisions('enforce'), []);
  for (const { identity, decision_id, rule } of await decisions('shadow')) {
    if (rule === 'manual') continue;
    const path = `/v1/identities/${encodeURIComponent(String(identity))}/explain-decision`;
    const told = (await (await fetch(`${gait.address()}${path}`)).json()) as Row;
    assert.equal(typeof told.outcome, 'string', JSON.stringify(told));
    assert.ok((told.rules as Row[]).some((each) => each.failed === null));
    assert.ok(String(told.outcome).length > 20, `${decision_id}`);
  }
  const asked = await fetch(`${gait.address()}/authz`, { headers: { 'x-user': 'bob', 'x-original-uri': '/orders' } });
  assert.equal(asked.status, 200);
  const fetched = await fetch(`${gait.address()}/v1/decisions/stream?startup=true`);
  assert.deepEqual(await fetched.json(), { new: [], deleted: [] });
  const bundle = await fetch(`${gait.address()}/v1/opa/bundle.tar.gz`);
  assert.match(gunzipSync(Buffer.from(await bundle.arrayBuffer())).toString(), /\{"gait":\{"decisions":\{\}\}\}/);

  // The listener can hear: what is enforced arrives, after all that was not. It is the first thing that it hears, by each way.
  assert.equal((await post({ ...order, identity: 'user:-:carol' })).status, 202);
  await waitFor('the enforced decision arrives by each way', () => heard.length > 2, { withinMs: 60_000, alive });
  const said = Object.fromEntries(heard.map(({ path, body }) => [path, body]));
  assert.equal(heard.length, 3);
  assert.equal(JSON.parse(said['/webhook']!).data.identity, 'user:-:carol');
  assert.equal(JSON.parse(said['/action']!).who, 'carol');
  const token = JSON.parse(Buffer.from(said['/ssf']!.split('.')[1]!, 'base64url').toString()) as Row;
  assert.deepEqual(token.sub_id, { format: 'opaque', id: 'carol' });
  for (const { decision_id, mode } of (await decisions('shadow')).slice(0, 50)) {
    assert.equal(mode, 'shadow');
    const one = (await (await fetch(`${gait.address()}/v1/decisions/${decision_id}`)).json()) as { receipts: Row[] };
    assert.deepEqual(one.receipts, []);
  }
  gait.kill('SIGTERM');
  assert.equal((await gait.ended).code, 0);
});
