import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type GaitProcess, startGait, waitFor } from '../integration/gait-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'gait-ssf-crash-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const key = 'a-key-for-this-test-only';
/** Before the receiver answers: between decision and delivery. After it: between its 202 and our note of it. */
const crashes = ['as-it-is-decided', 'before-the-answer', 'after-the-answer', 'before-the-answer', 'after-the-answer'];

type EventToken = { readonly jti: string; readonly sub_id: { readonly id: string } };

/** A receiver that kills the sender at the point that it is told, once it may, and keeps what it answered 202. */
async function startReceiver() {
  const taken: EventToken[] = [];
  const state: { crash?: string | undefined; gait?: GaitProcess; asked: number; isDecided: Promise<void> } = {
    asked: 0,
    isDecided: Promise.resolve(),
  };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    state.asked += 1;
    await state.isDecided;
    const { crash } = state;
    state.crash = undefined;
    if (crash === 'before-the-answer') return void state.gait?.kill('SIGKILL');
    taken.push(JSON.parse(Buffer.from(body.split('.')[1] ?? '', 'base64url').toString()) as EventToken);
    response.writeHead(202).end(() => crash && state.gait?.kill('SIGKILL'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => server.close());
  return { taken, state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/caep` };
}

async function start(push: { readonly url: string }): Promise<GaitProcess> {
  const sha256 = createHash('sha256').update(key).digest('hex');
  const receivers = [{ name: 'idp', audience: 'https://idp.example.com', push }];
  const gait = startGait({
    folder,
    config: {
      dataDir: './data',
      http: { port: 0, keys: [{ name: 'desk', sha256, roles: ['admin'] }] },
      ssf: { issuer: 'https://gait.example.com', receivers },
    },
  });
  await waitFor('it serves', () => gait.address() !== undefined, { withinMs: 60_000, alive: [gait] });
  return gait;
}

async function revoke(gait: GaitProcess, user: string): Promise<void> {
  const order = { identity: `user:-:${user}`, action: 'revoke-identity', ttl: '1h', reason: 'tried', mode: 'enforce' };
  const headers = { authorization: `Bearer ${key}` };
  const made = await fetch(`${gait.address()}/v1/decisions`, { method: 'POST', headers, body: JSON.stringify(order) });
  assert.equal(made.status, 202, await made.text());
}

test('killed between decision, delivery and the note of it, every token arrives, once for whoever drops repeats by jti', {
  timeout: 300_000,
}, async () => {
  const { taken, state, url } = await startReceiver();
  for (const [i, crash] of crashes.entries()) {
    const gait = await start({ url });
    state.gait = gait;
    state.crash = crash === 'as-it-is-decided' ? undefined : crash;
    state.isDecided = revoke(gait, `u-${i}`);
    await state.isDecided;
    if (crash === 'as-it-is-decided') gait.kill('SIGKILL');
    await gait.ended;
  }
  const last = await start({ url });
  await revoke(last, 'u-last');
  const users = [...crashes.map((_, i) => `u-${i}`), 'u-last'];
  const arrived = (): Map<string, EventToken> => new Map(taken.map((set) => [set.jti, set]));
  // A person's order is no news of the level, so each is one token.
  await waitFor('a token for each decision', () => arrived().size === users.length, {
    withinMs: 60_000,
    alive: [last],
  });
  last.kill('SIGTERM');
  assert.equal((await last.ended).code, 0);
  assert.deepEqual(
    [...arrived().values()].map(({ sub_id }) => sub_id.id),
    users,
    'all of them, in order, none made twice under another id',
  );
  const repeats = taken.length - arrived().size;
  assert.ok(repeats <= crashes.length, `${repeats} repeats`);

  const { asked } = state;
  const again = await start({ url });
  await revoke(again, 'u-end');
  await waitFor('the newest', () => arrived().size === users.length + 1, { withinMs: 60_000, alive: [again] });
  assert.equal(state.asked, asked + 1, 'what ended before is not sent again');
  again.kill('SIGTERM');
  await again.ended;
});
