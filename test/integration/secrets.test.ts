import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import { openKafkaLog } from '../../src/log/kafka.ts';
import { gait } from '../command/gait-command.ts';
import { type GaitProcess, startGait, waitFor } from './gait-process.ts';
import { kafkaSkipReason, startTestBroker, type TestBroker } from './kafka-broker.ts';

const root = mkdtempSync(join(tmpdir(), 'gait-secrets-'));
after(() => rmSync(root, { recursive: true, force: true }));

const ts = Date.UTC(2025, 2, 3, 10);
const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const signed = `${base64url({ alg: 'HS256' })}.${base64url({ sub: 'alice', jti: 'j-1', email: 'priv-mail-7w@x.example' })}`;
const signature = createHmac('sha256', 'k').update(signed).digest('base64url');
const basic = Buffer.from('bob:BasicPass-9kq2vx').toString('base64');

/** Every secret that is sent; none may be found anywhere afterwards, in none of the forms that it was sent in. */
const secrets = [
  'ApiKeyHeader-4f8a1c',
  'ApiKeyField-77ab21',
  'ApiKeyQuery-c0ffee1',
  'OpaqueToken-zz81xk',
  'SessionCookie-p0o9i8',
  'QueryPassword-hunter2',
  'UserinfoPass-mm33nn',
  'BasicPass-9kq2vx',
  basic,
  signature,
  `${signed}.${signature}`,
  'AccessTokenQuery-q1w2',
  'ClientSecret-e3r4t5',
  'FragmentToken-y6u7',
  'BrokenRecord-a9s8d7',
  'RefererToken-f6g5h4',
];

const jwt = `Bearer ${signed}.${signature}`;
const query = '?api_key=ApiKeyQuery-c0ffee1&password=QueryPassword-hunter2&access_token=AccessTokenQuery-q1w2&page=2';
const canonical = (i: number) => ({
  ts: ts + i * 1000,
  subject: `user-${i % 5}`,
  client_ip: `203.0.113.${i % 200}`,
  method: 'GET',
  status: i % 9 === 0 ? 500 : 200,
});

/** The same secrets in every place that a format has for them, and in records that cannot be read. */
function records(): string[] {
  const lines: object[] = [];
  for (let i = 0; i < 40; i++) {
    const userinfo = 'https://bob:UserinfoPass-mm33nn@api.example/x';
    lines.push(
      { ...canonical(i), api_key: 'ApiKeyField-77ab21', path: `/a/${i}${query}#access_token=FragmentToken-y6u7` },
      {
        ...canonical(i),
        path: `${userinfo}${query}`,
        user_agent: `curl (+${userinfo}; Authorization: Bearer OpaqueToken-zz81xk)`,
      },
      {
        ...canonical(i),
        path: `/login?client_secret=ClientSecret-e3r4t5`,
        authorization: jwt,
        cookie: 'sid=SessionCookie-p0o9i8',
      },
      { ...canonical(i), path: '/a', headers: { authorization: `Basic ${basic}`, 'x-api-key': 'ApiKeyHeader-4f8a1c' } },
    );
  }
  const broken = [
    '{"ts":1,"authorization":"Bearer BrokenRecord-a9s8d7","cookie":"sid=SessionCookie-p0o9i8',
    `password=QueryPassword-hunter2 api_key=ApiKeyField-77ab21 ${jwt}`,
    JSON.stringify({ ...canonical(1), ts: 'BrokenRecord-a9s8d7', api_key: 'ApiKeyField-77ab21' }),
    JSON.stringify({ 'BrokenRecord-a9s8d7': 1, authorization: `Basic ${basic}` }),
  ];
  return [...lines.map((line) => JSON.stringify(line)), ...broken];
}

