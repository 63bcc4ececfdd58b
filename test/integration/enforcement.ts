import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseConfig } from '../../src/config/config.ts';
import { createRedactor } from '../../src/event/redact.ts';
import type { HttpServer } from '../../src/http/server.ts';
import { identityKey } from '../../src/identity/identity-key.ts';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import type { Decision } from '../../src/policy/decision.ts';
import { type Enforcer, runEnforce } from '../../src/role/enforce.ts';
import { sampleParts, serve } from '../http/client.ts';
import { createIssuer, type Issuer } from '../role/issuer.ts';
import { aDecision } from '../signal/a-decision.ts';

export const hmacKey = 'a key for tests only';
export const pipelines = join(import.meta.dirname, '../../../pipelines');
export const alice = identityKey('user', null, 'alice');

/** Why a test of a real product does not run here; never where CI is set. */
export function missing(command: string, ...version: string[]): string | false {
  const isThere = spawnSync(command, version).error === undefined;
  return isThere || process.env.CI ? false : `${command} is not installed`;
}

export async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function until<T>(find: () => Promise<T | undefined> | T | undefined, what: string): Promise<T> {
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; await sleep(20)) {
    const found = await find();
    if (found !== undefined) return found;
  }
  return assert.fail(`waited too long for ${what}`);
}

export type Gait = {
  readonly server: HttpServer;
  readonly port: number;
  readonly enforcer: Enforcer;
  readonly issuer: Issuer;
  /** Added to the real time. */
  readonly clock: { aheadMs: number; now: () => number };
  readonly publish: (decision: Partial<Decision>) => Promise<Decision>;
  readonly notices: string[];
};

/** What serves enforcement points: the log, the table, the HTTP server, as service.ts puts them together. */
export async function startGait(t: TestContext, yaml = ''): Promise<Gait> {
  const folder = mkdtempSync(join(tmpdir(), 'gait-enforce-'));
  const issuer = await createIssuer(t, 'https://idp.example');
  const issuers = `issuers: [{issuer: "https://idp.example", jwksUri: "${issuer.jwksUri}"}]`;
  const text = `dataDir: ${folder}\nenforce: {throttle: {perMinute: 60, burst: 2}, ${issuers}${yaml}}`;
  const outcome = parseConfig({ name: 'gait.yaml', text: () => text }, {});
  assert.ok(outcome.kind === 'ok', JSON.stringify(outcome));
  const { config } = outcome;
  const log = await openEmbeddedLog({ path: join(folder, 'log'), onTrouble: () => undefined });
  await log.ensureTopics([{ name: config.topics.signals, partitions: 1, cleanup: 'compact' }]);
  const clock = { aheadMs: 0, now: () => Date.now() + clock.aheadMs };
  const notices: string[] = [];
  const enforcer = await runEnforce({
    log,
    config,
    clock,
    redactor: createRedactor({ hmacKey }),
    ignoredMax: 20,
    notify: ({ notice }) => notices.push(notice),
    answered: () => undefined,
    held: () => undefined,
  });
  const server = await serve(sampleParts({ ask: enforcer.ask, held: enforcer.held }));
  t.after(async () => {
    enforcer.release();
    await server.close();
    await enforcer.consumption.close();
    await log.close();
    rmSync(folder, { recursive: true });
  });
  await until(() => enforcer.isReady() || undefined, 'the decisions');
  let made = 0;
  const publish: Gait['publish'] = async (fields) => {
    const before = enforcer.held.table.changes;
    const now = clock.now();
    const unique = { decision_id: `dec_${String(made++).padStart(24, '0')}`, identity: alice, tenant: '-' };
    const decision = { ...aDecision({ made_at: now, expires_at: now + 600_000 }), ...unique, ...fields };
    await log.append(config.topics.signals, [{ key: decision.decision_id, value: JSON.stringify(decision) }]);
    await until(() => enforcer.held.table.changes > before || undefined, 'the decision');
    return decision;
  };
  const { port } = new URL(server.address);
  return { server, port: Number(port), enforcer, issuer, clock, publish, notices };
}

