import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBroker } from '../src/command/kafka-broker.ts';
import { parseYaml } from '../src/config/yaml.ts';
import { choosePath, owner, seeded, writeHistory } from './history.ts';
import {
  alice,
  Browser,
  gaitClient,
  type Keycloak,
  keycloakMissing,
  realm,
  startKeycloak,
  type Tokens,
} from './keycloak.ts';
import {
  type Called,
  call,
  freePort,
  missingPrograms,
  type Part,
  pipelines,
  startApi,
  startNginx,
  startProgram,
  startRsyslog,
  waitFor,
} from './parts.ts';

/**
 * The whole loop with real parts, one line for each thing that happens: Keycloak gives tokens, nginx stands before a small API and asks Gait,
 * rsyslog ships nginx's log into Kafka, Gait reads it. A token is stolen, challenged, cleared by its owner, stolen again and ended.
 * Exit code 1 when anything of it did not happen as it should, 2 when a part is missing here.
 */
const thief = { from: '127.9.8.7', agent: 'python-requests/2.31.0' };
const challengedWithinMs = 2000;
const startedAt = performance.now();

type World = {
  readonly keycloak: Keycloak;
  readonly nginxPort: number;
  readonly gait: string;
  /** Whom the story is about: the others have findings of their own now and then. */
  readonly subject: string;
  readonly dice: () => number;
};

const stops: (() => Promise<void>)[] = [];

async function main(): Promise<void> {
  const missing = keycloakMissing() ?? missingPrograms();
  if (missing !== undefined) {
    process.stderr.write(`demo:loop needs parts that are not here: ${missing}\n`);
    process.exitCode = 2;
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'gait-loop-'));
  try {
    await play(folder);
    tell('done', 'the loop is closed: found, challenged, cleared, ended, written down');
    await stopAll();
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    process.stderr.write(
      `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\nlogs: ${folder}\n`,
    );
    process.exitCode = 1;
    await stopAll();
  }
}

async function stopAll(): Promise<void> {
  for (const stop of stops.reverse()) await stop().catch(() => undefined);
}

async function play(folder: string): Promise<void> {
  tell('parts', 'starting Keycloak and Kafka (fetched by Maven the first time)');
  const [keycloak, broker] = await Promise.all([
    startKeycloak(folder),
    startBroker({ port: 0, dataDir: join(folder, 'kafka'), libsDir: join(tmpdir(), 'gait-kafka-libs') }),
  ]);
  stops.push(() => broker.stop(), keycloak.stop);
  const browser = new Browser(keycloak.issuer);
  const first = await browser.logIn(alice);
  tell('alice', `logs in at Keycloak; her token's sub is ${String(first.claims.sub)}`);

  const world = {
    keycloak,
    subject: String(first.claims.sub),
    dice: seeded(11),
    ...(await startAround(folder, { keycloak, broker: `127.0.0.1:${broker.port}`, first })),
  };
  await ordinaryCalls(world, first, 12);
  tell('alice', 'makes twelve ordinary calls; every one is answered with 200');

  await steal(world, first, 'the token is copied and used from another program and network');
  const second = await ownerReturns(world, browser, first);
  await secondTheft(world, browser, second);
  await written(world);
  await revokedByHand(world, browser);
}

async function startAround(
  folder: string,
  of: { readonly keycloak: Keycloak; readonly broker: string; readonly first: Tokens },
): Promise<Pick<World, 'nginxPort' | 'gait'>> {
  const { keycloak, broker, first } = of;
  const own = await freePort();
  const gaitPort = await freePort();
  const api = await startApi(async (bearer) => {
    const answer = await fetch(`${keycloak.issuer}/protocol/openid-connect/userinfo`, {
      headers: { authorization: `Bearer ${bearer}` },
    });
    return answer.ok;
  });
  stops.push(api.stop);
  mkdirSync(join(folder, 'logs'));
  const history = writeHistory(String(first.claims.sub), Date.now());
  writeFileSync(join(folder, 'logs/access.log'), history);
  stops.push((await startRsyslog(folder, broker)).stop);
  const gait = `http://127.0.0.1:${gaitPort}`;
  stops.push((await startGait(folder, { gaitPort, broker, keycloak })).stop);
  const lines = history.split('\n').length - 1;
  await waitFor(
    'Gait to read the history',
    async () => (await metric(gait, 'gait_verdict_latency_seconds_count')) >= lines,
    60_000,
  );
  tell('gait', `has read ${lines} lines of nginx's log out of Kafka: a week of a hundred people`);
  stops.push((await startNginx(folder, { own, gait: gaitPort, api: api.port })).stop);
  tell('nginx', 'stands before the API and asks Gait before every call (auth_request)');
  return { nginxPort: own, gait };
}