function gatewayRecords(): string[] {
  const time = new Date(ts).toISOString();
  const uri = `/a${query}`;
  const common = {
    http_authorization: jwt,
    http_cookie: 'sid=SessionCookie-p0o9i8',
    http_x_api_key: 'ApiKeyHeader-4f8a1c',
  };
  const nginx = {
    time_iso8601: time,
    remote_addr: '203.0.113.9',
    request: `GET ${uri} HTTP/1.1`,
    status: '200',
    ...common,
  };
  const headers = {
    authorization: `Basic ${basic}`,
    cookie: 'sid=SessionCookie-p0o9i8',
    apikey: 'ApiKeyHeader-4f8a1c',
    referer: `https://x.example/?token=RefererToken-f6g5h4`,
  };
  const kong = {
    started_at: ts,
    client_ip: '203.0.113.9',
    request: {
      method: 'GET',
      uri,
      url: `https://bob:UserinfoPass-mm33nn@h${uri}`,
      headers,
      querystring: { api_key: 'ApiKeyQuery-c0ffee1' },
    },
    response: { status: 200, headers: { 'set-cookie': 'sid=SessionCookie-p0o9i8' } },
  };
  return [nginx, kong].map((record) => JSON.stringify(record));
}

/**
 * What files and texts hold of the secrets. The store compresses its columns, so it is the topics, read through a consumer, that show what
 * it was given.
 */
function found(texts: ReadonlyMap<string, Buffer>): string[] {
  const hits: string[] = [];
  for (const [name, bytes] of texts) {
    for (const secret of secrets) if (bytes.includes(secret)) hits.push(`${secret} in ${name}`);
  }
  return hits;
}

function filesUnder(folder: string, texts = new Map<string, Buffer>()): Map<string, Buffer> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!existsSync(path)) continue;
    if (statSync(path).isDirectory()) filesUnder(path, texts);
    else texts.set(path, name.endsWith('.gz') ? gunzipSync(readFileSync(path)) : readFileSync(path));
  }
  return texts;
}

async function post(gait: GaitProcess, format: string, body: string): Promise<string> {
  const url = `${gait.address()}/v1/events?format=${format}`;
  const headers = {
    'content-type': 'application/x-ndjson',
    authorization: 'Bearer OpaqueToken-zz81xk',
    cookie: 'sid=SessionCookie-p0o9i8',
  };
  const response = await fetch(url, { method: 'POST', headers, body });
  const text = await response.text();
  assert.equal(response.status, format === 'nonsense' ? 400 : 202, text);
  return text;
}

const topics = ['events', 'state', 'scores', 'findings', 'signals', 'dead-letter'].map((name) => `gait.${name}`);

describe('secrets of the input', { timeout: 240_000 }, () => {
  test('are in no file, log or answer of a service that was fed over HTTP', async () => {
    const folder = join(root, 'http');
    mkdirSync(folder);
    const gait = startGait({
      folder,
      config: { dataDir: join(folder, 'data'), http: { port: 0 }, logging: { level: 'debug' } },
    });
    const alive = [gait];
    await waitFor('it listens', () => gait.address() !== undefined, { withinMs: 60_000, alive });
    const answers = [
      await post(gait, 'canonical', records().join('\n')),
      await post(gait, 'nginx', gatewayRecords()[0]!),
      await post(gait, 'kong', gatewayRecords()[1]!),
      await post(gait, 'nonsense', records()[0]!),
      await (
        await fetch(`${gait.address()}/v1/findings?api_key=ApiKeyQuery-c0ffee1&password=QueryPassword-hunter2`)
      ).text(),
    ];
    const metrics = async (): Promise<string> => (await fetch(`${gait.address()}/metrics`)).text();
    const stored = async (): Promise<boolean> =>
      Number(/insert_rows_total\{table="events_raw_v1"\} (\d+)/.exec(await metrics())?.[1] ?? 0) >= 162;
    await waitFor('the events are stored', stored, { withinMs: 60_000, alive, everyMs: 250 });
    const letters = async (): Promise<boolean> =>
      Number(/insert_rows_total\{table="dead_letters_raw_v1"\} (\d+)/.exec(await metrics())?.[1] ?? 0) >= 4;
    await waitFor('the dead letters are stored', letters, { withinMs: 60_000, alive, everyMs: 250 });
    answers.push(await metrics(), await (await fetch(`${gait.address()}/`)).text());
    gait.kill('SIGTERM');
    assert.equal((await gait.ended).code, 0);
    const texts = filesUnder(folder);
    assert.ok(
      [...texts.keys()].some((path) => path.endsWith('.bin')),
      'the store wrote files',
    );
    for (const [i, answer] of [...answers, gait.output()].entries()) texts.set(`answer ${i}`, Buffer.from(answer));
    const log = await openEmbeddedLog({ path: join(folder, 'data', 'log') });
    for (const topic of topics) texts.set(topic, await contentOf(log, topic));
    await log.close();
    assert.ok(texts.get('gait.scores')!.length > 10_000, 'there was something to find');
    assert.deepEqual(found(texts), []);
  });

  test('are in no output of a replay', async () => {
    const folder = join(root, 'replay');
    mkdirSync(folder);
    const outputs = ['findings', 'scores', 'signals', 'dead-letters'].flatMap((name) => [
      `--${name}`,
      join(folder, name),
    ]);
    const texts = new Map<string, Buffer>();
    for (const [name, lines] of [
      ['canonical', records()],
      ['nginx', [gatewayRecords()[0]!]],
      ['kong', [gatewayRecords()[1]!]],
    ] as const) {
      writeFileSync(join(root, `${name}.jsonl`), lines.join('\n'));
      const { code, stdout, stderr } = await gait(
        ['replay', join(root, `${name}.jsonl`), '--format', name, ...outputs],
        { cwd: root },
      );
      assert.equal(code, 0, stderr);
      texts.set(`${name} printed`, Buffer.from(stdout + stderr));
      assert.ok(readFileSync(join(folder, 'scores')).length > 0);
      for (const [path, bytes] of filesUnder(folder)) texts.set(`${name} ${path}`, bytes);
    }
    assert.deepEqual(found(texts), []);
  });
});

