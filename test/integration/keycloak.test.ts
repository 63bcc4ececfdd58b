import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';
import {
  alice,
  Browser,
  gaitClient,
  type Keycloak,
  keycloakMissing,
  realm,
  startKeycloak,
} from '../../demo/keycloak.ts';
import { freePort, pipelines } from '../../demo/parts.ts';
import { parseYaml } from '../../src/config/yaml.ts';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import { type AnyNotice, readNotice } from '../../src/policy/notice.ts';
import { noticeKey } from '../../src/role/notices.ts';
import { type GaitProcess, startGait, waitFor } from './gait-process.ts';

const missing = keycloakMissing();
const skip = missing === undefined || process.env.CI ? false : missing;
const folder = mkdtempSync(join(tmpdir(), 'gait-keycloak-test-'));
const caep = 'https://schemas.openid.net/secevent/caep/event-type';
const audience = 'https://idp.example.com/caep';
const key = 'a-key-for-this-test-only';
const authorization = 'Bearer agreed-with-keycloak';
const within = { withinMs: 30_000 };

/** Shared signals are a preview of Keycloak's; it pushes to https alone unless it is told otherwise, and looks every 30 s. */
const options = ['allow-insecure-push-targets=true', 'outbox-drainer-interval=1s'];
const spi = options.map((option) => `--spi-ssf-transmitter--default--${option}`);

