import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDecoder } from '../../src/event/decode/decoder.ts';
import { RecordSplitter } from '../../src/event/decode/split-records.ts';
import { createRedactor } from '../../src/event/redact.ts';
import { createRouteTemplater } from '../../src/event/route-template.ts';
import { createIngest } from '../../src/identity/ingest.ts';

const logFormat = join(import.meta.dirname, '../../../pipelines/ingest/nginx.conf');
const hasNginx = spawnSync('nginx', ['-v']).error === undefined;
const skip = hasNginx || process.env.CI ? false : 'nginx is not installed (Debian: apt-get install nginx-light)';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : assert.fail();
}

/** nginx in the foreground with the documented log_format, in a folder of its own. */
function startNginx(folder: string, port: number): ChildProcess {
  mkdirSync(join(folder, 'logs'));
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join('\n');
  writeFileSync(
    join(folder, 'nginx.conf'),
    `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off; pid ${folder}/nginx.pid; error_log ${folder}/logs/error.log; worker_processes 1;
events { worker_connections 64; }
http {
  ${paths}
  include ${logFormat};
  access_log ${folder}/logs/access.log gait;
  server {
    listen 127.0.0.1:${port};
    location / { return 200 "ok"; }
    location /missing { return 404; }
    location /denied { add_header X-Gait-Decision dec_1 always; return 403; }
    location /up/ { proxy_pass http://127.0.0.1:${port}/; access_log ${folder}/logs/access.log gait; }
  }
}`,
  );
  return spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' });
}

async function until<T>(find: () => Promise<T | undefined> | T | undefined, what: string): Promise<T> {
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; await sleep(20)) {
    const found = await find();
    if (found !== undefined) return found;
  }
  return assert.fail(`waited too long for ${what}`);
}

const requests: readonly (readonly [string, RequestInit])[] = [
  ['/orders/42?access_token=s3cr3tQueryValue&page=2', {}],
  ['/orders', { method: 'POST', body: 'x'.repeat(3000), headers: { 'x-forwarded-for': '198.51.100.9, 10.0.0.1' } }],
  ['/missing/1', { headers: { 'user-agent': 'quote " backslash \\ tab\t <script>' } }],
  ['/denied', { method: 'DELETE' }],
  ['/%F0%9F%98%80/%FF%00?%22', { headers: { 'user-agent': '' } }],
  ['/up/nested/7', { headers: { authorization: `Basic ${Buffer.from('alice:s3cr3tPassw0rd').toString('base64')}` } }],
];

test('the log of a real nginx with the documented log_format decodes without dead letters', {
  skip,
}, async (context) => {
  assert.ok(hasNginx, 'nginx must be installed where CI is set');
  const folder = mkdtempSync(join(tmpdir(), 'gait-nginx-'));
  const port = await freePort();
  const nginx = startNginx(folder, port);
  context.after(async () => {
    nginx.kill('SIGQUIT');
    if (nginx.exitCode === null) await new Promise((resolve) => nginx.once('exit', resolve));
    rmSync(folder, { recursive: true });
  });
  const call = (path: string, init: RequestInit): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`, init);
  await until(() => call('/ready', {}).catch(() => undefined), 'nginx to answer');
  for (const [path, init] of requests) await (await call(path, init)).text();
  // The proxied call is logged twice: as it came in and as it went to the upstream.
  const wanted = requests.length + 2;
  const log = await until(() => {
    const bytes = readFileSync(join(folder, 'logs/access.log'));
    return bytes.toString('latin1').split('\n').length > wanted ? bytes : undefined;
  }, 'the log');

  const redactor = createRedactor({ hmacKey: 'a key for tests only' });
  const ingest = createIngest({
    sourceFor: () => ({ decoder: createDecoder({ format: 'auto', redactor }) }),
    redactor,
    templater: createRouteTemplater(),
  });
  const splitter = new RecordSplitter(1024 * 1024);
  const results = [...splitter.push(log), ...splitter.end()].map(({ bytes, line, index }) =>
    ingest.ingest(bytes, { topic: 'access.log', partition: 0, offset: line, index }, Date.now()),
  );
  assert.deepEqual(
    results.flatMap((result) => result.deadLetters),
    [],
  );
  const events = results.flatMap((result) => result.events);
  assert.equal(events.length, wanted);
  const byRoute = new Map(events.map((resolved) => [resolved.route, resolved]));
  const order = byRoute.get('/orders/{id}')!;
  assert.deepEqual(
    [order.event.path, order.event.status, order.identity],
    ['/orders/42?access_token&page', 200, 'address:-:127.0.0.1'],
  );
  assert.ok(Math.abs(order.event.ts - Date.now()) < 60_000 && order.event.duration_ms !== null);
  assert.deepEqual(
    [byRoute.get('/orders')!.event.forwarded_for, byRoute.get('/orders')!.event.method],
    ['198.51.100.9, 10.0.0.1', 'POST'],
  );
  assert.equal(byRoute.get('/missing/{id}')!.event.user_agent, 'quote " backslash \\ tab\t <script>');
  assert.deepEqual(
    [byRoute.get('/denied')!.event.enforced, byRoute.get('/denied')!.event.decision_id],
    [true, 'dec_1'],
  );
  assert.equal(byRoute.get('/up/nested/{id}')!.identity, 'user:-:alice');
  assert.ok(byRoute.get('/up/nested/{id}')!.event.upstream_ms !== null);
  assert.doesNotMatch(JSON.stringify(results), /s3cr3t/);
});
