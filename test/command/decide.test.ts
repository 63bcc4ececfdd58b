import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startGait, waitFor } from '../integration/gait-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'gait-decide-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const key = 'a-key-that-must-not-be-seen-again';
const config = {
  dataDir: './data',
  enforce: { trustedHeaders: { subject: 'x-user' } },
  http: {
    port: 0,
    keys: [{ name: 'desk', sha256: createHash('sha256').update(key).digest('hex'), roles: ['admin'] }],
  },
};
test('a person locks an identity out and lets it in again: refused, stored, signed, and passed again', {
  timeout: 180_000,
}, async () => {
  const gait = startGait({ folder, config });
  const alive = [gait];
  await waitFor('it serves', () => gait.address() !== undefined, { withinMs: 60_000, alive });
  const ask = (path: string, headers: Record<string, string>, body?: object) =>
    fetch(`${gait.address()}${path}`, {
      headers,
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    });
  const asAdmin = { authorization: `Bearer ${key}` };
  const passes = async (): Promise<number> => {
    const headers = { 'x-gait-key': key, 'x-original-uri': '/orders', 'x-user': 'alice' };
    return (await ask('/authz', headers)).status;
  };
  const rows = async (path: string, name: string): Promise<readonly Record<string, unknown>[]> => {
    const response = await ask(path, asAdmin);
    return response.ok ? ((await response.json()) as Record<string, never[]>)[name]! : [];
  };
  await waitFor('it is ready', async () => (await passes()) === 200, { withinMs: 60_000, alive });

  const order = { identity: 'user:-:alice', action: 'revoke-identity', ttl: '1h', reason: 'asked by phone' };
  const made = await ask('/v1/decisions', asAdmin, order);
  assert.equal(made.status, 202);
  const { decision_id } = (await made.json()) as { decision_id: string };
  await waitFor('the call is refused', async () => (await passes()) >= 400, { withinMs: 60_000, alive });
  const list = `/v1/decisions?identity=${encodeURIComponent('user:-:alice')}`;
  await waitFor('it is stored', async () => (await rows(list, 'decisions')).length === 1, { withinMs: 60_000, alive });
  const [stored] = await rows(list, 'decisions');
  assert.deepEqual(
    [stored?.decision_id, stored?.by, stored?.rule, stored?.why],
    [decision_id, 'desk', 'manual', 'asked by phone'],
  );

  assert.equal((await ask(`/v1/decisions/${decision_id}/restore`, asAdmin, { reason: 'it was me' })).status, 202);
  await waitFor('the call passes', async () => (await passes()) === 200, { withinMs: 60_000, alive });
  await waitFor('both are in the audit', async () => (await rows('/v1/audit', 'audit')).length === 2, {
    withinMs: 60_000,
    alive,
  });
  const audit = await rows('/v1/audit', 'audit');
  assert.deepEqual(
    audit.map(({ who, from, action, about }) => [who, from, action, about]),
    [
      ['desk', '127.0.0.1', 'decision.restore', 'user:-:alice'],
      ['desk', '127.0.0.1', 'decision.make', 'user:-:alice'],
    ],
  );
  assert.doesNotMatch(JSON.stringify(audit), new RegExp(key));
  gait.kill('SIGTERM');
  assert.equal((await gait.ended).code, 0);
});
