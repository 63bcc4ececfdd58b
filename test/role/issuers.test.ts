import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseConfig } from '../../src/config/config.ts';
import { Secret } from '../../src/config/secret.ts';
import { createRedactor } from '../../src/event/redact.ts';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import type { Decision } from '../../src/policy/decision.ts';
import { assembleIngest } from '../../src/role/assemble.ts';
import { runEnforce } from '../../src/role/enforce.ts';
import { aDecision } from '../signal/a-decision.ts';
import { createIssuer } from './issuer.ts';

const start = 1_767_225_600_000;
const hmacKey = 'a key for tests only';
const [a, b] = ['https://a.example', 'https://b.example'];

async function twoIssuers(t: TestContext, more = '') {
  const folder = mkdtempSync(join(tmpdir(), 'gait-issuers-'));
  const providers = [await createIssuer(t, a!), await createIssuer(t, b!)] as const;
  const issuers = providers.map(({ jwksUri }, i) => `{ issuer: "${[a, b][i]}", jwksUri: "${jwksUri}" }`);
  const text = `dataDir: ${folder}\nenforce: { issuers: [${issuers.join(', ')}] }\n${more}`;
  const outcome = parseConfig({ name: 'gait.yaml', text: () => text }, {});
  assert.ok(outcome.kind === 'ok', JSON.stringify(outcome));
  const { config } = outcome;
  const log = await openEmbeddedLog({ path: join(folder, 'log') });
  await log.ensureTopics([{ name: config.topics.signals, partitions: 1, cleanup: 'compact' }]);
  const notices: string[] = [];
  const enforcer = await runEnforce({
    log,
    config,
    clock: { now: () => start },
    redactor: createRedactor({ hmacKey }),
    ignoredMax: 3,
    notify: ({ identity, notice }) => notices.push(`${notice} ${identity}`),
    answered: () => undefined,
    held: () => undefined,
  });
  t.after(async () => {
    enforcer.release();
    await enforcer.consumption.close();
    await log.close();
    rmSync(folder, { recursive: true });
  });
  const seconds = start / 1000;
  const ask = async (provider: 0 | 1, loginSecondsAgo: number): Promise<number> => {
    const claims = { sub: 'alice', iat: seconds, exp: seconds + 600, auth_time: seconds - loginSecondsAgo };
    const headers = { authorization: `Bearer ${await providers[provider].sign(claims)}` };
    const question = { headers, path: '/', point: 'nginx', verifiedClaims: null, clientIp: null };
    return (await enforcer.ask(question)).status;
  };
  const decide = async (identity: string): Promise<void> => {
    const before = enforcer.held.table.changes;
    const about = { identity: identity as Decision['identity'], identity_kind: 'user', tenant: '-' } as const;
    const times = { made_at: start - 60_000, issued_before: start - 60_000, expires_at: start + 600_000 };
    const decision = aDecision({ decision_id: `dec_${identity}`, action: 'step-up', ...about, ...times });
    await log.append(config.topics.signals, [{ key: decision.decision_id, value: JSON.stringify(decision) }]);
    while (enforcer.held.table.changes === before) await new Promise((resolve) => setImmediate(resolve));
  };
  return { config, ask, decide, notices };
}

test('equal subjects of two issuers are two people: neither is asked for the other, and neither answers for the other', async (t) => {
  const { ask, decide, notices } = await twoIssuers(t);
  await decide('user:-:alice');
  assert.equal(await ask(0, 3600), 401, 'the first issuer’s keeps the bare key');
  assert.equal(await ask(1, 3600), 200, 'nothing was decided about the other');
  assert.equal(await ask(1, 0), 200);
  assert.deepEqual(notices, [], 'the other’s fresh log-in answers nothing');
  assert.equal(await ask(0, 3600), 401);
  assert.equal(await ask(0, 0), 200);
  assert.deepEqual(notices, ['step-up-succeeded user:-:alice']);
  await decide(`user:-:alice%@${b}`);
  assert.equal(await ask(1, 3600), 401);
});

test('calls are resolved to the same keys; one that names no issuer is taken for one of home', async (t) => {
  const { config } = await twoIssuers(t, `ingest: { homeIssuer: "${b}" }`);
  const ingest = assembleIngest({ config, key: new Secret(hmacKey) }, () => ({ format: 'canonical' }));
  const keyOf = (fields: object): string | undefined => {
    const line = JSON.stringify({ ts: start, client_ip: '192.0.2.1', ...fields });
    return ingest.ingest(line, { topic: 't', partition: 0, offset: 0, index: 0 }, start).events[0]?.identity;
  };
  assert.equal(keyOf({ subject: 'alice', issuer: b }), 'user:-:alice');
  assert.equal(keyOf({ subject: 'alice' }), 'user:-:alice');
  assert.equal(keyOf({ subject: 'alice', issuer: a }), `user:-:alice%@${a}`);
  assert.equal(keyOf({ client_id: 'web', issuer: a }), `client:-:web%@${a}`);
  assert.equal(keyOf({ session_id: 's1', issuer: a }), 'session:-:s1');
});

test('with one issuer, or none, keys are as they always were', () => {
  for (const issuers of ['', `{ issuer: "${a}", jwksUri: "https://a.example/jwks" }`]) {
    const outcome = parseConfig({ name: 'gait.yaml', text: () => `enforce: { issuers: [${issuers}] }` }, {});
    assert.ok(outcome.kind === 'ok');
    assert.equal(outcome.config.ingest.homeIssuer, undefined);
  }
});