describe('secrets of a Kafka source', { skip: await kafkaSkipReason(), timeout: 240_000 }, () => {
  let broker: TestBroker;
  before(async () => {
    broker = await startTestBroker();
  });
  after(() => broker.remove());

  test('are in no topic that Gait writes, no file and no log', async () => {
    const folder = join(root, 'kafka');
    mkdirSync(folder);
    const log = openKafkaLog({ brokers: [broker.address], clientId: 'gait-test' });
    await log.ensureTopics([{ name: 'api-traffic', partitions: 2, cleanup: 'delete' }]);
    const values = records();
    await log.append(
      'api-traffic',
      values.map((value, i) => ({ value, partition: i % 2, key: 'ApiKeyHeader-4f8a1c' })),
    );
    const config = {
      dataDir: join(folder, 'data'),
      log: { kind: 'kafka', brokers: [broker.address], partitions: 2 },
      sources: [{ topic: 'api-traffic', format: 'canonical' }],
      ingest: { hmacKey: 'a key for tests only' },
      http: { port: 0 },
      logging: { level: 'debug' },
    };
    const member = startGait({ folder, config });
    const alive = [member];
    const texts = new Map<string, Buffer>();
    const all = async (): Promise<boolean> => {
      if (member.address() === undefined) return false;
      const text = await (await fetch(`${member.address()}/metrics`)).text();
      return [
        'verdict_latency_seconds_count 160',
        'insert_rows_total\\{table="dead_letters_raw_v1"\\} 4',
        'insert_rows_total\\{table="events_raw_v1"\\} 160',
      ].every((line) => new RegExp(line).test(text));
    };
    await waitFor('everything is judged and stored', all, { withinMs: 90_000, alive, everyMs: 250 });
    member.kill('SIGTERM');
    assert.equal((await member.ended).code, 0, member.output());
    for (const topic of topics) texts.set(topic, await contentOf(log, topic));
    await log.close();
    texts.set('output', Buffer.from(member.output()));
    assert.ok(texts.get('gait.scores')!.length > 10_000, 'there was something to find');
    assert.deepEqual(found(filesUnder(folder, texts)), []);
  });
});

/** Keys and values of a topic, as a consumer gets them: unpacked. */
async function contentOf(log: Pick<ReturnType<typeof openKafkaLog>, 'tail'>, topic: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  const tail = await log.tail({
    topic,
    from: 'earliest',
    onRecords: (records) => {
      for (const { key, value } of records) parts.push(Buffer.from(key ?? ''), value ?? Buffer.alloc(0));
    },
  });
  await tail.caughtUp;
  await tail.close();
  return Buffer.concat(parts);
}
