import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  bearer,
  freePort,
  type Gait,
  missing,
  pipelines,
  startApi,
  startGait,
  startProduct,
  until,
  walk,
} from './enforcement.ts';

const skip = missing('nginx', '-v');

type Gateway = {
  readonly call: (headers: Record<string, string>, path?: string) => Promise<Response>;
  /** The records of the access log, once there are so many. */
  readonly logged: (count: number) => Promise<readonly Record<string, unknown>[]>;
};

/** The shipped configuration with other ports; everything it writes goes into a folder of its own. */
async function startNginx(t: TestContext, gait: Pick<Gait, 'port'>, api: { readonly port: number }): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), 'gait-nginx-'));
  const port = await freePort();
  mkdirSync(join(folder, 'logs'));
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const shipped = readFileSync(join(pipelines, 'enforce/nginx.conf'), 'utf8');
  const config = shipped
    .replace('../ingest/nginx.conf', join(pipelines, 'ingest/nginx.conf'))
    .replace('127.0.0.1:4420', `127.0.0.1:${gait.port}`)
    .replace('127.0.0.1:8080', `127.0.0.1:${api.port}`)
    .replace('127.0.0.1:8000', `127.0.0.1:${port}`)
    .replace('http {', `http {\n${paths.join('\n')}`);
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  writeFileSync(
    join(folder, 'nginx.conf'),
    `${user}daemon off; pid ${folder}/nginx.pid; worker_processes 1;\n${config}`,
  );
  const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'logs/error.log')];
  await startProduct(t, ['nginx', ...args], { port, cwd: folder, stop: 'SIGQUIT' });
  t.after(() => rmSync(folder, { recursive: true }));
  const records = (): Record<string, unknown>[] =>
    readFileSync(join(folder, 'logs/access.log'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ uri }) => uri !== '/up');
  return {
    call: (headers, path = '/orders/1') => fetch(`http://127.0.0.1:${port}${path}`, { headers }),
    logged: (count) => until(() => (records().length >= count ? records() : undefined), 'the access log'),
  };
}

test('nginx with the shipped configuration: allow, challenge, clear, throttle, revoke, expire', { skip }, async (t) => {
  const gait = await startGait(t);
  const { call } = await startNginx(t, gait, await startApi(t));
  await walk(gait, call);
});

test('the log names who called and which decision refused, and a caller can put neither there', { skip }, async (t) => {
  const gait = await startGait(t);
  const api = await startApi(t);
  const { call, logged } = await startNginx(t, gait, api);
  const alice = await bearer(gait, 60, { sid: 's1', jti: 't1', azp: 'web' });
  const faked = { ...alice, 'x-gait-decision': 'dec_ffffffffffffffffffffffff', 'x-gait-subject': 'bob' };
  await call(faked);
  const { decision_id } = await gait.publish({ action: 'step-up' });
  await call(faked);
  const [allowed, refused] = await logged(2);
  assert.deepEqual(
    [allowed?.jwt_sub, allowed?.jwt_sid, allowed?.jwt_jti, allowed?.jwt_client_id],
    ['alice', 's1', 't1', 'web'],
  );
  assert.equal(allowed?.upstream_status, '200');
  assert.deepEqual(
    [refused?.jwt_sub, refused?.status, refused?.decision_id, refused?.upstream_status],
    ['alice', '401', decision_id, ''],
  );
});

test('with Gait away nginx lets calls through', { skip }, async (t) => {
  const { call } = await startNginx(t, { port: await freePort() }, await startApi(t));
  assert.equal((await call({})).status, 200);
});
