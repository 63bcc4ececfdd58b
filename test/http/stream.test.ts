import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import type { Live, LiveMessage } from '../../src/http/page-parts.ts';
import { apiKey, ask, sampleParts, serve } from './client.ts';

type Listener = Parameters<Live['listen']>[1];

/** A source of news that a test speaks through, and the ids that clients came back with. */
function newsOf() {
  const listeners = new Set<Listener>();
  const asked: (string | undefined)[] = [];
  const live: Live = {
    listen: (lastId, listener) => {
      asked.push(lastId);
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const tell = (message: LiveMessage): void => {
    for (const listener of listeners) listener.tell(message);
  };
  return { live, listeners, asked, tell };
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}

type Open = {
  text: string;
  readonly type: string | undefined;
  readonly status: number;
  close: () => void;
  ended: boolean;
};

function open(address: string, headers: Record<string, string> = {}): Promise<Open> {
  return new Promise((resolve, reject) => {
    const sent = request(`${address}/v1/stream`, { headers, agent: false }, (response) => {
      const opened: Open = {
        text: '',
        type: response.headers['content-type'],
        status: response.statusCode ?? 0,
        close: () => sent.destroy(),
        ended: false,
      };
      response.on('data', (chunk: Buffer) => (opened.text += chunk.toString()));
      response.on('close', () => (opened.ended = true));
      response.on('error', () => {});
      resolve(opened);
    });
    sent.on('error', reject);
    sent.end();
  });
}

test('news comes as server-sent events with ids, one line of data each, and the last id reaches whoever knows what was missed', async (t) => {
  const news = newsOf();
  const server = await serve(sampleParts({ live: news.live }));
  const client = await open(server.address, { 'last-event-id': 'run-7' });
  t.after(async () => {
    client.close();
    await server.close();
  });
  assert.equal(client.type, 'text/event-stream; charset=utf-8');
  assert.deepEqual(news.asked, ['run-7']);
  news.tell({ id: 'run-8', event: 'finding', data: JSON.stringify({ title: 'a\n\nevent: forged\ndata: 1' }) });
  news.tell({ id: undefined, event: 'overview', data: '{}' });
  const expected =
    'retry: 3000\n\nid: run-8\nevent: finding\ndata: {"title":"a\\n\\nevent: forged\\ndata: 1"}\n\nevent: overview\ndata: {}\n\n';
  await until(() => client.text.length >= expected.length);
  assert.equal(client.text, expected);
});

test('whoever hangs up is forgotten, and the server closes although somebody listens', async () => {
  const news = newsOf();
  const server = await serve(sampleParts({ live: news.live }));
  const [gone, staying] = [await open(server.address), await open(server.address)];
  gone.close();
  await until(() => news.listeners.size === 1);
  for (const listener of news.listeners) listener.end();
  await server.close();
  await until(() => staying.ended);
});

test('a client that does not read is cut off instead of being remembered for', async () => {
  const news = newsOf();
  const server = await serve(sampleParts({ live: news.live }));
  const sent = request(`${server.address}/v1/stream`, { agent: false });
  sent.on('response', (response) => response.pause());
  sent.on('error', () => {});
  sent.end();
  await until(() => news.listeners.size === 1);
  const data = JSON.stringify('x'.repeat(64 * 1024));
  for (let n = 0; news.listeners.size === 1; n++) {
    assert.ok(n < 5000, 'it was never cut off');
    news.tell({ id: `run-${n}`, event: 'finding', data });
    await new Promise((resolve) => setImmediate(resolve));
  }
  await server.close();
});

test('so many may listen and no more, and one that leaves makes room', async (t) => {
  const news = newsOf();
  const server = await serve(sampleParts({ live: news.live }));
  const clients: Open[] = [];
  t.after(async () => {
    for (const { close } of clients) close();
    await server.close();
  });
  for (let i = 0; i < 100; i++) clients.push(await open(server.address));
  const refused = await ask(server, '/v1/stream');
  assert.equal(refused.status, 503);
  assert.equal(refused.headers['retry-after'], '10');
  clients[0]!.close();
  await until(() => news.listeners.size === 99);
  clients.push(await open(server.address));
  assert.equal(clients.at(-1)!.status, 200);
});

test('with keys only an analyst may listen', async (t) => {
  const keys = [apiKey('the-analyst', 'analyst'), apiKey('the-gateway', 'ingest')];
  const news = newsOf();
  const server = await serve(sampleParts({ live: news.live }), { keys });
  t.after(server.close);
  assert.equal((await ask(server, '/v1/stream')).status, 401);
  assert.equal((await ask(server, '/v1/stream', { headers: { 'x-api-key': 'the-gateway' } })).status, 403);
  const client = await open(server.address, { 'x-api-key': 'the-analyst' });
  assert.equal(client.status, 200);
  client.close();
});
