import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { createClient } from '@clickhouse/client';
import { createAnalyst } from '../../src/store/analyst.ts';
import { embeddedStores, writerOf } from '../store/embedded-store.ts';
import { batchOf, scoreLines } from '../store/score-lines-of.ts';
import { apiKey, ask, sampleParts, serve } from './client.ts';

const keys = [apiKey('the-analyst', 'analyst'), apiKey('the-ingest', 'ingest')];
const run = promisify(execFile);

describe("ClickHouse's HTTP interface", () => {
  const { openMigrated } = embeddedStores();
  let parts: ReturnType<typeof sampleParts>;
  before(async () => {
    const store = await openMigrated('gait');
    await writerOf(store).scores(batchOf('scores', [scoreLines(1, 70)]));
    parts = sampleParts({ sql: { database: 'gait', ask: createAnalyst(store) } });
  });

  test('the official client pings, asks with bound values, streams rows, and understands what is refused', async (t) => {
    const server = await serve(parts, { keys });
    t.after(server.close);
    const open = (password: string) =>
      createClient({ url: server.address, pathname: '/clickhouse', username: 'analyst', password, database: 'gait' });
    const client = open('the-analyst');
    t.after(() => client.close());
    assert.deepEqual(await client.ping(), { success: true });
    assert.deepEqual(await client.ping({ select: true }), { success: true });
    const asked = {
      query: 'SELECT {text:String} AS text, {list:Array(String)} AS list, {n:UInt8} + 1 AS n',
      query_params: { text: "o'\\\n\t", list: ["a'b", 'c\\'], n: 4 },
    };
    const result = await client.query({ ...asked, format: 'JSON' });
    assert.deepEqual((await result.json<object>()).data, [{ text: "o'\\\n\t", list: ["a'b", 'c\\'], n: 5 }]);
    const rows = await client.query({
      query: 'SELECT identity, sum(sample_weight) AS calls FROM events GROUP BY identity ORDER BY identity',
      format: 'JSONEachRow',
    });
    assert.equal((await rows.json()).length, 7);
    await assert.rejects(client.query({ query: 'SELECT * FROM system.users' }), { code: '497', type: 'ACCESS_DENIED' });
    await assert.rejects(client.query({ query: 'SELEC' }), { code: '62' });
    await assert.rejects(client.query({ query: 'SELECT 1', clickhouse_settings: { max_memory_usage: '0' } }), {
      code: '164',
    });
    await assert.rejects(
      client.insert({ table: 'events_raw_v1', values: [{ identity: 'x' }], format: 'JSONEachRow' }),
      { code: /497|62/ },
    );
    const stranger = open('nobody');
    t.after(() => stranger.close());
    await assert.rejects(stranger.query({ query: 'SELECT 1' }), { code: '516', type: 'AUTHENTICATION_FAILED' });
  });

  test('curl asks by URL, by body and by both, with a format beside or inside the query, and gives the key in four ways', async (t) => {
    const server = await serve(parts, { keys });
    t.after(server.close);
    const url = `${server.address}/clickhouse`;
    const curl = async (...args: string[]): Promise<string> => (await run('curl', ['-sS', ...args])).stdout;
    assert.equal(await curl(`${url}/ping`), 'Ok.\n');
    assert.equal(await curl('-u', 'any:the-analyst', `${url}?query=SELECT+1`), '1\n');
    assert.equal(
      await curl('-H', 'X-ClickHouse-User: any', '-H', 'X-ClickHouse-Key: the-analyst', url, '--data', 'SELECT 2'),
      '2\n',
    );
    assert.equal(
      await curl(
        '-H',
        'Authorization: Bearer the-analyst',
        `${url}/?query=SELECT&default_format=JSONEachRow`,
        '--data',
        '3 AS a',
      ),
      '{"a":3}\n',
    );
    assert.equal(
      await curl(
        '-H',
        'X-Api-Key: the-analyst',
        '-H',
        'X-ClickHouse-Format: CSVWithNames',
        `${url}?param_x=a%5Ctb`,
        '--data',
        'SELECT {x:String} AS x',
      ),
      '"x"\n"a\tb"\n',
    );
    assert.match(
      await curl('-i', '-u', 'any:the-analyst', url, '--data', 'SELECT 1 FORMAT JSON'),
      /x-clickhouse-format: JSON\r\n[\s\S]*application\/json/,
    );
  });

  test('a wrong role, another database, a setting in the URL and an answer to no question are errors with their numbers', async (t) => {
    const server = await serve(parts, { keys });
    t.after(server.close);
    const code = async (path: string, key = 'the-analyst', body?: string | Buffer): Promise<unknown[]> => {
      const headers = { 'x-clickhouse-key': key, ...(Buffer.isBuffer(body) && { 'content-encoding': 'gzip' }) };
      const got = await ask(server, path, {
        method: body === undefined ? 'GET' : 'POST',
        headers,
        ...(body !== undefined && { body }),
      });
      return [got.status, got.headers['x-clickhouse-exception-code']];
    };
    assert.deepEqual(await code('/clickhouse?query=SELECT+1'), [200, undefined]);
    assert.deepEqual(await code('/clickhouse', 'the-analyst', gzipSync('SELECT 1')), [200, undefined]);
    assert.equal((await code('/clickhouse?query=SELECT+1', 'the-ingest'))[0], 403);
    assert.equal((await code('/clickhouse?query=SELECT+1', 'wrong'))[0], 401);
    assert.deepEqual(await code('/clickhouse?query=SELECT+1&database=system'), [404, '81']);
    assert.deepEqual(await code('/clickhouse?query=SELECT+1&max_threads=100'), [403, '164']);
    assert.deepEqual(await code('/clickhouse?query=SELECT+1&allow_introspection_functions=1'), [403, '164']);
    assert.deepEqual(await code('/clickhouse'), [400, '62']);
    assert.deepEqual(await code('/clickhouse?query=SELECT+*+FROM+nothing'), [404, '60']);
  });

  test('without keys only this machine asks, and no page of another site does', async (t) => {
    const server = await serve(parts);
    t.after(server.close);
    const status = async (headers: Record<string, string>) =>
      (await ask(server, '/clickhouse', { method: 'POST', body: 'SELECT 1', headers })).status;
    assert.equal(await status({}), 200);
    assert.equal(await status({ host: 'evil.example' }), 403);
    assert.equal(await status({ origin: 'https://evil.example' }), 403);
  });
});
