import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { splitArray, splitLines } from '../../src/http/body.ts';
import type { HttpParts, IngestBatch, IngestOutcome } from '../../src/http/parts.ts';
import { eventsRoute } from '../../src/http/routes/events.ts';
import { ask, post, sampleParts, serve } from './client.ts';

function recorder(): { batches: IngestBatch[]; parts: HttpParts } {
  const batches: IngestBatch[] = [];
  const ingest = async (batch: IngestBatch): Promise<IngestOutcome> => {
    batches.push(batch);
    return { kind: 'accepted', accepted: batch.records.length, refused: [] };
  };
  return { batches, parts: sampleParts({ ingest }) };
}

const texts = (batch: IngestBatch | undefined) => batch?.records.map(({ line, bytes }) => [line, bytes.toString()]);

test('lines, an array, one object and gzip all give the same records with their places', async (t) => {
  const { batches, parts } = recorder();
  const server = await serve(parts);
  t.after(server.close);
  const json = { 'content-type': 'application/json; charset=utf-8' };
  assert.deepEqual(JSON.parse((await post(server, '{"a":1}\r\n\n  {"b":2}\n')).text), {
    accepted: 2,
    refused_count: 0,
    refused: [],
  });
  await post(server, ' [ {"a":1} ,{"b":2}]\n', json);
  await post(server, '{"a":\n1}', json);
  await post(server, gzipSync('{"a":1}\n{"b":2}'), { 'content-encoding': 'gzip' });
  assert.deepEqual(batches.map(texts), [
    [
      [1, '{"a":1}'],
      [3, '{"b":2}'],
    ],
    [
      [1, '{"a":1}'],
      [2, '{"b":2}'],
    ],
    [[1, '{"a":\n1}']],
    [
      [1, '{"a":1}'],
      [2, '{"b":2}'],
    ],
  ]);
});

test('what is refused is named with line and reason, and only the first thousand', async (t) => {
  const refused = Array.from(
    { length: 1500 },
    (_, i) => ({ line: i + 1, reason: 'invalid-json', cause: 'no JSON' }) as const,
  );
  const server = await serve(sampleParts({ ingest: async () => ({ kind: 'accepted', accepted: 7, refused }) }));
  t.after(server.close);
  const answer = await post(server, 'x');
  assert.equal(answer.status, 202);
  const body = JSON.parse(answer.text) as { accepted: number; refused_count: number; refused: object[] };
  assert.deepEqual([body.accepted, body.refused_count, body.refused.length], [7, 1500, 1000]);
  assert.deepEqual(body.refused[0], { line: 1, reason: 'invalid-json', cause: 'no JSON' });
});

test('a body beyond the limit is 413, announced, unannounced or unpacked, and none of it is taken', async (t) => {
  const { batches, parts } = recorder();
  const server = await serve(parts);
  t.after(server.close);
  const large = Buffer.alloc(65 * 1024, 0x20);
  assert.equal((await post(server, large)).status, 413);
  const bomb = gzipSync(gzipSync(Buffer.alloc(32 * 1024 * 1024)));
  assert.ok(bomb.length < 64 * 1024);
  const before = process.memoryUsage().rss;
  assert.equal(
    (await post(server, gzipSync(Buffer.alloc(32 * 1024 * 1024)), { 'content-encoding': 'gzip' })).status,
    413,
  );
  assert.ok(process.memoryUsage().rss - before < 100 * 1024 * 1024);
  assert.deepEqual(batches, []);
  assert.equal((await post(server, Buffer.alloc(64 * 1024, 0x20))).status, 202);
});

test('damaged gzip, other compressions and broken arrays are the sender’s errors', async (t) => {
  const server = await serve(recorder().parts);
  t.after(server.close);
  assert.equal((await post(server, 'not gzip', { 'content-encoding': 'gzip' })).status, 400);
  assert.equal((await post(server, gzipSync('{"a":1}').subarray(0, 15), { 'content-encoding': 'gzip' })).status, 400);
  assert.equal((await post(server, 'x', { 'content-encoding': 'br' })).status, 415);
  assert.equal((await ask(server, '/v1/events', { method: 'POST', body: '{}' })).status, 415);
  for (const body of ['[{}', '[{}]x', '[{}}', '[[]', '["', '[{}]]']) {
    assert.equal((await post(server, body, { 'content-type': 'application/json' })).status, 400, body);
  }
});