function startGait(
  folder: string,
  of: { readonly gaitPort: number; readonly broker: string; readonly keycloak: Keycloak },
): Promise<Part> {
  const { gaitPort, broker, keycloak } = of;
  const actions = join(pipelines, 'actions/keycloak.yaml');
  const config = {
    ...(parseYaml(readFileSync(actions, 'utf8'), actions).value as object),
    dataDir: join(folder, 'gait'),
    log: { kind: 'kafka', brokers: [broker], partitions: 1 },
    sources: [{ topic: 'api-traffic', format: 'nginx' }],
    http: { port: gaitPort },
    detect: { policyFile: join(pipelines, '../demo/policy.yaml') },
    enforce: {
      graceMs: 1000,
      issuers: [{ issuer: keycloak.issuer, jwksUri: `${keycloak.issuer}/protocol/openid-connect/certs` }],
    },
  };
  const file = join(folder, 'gait.yaml');
  writeFileSync(file, JSON.stringify(config, null, 1));
  const cli = join(import.meta.dirname, '../src/cli.js');
  const isReady = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${gaitPort}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
  const env = {
    KEYCLOAK_URL: keycloak.address,
    KEYCLOAK_REALM: realm,
    KEYCLOAK_CLIENT_SECRET: gaitClient.secret,
  };
  return startProgram([process.execPath, cli, 'start', '--config', file], { folder, name: 'gait', isReady, env });
}

async function ordinaryCalls({ nginxPort, dice }: World, { access }: Tokens, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const made = await call({
      port: nginxPort,
      path: choosePath(0, dice),
      token: access,
      from: owner.address,
      agent: owner.agent,
    });
    assert.equal(made.status, 200, "the owner's ordinary call");
    await sleep(100);
  }
}

/** Calls until one is refused; how long after the first odd one that was is the figure. */
async function steal(world: World, { access }: Tokens, what: string): Promise<Called> {
  tell('thief', what);
  const since = performance.now();
  for (let calls = 1; ; calls++) {
    const made = await call({ port: world.nginxPort, path: '/orders', token: access, ...thief });
    const elapsed = performance.now() - since;
    if (made.status === 200) {
      assert.ok(elapsed < challengedWithinMs, tooSlow(elapsed));
      await sleep(50);
      continue;
    }
    assert.equal(made.status, 401);
    assert.match(made.challenge, /error="insufficient_user_authentication".*max_age=0/);
    tell('nginx', `refuses call ${calls}, ${Math.round(elapsed)} ms after the first odd one: 401 ${made.challenge}`);
    await findings(world);
    return made;
  }
}

/** The promise is for a machine that has nothing else to do; whoever reads this should know whether it had. */
function tooSlow(elapsedMs: number): string {
  const load = `load ${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} cores`;
  return `not challenged ${Math.round(elapsedMs)} ms after the first odd call, ${challengedWithinMs} ms are promised (${load})`;
}

async function ownerReturns(world: World, browser: Browser, first: Tokens): Promise<Tokens> {
  const call_ = (token: string) =>
    call({ port: world.nginxPort, path: '/orders', token, from: owner.address, agent: owner.agent });
  const challenged = await call_(first.access);
  assert.equal(challenged.status, 401);
  tell('alice', 'is challenged too: Gait cannot know which of the two she is');
  // Tokens tell time in seconds, and one of the decision's own second is not newer than it; nobody types a password that fast.
  await sleep(1000 - (Date.now() % 1000));
  const second = await browser.logIn(alice, 0);
  assert.ok(Number(second.claims.auth_time) >= Number(first.claims.auth_time));
  const passed = await call_(second.access);
  assert.equal(passed.status, 200, 'a token with a newer auth_time passes');
  tell('alice', 'logs in again as challenged (max_age=0) and passes with the new token');
  await waitFor(
    'the shard to hear of it',
    async () => (await decisions(world)).some(({ change }) => change === 'narrowed' || change === 'restored'),
    10_000,
  );
  const old = await call({ port: world.nginxPort, path: '/orders', token: first.access, ...thief });
  assert.equal(old.status, 401, 'the stolen token stays refused');
  tell('nginx', 'goes on refusing the stolen token');
  await ordinaryCalls(world, second, 5);
  return second;
}

async function secondTheft(world: World, browser: Browser, second: Tokens): Promise<void> {
  await steal(world, second, 'steals the new token as well');
  tell('thief', 'ignores the challenge and goes on');
  const told = received(world, 'keycloak-session').then(() => true);
  for (let isTold = false; !isTold; isTold = await Promise.race([told, sleep(200, false)]))
    await call({ port: world.nginxPort, path: '/orders', token: second.access, ...thief });
  assert.ok(await isEnded(browser, second), 'the refresh token is refused');
  tell('keycloak', 'has ended the session: its refresh token is refused');
  const after = await call({ port: world.nginxPort, path: '/orders', token: second.access, ...thief });
  assert.equal(after.status, 401);
  assert.match(after.challenge, /error="invalid_token"/);
  tell('nginx', `refuses the access token as revoked: 401 ${after.challenge}`);
}