/** An API that answers 200 and says what reached it. */
export async function startApi(t: TestContext): Promise<{ readonly port: number; readonly seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    request.resume();
    // An API that repeats what it was sent: nothing of it may pass for ours.
    const echoed = request.headers['x-gait-decision'];
    response.setHeader('content-type', 'application/json');
    if (echoed !== undefined) response.setHeader('x-gait-decision', echoed);
    response.statusCode = request.url === '/missing' ? 404 : 200;
    response.end('{"ok":true}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

/** Runs a product in the foreground until the test ends; its output is shown when it does not come up. */
export async function startProduct(
  t: TestContext,
  command: readonly string[],
  options: {
    readonly port: number;
    readonly cwd: string;
    readonly env?: Record<string, string>;
    readonly stop?: NodeJS.Signals;
  },
): Promise<ChildProcess> {
  const [name = '', ...args] = command;
  const child = spawn(name, args, { cwd: options.cwd, env: { ...process.env, ...options.env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  t.after(async () => {
    child.kill(options.stop ?? 'SIGTERM');
    if (child.exitCode === null && child.signalCode === null)
      await new Promise((resolve) => child.once('exit', resolve));
  });
  await until(async () => {
    assert.equal(child.exitCode, null, output);
    return fetch(`http://127.0.0.1:${options.port}/up`).catch(() => undefined);
  }, `${name} to answer: ${output}`);
  return child;
}

/** A bearer of the identity provider for alice, whose log-in was so many seconds ago. */
export async function bearer(
  gait: Gait,
  loginSecondsAgo: number,
  claims: object = {},
): Promise<Record<string, string>> {
  const now = Math.floor(gait.clock.now() / 1000);
  const times = { iat: now - loginSecondsAgo, exp: now + 3600, auth_time: now - loginSecondsAgo };
  return { authorization: `Bearer ${await gait.issuer.sign({ sub: 'alice', ...times, ...claims })}` };
}

/** What every product must do: allow, challenge, clear, throttle, revoke, expire. `from` is the caller's address as the product sees it. */
export async function walk(
  gait: Gait,
  call: (headers: Record<string, string>) => Promise<Response>,
  from = '127.0.0.1',
): Promise<void> {
  const old = await bearer(gait, 600, { sid: 's1' });
  assert.equal((await call(old)).status, 200, 'allowed');

  await gait.publish({ action: 'step-up', acr_values: ['gold'], max_age: 0 });
  const challenged = await call(old);
  assert.equal(challenged.status, 401, 'challenged');
  assert.match(
    challenged.headers.get('www-authenticate') ?? '',
    /^Bearer error="insufficient_user_authentication", error_description="[^"]+", acr_values="gold", max_age=0$/,
  );
  gait.clock.aheadMs += 5000;
  assert.equal((await call(await bearer(gait, 0, { sid: 's2' }))).status, 200, 'stepped up');
  assert.equal((await call(old)).status, 401, 'the token from before');
  assert.deepEqual(gait.notices, ['step-up-succeeded']);

  gait.clock.aheadMs += 700_000;
  const fresh = await bearer(gait, 1, { sid: 's3' });
  await gait.publish({ action: 'throttle' });
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push((await call(fresh)).status);
  assert.deepEqual(statuses, [200, 200, 429, 429], 'throttled');
  assert.match((await call(fresh)).headers.get('retry-after') ?? '', /^\d+$/);

  gait.clock.aheadMs += 700_000;
  await gait.publish({ action: 'revoke-session', session_id: 's3', scope: 'session' });
  const revoked = await call(fresh);
  assert.equal(revoked.status, 401, 'revoked');
  assert.match(revoked.headers.get('www-authenticate') ?? '', /error="invalid_token"/);
  assert.equal((await call(await bearer(gait, 1, { sid: 's4' }))).status, 200, 'another session');

  const batch = identityKey('address', null, from);
  await gait.publish({ identity: batch, identity_kind: 'address', action: 'revoke-identity' });
  assert.equal((await call({})).status, 403, 'refused by address');
  gait.clock.aheadMs += 600_000;
  assert.equal((await call({})).status, 200, 'expired');
}