test('an unknown format or parameter is refused before anything is taken', async (t) => {
  const { batches, parts } = recorder();
  const server = await serve(parts);
  t.after(server.close);
  const send = (query: string) =>
    ask(server, `/v1/events?${query}`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } });
  assert.equal((await send('format=nginx')).status, 202);
  assert.equal((await send('format=..%2Fx')).status, 400);
  assert.equal((await send('fromat=nginx')).status, 400);
  assert.deepEqual(
    batches.map(({ format }) => format),
    ['nginx'],
  );
});

test('back-pressure is 429 with a time to come back', async (t) => {
  const server = await serve(sampleParts({ ingest: async () => ({ kind: 'busy', retryAfterSeconds: 3 }) }));
  t.after(server.close);
  const answer = await post(server, '{}');
  assert.deepEqual([answer.status, answer.headers['retry-after']], [429, '3']);
});

test('bodies under way have a common limit: beyond it a sender is told 429 before its body is read, and room comes back', async (t) => {
  const bodyBytesMax = 40 * 1024 * 1024;
  let finish = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const started: number[] = [];
  const ingest = async (batch: IngestBatch): Promise<IngestOutcome> => {
    started.push(batch.records.length);
    await held;
    return { kind: 'accepted', accepted: 1, refused: [] };
  };
  const server = await serve(sampleParts({ ingest }), { bodyBytesMax });
  t.after(server.close);
  const zipped = { 'content-encoding': 'gzip' };
  const first = post(server, gzipSync('{}'), zipped);
  while (started.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await post(server, gzipSync('{}'), zipped)).status, 429);
  assert.equal((await ask(server, '/healthz')).status, 200);
  finish();
  assert.equal((await first).status, 202);
  assert.equal((await post(server, gzipSync('{}'), zipped)).status, 202);
});

test('a log that stays away is 503 after a bounded wait, and the batch keeps its room until it is settled', async () => {
  let settle = (_: IngestOutcome): void => undefined;
  const ingest = () =>
    new Promise<IngestOutcome>((resolve) => {
      settle = resolve;
    });
  const route = eventsRoute(ingest, 1024, 20);
  const headers = { 'content-type': 'application/json' };
  let holders = 1;
  const lease = { retain: () => void holders++, release: () => void holders-- };
  const asked = Promise.resolve(
    route.handle({
      headers,
      method: 'POST',
      url: '/v1/events',
      caller: 'local',
      from: '127.0.0.1',
      params: {},
      query: { format: 'auto' },
      body: Buffer.from('{}'),
      lease,
    }),
  );
  await assert.rejects(asked, { status: 503, code: 'log-unavailable', headers: { 'retry-after': '5' } });
  assert.equal(holders, 2);
  settle({ kind: 'accepted', accepted: 1, refused: [] });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(holders, 1);
});

test('an array is split where JSON would split it, strings and nesting included', () => {
  const elements = [{ a: '],[{' }, { b: ['\\', '"', { c: [] }] }, 'x,y', 3, [], { d: '\\"]' }, null];
  const split = splitArray(Buffer.from(JSON.stringify(elements, null, 1)));
  assert.deepEqual(
    split.map(({ bytes }) => JSON.parse(bytes.toString()) as unknown),
    elements,
  );
  assert.deepEqual(splitArray(Buffer.from(' [ ] ')), []);
  assert.deepEqual(splitArray(Buffer.from('  ')), []);
  assert.deepEqual(
    splitLines(Buffer.from('\ufeff{}\n')).map(({ bytes }) => bytes.toString()),
    ['{}'],
  );
});

test('a body of more records than are ever taken is 413, so that nobody sends it again and again', async (t) => {
  const server = await serve(sampleParts(), { bodyBytesMax: 1024 * 1024 });
  t.after(server.close);
  assert.equal((await post(server, '{}\n'.repeat(100_000))).status, 202);
  assert.equal((await post(server, '{}\n'.repeat(100_001))).status, 413);
});