/** A person's decision ends every session of hers, by the other of Keycloak's actions. */
async function revokedByHand(world: World, browser: Browser): Promise<void> {
  const third = await browser.logIn(alice);
  await browser.refresh(third);
  tell('alice', 'logs in once more: a new session, and it can be renewed');
  const [last] = await decisions(world);
  const wanted = { identity: last?.identity, action: 'revoke-identity', ttl: '1h', reason: 'asked by phone' };
  const answer = await fetch(`${world.gait}/v1/decisions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(wanted),
  });
  assert.equal(answer.status, 202, await answer.text());
  tell('analyst', 'has heard from alice on the telephone and revokes all that is hers');
  const revoked = await received(world, 'keycloak-logout');
  assert.ok(await isEnded(browser, third), 'the refresh token of the new session is refused');
  tell('keycloak', 'has logged her out everywhere: the refresh token of the new session is refused too');
  tellDecision(revoked);
}

/** To be asked after the receipt: Keycloak revives a session that is refreshed while it is being deleted (keycloak/keycloak#51127). */
function isEnded(browser: Browser, tokens: Tokens): Promise<boolean> {
  return browser.refresh(tokens).then(
    () => false,
    (error: Error) => error.message.startsWith('invalid_grant'),
  );
}

/** What an analyst finds afterwards: each row is read from ClickHouse. */
async function written(world: World): Promise<void> {
  await received(world, 'keycloak-session');
  for (const { severity, kind, count } of [...(await found(world))].reverse()) {
    tell('store', `finding, ${severity}: ${kind}, ${count} calls`);
  }
  for (const decision of [...(await decided(world))].reverse()) tellDecision(decision);
}

/** The revocation that an action has carried out, once the store has both it and the receipt. */
async function received(world: World, action: string): Promise<Decided> {
  let taken: Decided | undefined;
  const look = async (): Promise<boolean> => {
    const isTaken = ({ target, state }: Step): boolean => target === action && state === 'delivered';
    const revocations = (await decided(world)).filter((each) => each.action.startsWith('revoke-'));
    taken = revocations.find(({ receipts }) => receipts.some(isTaken));
    return taken !== undefined;
  };
  await waitFor(`the receipt of ${action} in the store`, look, 30_000);
  return taken!;
}

function tellDecision({ action, change, rule, why, receipts }: Decided): void {
  tell('store', `decision, ${change}: ${action} by rule ${rule}: ${why}`);
  for (const { target, state, detail } of receipts) tell('store', `  receipt of ${target}: ${state}; ${detail}`);
}

async function findings(world: World): Promise<void> {
  await waitFor('the finding in the store', async () => (await found(world)).length > 0, 10_000);
  for (const { severity, title } of (await found(world)).slice(0, 1)) tell('gait', `finding, ${severity}: ${title}`);
}

type Found = {
  readonly identity: string;
  readonly severity: string;
  readonly kind: string;
  readonly title: string;
  readonly count: number;
};

async function found({ gait, subject }: World): Promise<readonly Found[]> {
  const { findings } = await read<{ findings: readonly Found[] }>(gait, '/v1/findings');
  return findings.filter(({ identity }) => identity.endsWith(subject));
}

type Step = { readonly target: string; readonly state: string; readonly detail: string };

type Decided = Row & { readonly receipts: readonly Step[] };

async function decided(world: World): Promise<readonly Decided[]> {
  const all = await decisions(world);
  return Promise.all(all.map(({ decision_id }) => read<Decided>(world.gait, `/v1/decisions/${decision_id}`)));
}

type Row = {
  readonly decision_id: string;
  readonly action: string;
  readonly rule: string;
  readonly why: string;
  readonly change: string;
  readonly identity: string;
};

async function decisions({ gait, subject }: World): Promise<readonly Row[]> {
  const { decisions } = await read<{ decisions: readonly Row[] }>(gait, '/v1/decisions');
  return decisions.filter(({ identity }) => identity.endsWith(subject));
}

async function read<T>(gait: string, path: string): Promise<T> {
  const answer = await fetch(`${gait}${path}`);
  assert.equal(answer.status, 200, `${path}: ${answer.status}`);
  return (await answer.json()) as T;
}

async function metric(gait: string, name: string): Promise<number> {
  const text = await (await fetch(`${gait}/metrics`)).text();
  return [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce(
    (sum, [, value]) => sum + Number(value),
    0,
  );
}

function tell(who: string, what: string): void {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(6);
  process.stdout.write(`${seconds} s  ${who.padEnd(9)} ${what}\n`);
}

await main();
