import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createDecoder } from '../../src/event/decode/decoder.ts';
import { createRedactor } from '../../src/event/redact.ts';
import {
  bearer,
  freePort,
  hmacKey,
  missing,
  pipelines,
  startApi,
  startGait,
  startProduct,
  until,
  walk,
} from './enforcement.ts';

type Ports = { readonly gait: number; readonly api: number };

/** A shipped configuration with other ports, in a folder of its own. */
async function configure(
  t: TestContext,
  file: string,
  ports: Ports,
): Promise<{ readonly folder: string; readonly port: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'gait-gateway-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const port = await freePort();
  const shipped = readFileSync(join(pipelines, 'enforce', file), 'utf8');
  const config = shipped
    .replaceAll(/(127\.0\.0\.1|gait):4420/g, `127.0.0.1:${ports.gait}`)
    .replaceAll(/(127\.0\.0\.1|api):8080/g, `127.0.0.1:${ports.api}`)
    .replaceAll('127.0.0.1:8000', `127.0.0.1:${port}`);
  writeFileSync(join(folder, file), config);
  return { folder, port };
}

async function startCaddy(t: TestContext, ports: Ports): Promise<number> {
  const { folder, port } = await configure(t, 'Caddyfile', ports);
  const env = { XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, HOME: folder };
  await startProduct(t, ['caddy', 'run', '--config', 'Caddyfile', '--adapter', 'caddyfile'], {
    port,
    cwd: folder,
    env,
  });
  return port;
}

async function startHaproxy(t: TestContext, ports: Ports): Promise<number> {
  const { folder, port } = await configure(t, 'haproxy.cfg', ports);
  cpSync(join(pipelines, 'enforce/gait.lua'), join(folder, 'gait.lua'));
  const env = { GAIT_ADDRESS: `http://127.0.0.1:${ports.gait}` };
  await startProduct(t, ['haproxy', '-db', '-f', 'haproxy.cfg'], { port, cwd: folder, env });
  return port;
}

/** Neither Debian nor a registry has it ready made, and to build it takes ten minutes: it may be missing where CI is set as well. */
const traefik = process.env.TRAEFIK ?? 'traefik';

async function startTraefik(t: TestContext, ports: Ports): Promise<number> {
  const { folder, port } = await configure(t, 'traefik-dynamic.yaml', ports);
  const entry = `--entrypoints.web.address=127.0.0.1:${port}`;
  const args = [entry, '--providers.file.filename=traefik-dynamic.yaml', '--global.checknewversion=false'];
  await startProduct(t, [traefik, ...args], { port, cwd: folder });
  // It listens before it has read its routers.
  await until(
    async () => (await fetch(`http://127.0.0.1:${port}/up`)).status !== 404 || undefined,
    'the routers of Traefik',
  );
  return port;
}

const products = [
  { name: 'Caddy', skip: missing('caddy', 'version'), start: startCaddy },
  { name: 'HAProxy', skip: missing('haproxy', '-v'), start: startHaproxy },
  {
    name: 'Traefik',
    skip: spawnSync(traefik, ['version']).error ? 'traefik is not installed (TRAEFIK names its path)' : false,
    start: startTraefik,
  },
];

for (const { name, skip, start } of products) {
  test(`${name} with the shipped configuration: allow, challenge, clear, throttle, revoke, expire`, {
    skip,
  }, async (t) => {
    const gait = await startGait(t);
    const api = await startApi(t);
    const port = await start(t, { gait: gait.port, api: api.port });
    await walk(gait, (headers) => fetch(`http://127.0.0.1:${port}/orders/1`, { headers }));
    const passed = api.seen.filter(({ url }) => url === '/orders/1').length;
    await fetch(`http://127.0.0.1:${port}/orders/1`, { headers: { 'x-gait-decision': 'dec_made-up' } });
    assert.equal(api.seen.filter(({ url }) => url === '/orders/1').length, passed + 1);
    assert.notEqual(
      api.seen.at(-1)?.headers['x-gait-decision'],
      'dec_made-up',
      'a caller cannot pass one on to the API',
    );
    assert.equal(api.seen.at(-1)?.headers['x-gait-key'], undefined, 'the key goes no further than Gait');
  });
}

test('HAProxy refuses a call that Gait cannot read, whatever the API would make of it', {
  skip: missing('haproxy', '-v'),
}, async (t) => {
  const gait = await startGait(t);
  const seen: (string | undefined)[] = [];
  const api = createServer({ insecureHTTPParser: true }, ({ url }, response) => {
    seen.push(url);
    response.end();
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  t.after(() => api.close());
  const port = await startHaproxy(t, { gait: gait.port, api: (api.address() as AddressInfo).port });
  const { authorization = '' } = await bearer(gait, 60);
  await gait.publish({ action: 'revoke-identity' });
  const call = (blank: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1').setEncoding('latin1');
      socket.once('data', (answer) => resolve(String(answer).slice(0, 12)));
      socket.once('error', reject);
      t.after(() => socket.destroy());
      const head = `GET /orders/1 HTTP/1.1\r\nHost: api\r\nAuthorization: ${authorization.replace(' ', blank)}\r\n\r\n`;
      socket.write(head, 'latin1');
    });
  assert.equal(await call(' '), 'HTTP/1.1 401');
  assert.equal(await call('\v'), 'HTTP/1.1 403');
  assert.ok(!seen.includes('/orders/1'));
});

test('the log of HAProxy is read as nginx’s: a caller’s quotes and backslashes cost no line, a refusal of ours is marked', {
  skip: missing('haproxy', '-v'),
}, async (t) => {
  const gait = await startGait(t);
  const api = await startApi(t);
  const { folder, port } = await configure(t, 'haproxy.cfg', { gait: gait.port, api: api.port });
  cpSync(join(pipelines, 'enforce/gait.lua'), join(folder, 'gait.lua'));
  const env = { GAIT_ADDRESS: `http://127.0.0.1:${gait.port}` };
  const haproxy = await startProduct(t, ['haproxy', '-db', '-f', 'haproxy.cfg'], { port, cwd: folder, env });
  let log = '';
  haproxy.stdout?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const headers = await bearer(gait, 60);
  const call = (path: string) =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers: { ...headers, 'user-agent': 'a"b\\c' } });
  await call('/orders/1?q=\\"');
  const { decision_id } = await gait.publish({ action: 'step-up' });
  await call('/orders/2');
  const lines = await until(() => {
    const found = log.split('\n').filter((line) => line.includes('orders'));
    return found.length === 2 ? found : undefined;
  }, 'the log');
  const decoder = createDecoder({ format: 'auto', redactor: createRedactor({ hmacKey }) });
  const read = lines.flatMap((line) => decoder.decode(line, Date.now()));
  const events = read.map((each) => (each.kind === 'ok' ? each.value : assert.fail(JSON.stringify(each))));
  assert.deepEqual(
    events.map((event) => [event.subject, event.status, event.user_agent, event.decision_id, event.enforced]),
    [
      ['alice', 200, 'a"b\\c', null, false],
      ['alice', 401, 'a"b\\c', decision_id, true],
    ],
  );
});