/** A receiver that knows nothing of Gait but its issuer: discovery, keys, and jose. */
async function startReceiver(issuer: () => string) {
  const verified: JWTPayload[] = [];
  const refused: unknown[] = [];
  const server = createServer(async (request, response) => {
    let token = '';
    for await (const chunk of request) token += chunk;
    try {
      const discovery = await fetch(`${issuer()}/.well-known/ssf-configuration`);
      const { jwks_uri } = (await discovery.json()) as { jwks_uri: string };
      const keys = createRemoteJWKSet(new URL(jwks_uri));
      const { payload } = await jwtVerify(token, keys, { issuer: issuer(), audience, typ: 'secevent+jwt' });
      verified.push(payload);
      response.writeHead(202).end();
    } catch (error) {
      refused.push(error);
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"err":"authentication_failed"}');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/caep`;
  return { verified, refused, url, close: () => server.close() };
}

describe('Gait and Keycloak', { skip, timeout: 600_000 }, () => {
  let keycloak: Keycloak;
  let gait: GaitProcess;
  let address = '';
  let receiver: Awaited<ReturnType<typeof startReceiver>>;

  before(async () => {
    const port = await freePort();
    address = `http://127.0.0.1:${port}`;
    keycloak = await startKeycloak(folder, ['--features=ssf', ...spi]);
    receiver = await startReceiver(() => address);
    gait = startGait({
      folder,
      config: configOf({ port, keycloak, push: receiver.url }),
      env: {
        KEYCLOAK_URL: keycloak.address,
        KEYCLOAK_REALM: realm,
        KEYCLOAK_CLIENT_SECRET: gaitClient.secret,
      },
    });
    await waitFor('Gait serves', () => gait.address() !== undefined, { withinMs: 60_000, alive: [gait] });
    await makeStream(keycloak, `${address}/ssf/receive`);
  });
  after(async () => {
    receiver?.close();
    await keycloak?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a decision ends the session at Keycloak by the action that is shipped, and its token verifies at a stranger’s', async () => {
    const browser = new Browser(keycloak.issuer);
    const tokens = await browser.logIn(alice);
    const renewed = await browser.refresh(tokens);
    const { sub, sid } = tokens.claims as Record<string, string>;
    const order = { identity: `user:-:${sub}`, session: sid, action: 'revoke-session', ttl: '1h', reason: 'tried' };
    const headers = { authorization: `Bearer ${key}` };
    const body = JSON.stringify(order);
    const made = await fetch(`${address}/v1/decisions`, { method: 'POST', headers, body });
    const text = await made.text();
    assert.equal(made.status, 202, text);
    const { decision_id } = JSON.parse(text) as { decision_id: string };
    // Asked once it has been done: a session that is being renewed when Keycloak ends it may live on there.
    const isDone = (): Promise<boolean> => hasReceipt(`${address}/v1/decisions/${decision_id}`, 'keycloak-session');
    await waitFor('the action was taken', isDone, { ...within, alive: [gait] });
    await assert.rejects(browser.refresh(renewed), /invalid_grant/);

    await waitFor('the token', () => receiver.verified.length > 0, { ...within, alive: [gait] });
    assert.deepEqual(receiver.refused, []);
    // A person's order changes no risk, so that there is one token.
    assert.equal(receiver.verified.length, 1);
    const [{ events, sub_id }] = receiver.verified as [JWTPayload];
    assert.deepEqual(Object.keys(events as object), [`${caep}/session-revoked`]);
    const user = { format: 'iss_sub', iss: keycloak.issuer, sub };
    const session = { format: 'opaque', id: sid };
    assert.deepEqual(sub_id, { format: 'complex', user, session });
  });

  test('Keycloak’s own transmitter tells Gait of ended sessions and of a changed password', async () => {
    const first = await new Browser(keycloak.issuer).logIn(alice);
    const { sub, sid } = first.claims as Record<string, string>;
    const form = new URLSearchParams({ client_id: 'shop-web', refresh_token: first.refresh });
    const left = await fetch(`${keycloak.issuer}/protocol/openid-connect/logout`, { method: 'POST', body: form });
    await new Browser(keycloak.issuer).logIn(alice);
    const ended = await keycloak.admin('POST', `/${realm}/users/${sub}/logout`);
    const password = { type: 'password', value: 'another-password', temporary: false };
    const changed = await keycloak.admin('PUT', `/${realm}/users/${sub}/reset-password`, password);
    assert.deepEqual([left.status, ended.status, changed.status], [204, 204, 204]);
    const isDelivered = async (): Promise<boolean> => {
      const { DELIVERED, PENDING } = await outbox(keycloak);
      return PENDING === undefined && (DELIVERED?.count ?? 0) >= 3;
    };
    await waitFor('Keycloak has delivered what it had', isDelivered, { ...within, alive: [gait] });
    gait.kill('SIGTERM');
    assert.equal((await gait.ended).code, 0);
    const notices = await noticesIn(join(folder, 'data/log'));
    const said = notices.map(({ notice, identity, session_id, by }) => [notice, identity, session_id, by].join(' '));
    const who = `user:-:${sub}`;
    assert.ok(said.includes(`session-ended ${who} ${sid} keycloak`), said.join());
    assert.ok(said.includes(`session-ended ${who}  keycloak`), said.join());
    assert.ok(said.includes(`credential-changed ${who}  keycloak`), said.join());
  });
});

type Around = { readonly port: number; readonly keycloak: Keycloak; readonly push: string };

function configOf({ port, keycloak, push }: Around): object {
  const actions = join(pipelines, 'actions/keycloak.yaml');
  const sha256 = createHash('sha256').update(key).digest('hex');
  const issuer = `http://127.0.0.1:${port}`;
  return {
    ...(parseYaml(readFileSync(actions, 'utf8'), actions).value as object),
    dataDir: './data',
    http: { port, keys: [{ name: 'desk', sha256, roles: ['admin'] }] },
    ssf: {
      issuer,
      receivers: [{ name: 'stranger', audience, subjectIssuer: keycloak.issuer, push: { url: push } }],
      transmitters: [
        {
          name: 'keycloak',
          issuer: keycloak.issuer,
          jwksUri: `${keycloak.issuer}/protocol/openid-connect/certs`,
          audiences: [issuer],
          authorization,
        },
      ],
    },
  };
}

async function makeStream({ admin }: Keycloak, url: string): Promise<void> {
  const asked: readonly [string, string, object][] = [
    ['PUT', '', { attributes: { 'ssf.transmitterEnabled': 'true' } }],
    [
      'POST',
      '/clients',
      {
        clientId: 'gait-signals',
        publicClient: false,
        serviceAccountsEnabled: true,
        attributes: {
          'ssf.enabled': 'true',
          'ssf.validPushUrls': url,
          'ssf.streamAudience': new URL(url).origin,
          'ssf.supportedEvents': 'CaepSessionRevoked,CaepCredentialChange',
          'ssf.defaultSubjects': 'ALL',
          'ssf.autoVerifyStream': 'true',
        },
      },
    ],
    [
      'POST',
      '/ssf/clients/gait-signals/stream',
      {
        delivery: { method: 'urn:ietf:rfc:8935', endpoint_url: url, authorization_header: authorization },
        events_requested: [`${caep}/session-revoked`, `${caep}/credential-change`],
      },
    ],
  ];
  for (const [method, path, body] of asked) {
    const answer = await admin(method, `/${realm}${path}`, body);
    assert.ok(answer.ok, `${path} ${answer.status} ${await answer.text()}`);
  }
}

async function hasReceipt(url: string, target: string): Promise<boolean> {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${key}` } });
  if (!answer.ok) return false;
  const { receipts } = (await answer.json()) as { receipts: readonly { target: string; state: string }[] };
  return receipts.some((receipt) => receipt.target === target && receipt.state === 'delivered');
}

/** Keycloak's own count of its outbox, by status. */
async function outbox({ admin }: Keycloak): Promise<Readonly<Record<string, { readonly count: number }>>> {
  const answer = await admin('GET', `/${realm}/ssf/clients/gait-signals/events/stats`);
  const { statuses } = (await answer.json()) as { statuses: Record<string, { count: number }> };
  return statuses;
}

async function noticesIn(path: string): Promise<readonly AnyNotice[]> {
  const notices: AnyNotice[] = [];
  const log = await openEmbeddedLog({ path, onTrouble: () => {} });
  const tail = await log.tail({
    topic: 'gait.events',
    from: 'earliest',
    onRecords: (records) => {
      for (const { key: name, value } of records) {
        const notice = name === noticeKey && value !== null ? readNotice(value) : null;
        if (notice !== null) notices.push(notice);
      }
    },
  });
  await tail.caughtUp;
  await tail.close();
  await log.close();
  return notices;
}
