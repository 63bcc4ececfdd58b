import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { Decision, Receipt } from '../../src/policy/decision.ts';
import { createSignalDelivery, type SignalTarget } from '../../src/signal/deliver.ts';
import { createHttpAction } from '../../src/signal/http-action.ts';
import { createHttpPost } from '../../src/signal/http-post.ts';
import { createWebhook } from '../../src/signal/webhook.ts';
import { aDecision } from './a-decision.ts';
import { answer, answer204, silence, startReceiver } from './receiver.ts';

const secret = `whsec_${Buffer.from('an old secret of 24 bytes').toString('base64')}`;
const newSecret = `whsec_${Buffer.from('a new secret with 24 bytes').toString('base64')}`;

type Options = {
  readonly secrets?: readonly string[];
  readonly clock?: Clock;
  readonly action?: SignalTarget | undefined;
};

function aDelivery(url: string, options: Options = {}) {
  const receipts: Receipt[] = [];
  const clock = options.clock ?? systemClock;
  const onBatch = createSignalDelivery({
    webhook: options.action ?? createWebhook({ name: 'gateway', url, secrets: options.secrets ?? [secret] }),
    post: createHttpPost({ clock, timeoutMs: 300 }),
    clock,
    random: seededRandom(1),
    signal: new AbortController().signal,
    staleAfterMs: 60_000,
    backoffMs: { first: 1, max: 5 },
    holdMs: 3000,
    onReceipt: (receipt) => {
      receipts.push(receipt);
      return Promise.resolve();
    },
  });
  const send = (...decisions: readonly Decision[]) =>
    onBatch({ records: decisions.map((decision) => ({ value: Buffer.from(JSON.stringify(decision)) })) });
  return { send, onBatch, receipts };
}

test('a decision arrives signed, so that the reference library verifies it', async (context) => {
  const { url, received } = await startReceiver(context);
  const { send, receipts } = aDelivery(`${url}/hook`);
  const decision = aDecision();
  await send(decision);
  const [got] = received;
  assert.ok(got);
  const payload = new Webhook(secret).verify(got.body, got.headers as Record<string, string>);
  assert.deepEqual(payload, {
    type: 'gait.decision.v1',
    timestamp: new Date(decision.made_at).toISOString(),
    data: decision,
  });
  assert.equal(got.headers['webhook-id'], `${decision.decision_id}-1`);
  assert.deepEqual(
    receipts.map(({ at, ...rest }) => rest),
    [
      {
        decision_id: decision.decision_id,
        target: 'gateway',
        state: 'delivered',
        attempts: 1,
        status: 204,
        detail: 'HTTP 204',
      },
    ],
  );
  assert.throws(() => new Webhook(newSecret).verify(got.body, got.headers as Record<string, string>));
  assert.throws(() => new Webhook(secret).verify(`${got.body} `, got.headers as Record<string, string>));
});

test('while a secret is being replaced, receivers with the old and with the new one both verify', async (context) => {
  const { url, received } = await startReceiver(context);
  await aDelivery(url, { secrets: [newSecret, secret] }).send(aDecision());
  for (const key of [secret, newSecret]) {
    new Webhook(key).verify(received[0]?.body ?? '', received[0]?.headers as Record<string, string>);
  }
});

test('an error, a timeout and a 429 are tried again under the same id, and then it arrives', async (context) => {
  const { url, received } = await startReceiver(context, answer(500), silence, answer(429), answer204);
  const { send, receipts } = aDelivery(url);
  await send(aDecision());
  assert.equal(received.length, 4);
  assert.equal(new Set(received.map(({ headers }) => headers['webhook-id'])).size, 1);
  assert.deepEqual([receipts[0]?.state, receipts[0]?.attempts], ['delivered', 4]);
});

test('a 400 is not tried again, is reported, and the next decision goes out', async (context) => {
  const { url, received } = await startReceiver(context, answer(400, {}, 'unknown field'), answer204);
  const { send, receipts } = aDelivery(url);
  await send(aDecision(), aDecision({ decision_id: 'dec_2' }));
  assert.equal(received.length, 2);
  assert.deepEqual(
    receipts.map(({ state, detail }) => [state, detail]),
    [
      ['rejected', 'HTTP 400 unknown field'],
      ['delivered', 'HTTP 204'],
    ],
  );
});

test('shadow mode sends nothing and leaves no receipt', async (context) => {
  const { url, received } = await startReceiver(context);
  const { send, receipts } = aDelivery(url);
  await send(...Array.from({ length: 100 }, (_, i) => aDecision({ mode: 'shadow', decision_id: `dec_${i}` })));
  assert.deepEqual([received, receipts], [[], []]);
});

test('a decision that is old or expired is recorded as stale and not sent', async (context) => {
  const { url, received } = await startReceiver(context);
  const { send, receipts } = aDelivery(url);
  const now = systemClock.now();
  await send(
    aDecision({ decision_id: 'dec_old', updated_at: now - 61_000, expires_at: now + 60_000 }),
    aDecision({ decision_id: 'dec_over', updated_at: now - 1000, expires_at: now - 1 }),
  );
  assert.equal(received.length, 0);
  assert.deepEqual(
    receipts.map(({ state }) => state),
    ['skipped-stale', 'skipped-stale'],
  );
});

test('a batch that the log offers again is not delivered again', async (context) => {
  const { url, received } = await startReceiver(context);
  const { send } = aDelivery(url);
  await send(aDecision());
  await send(aDecision());
  assert.equal(received.length, 1);
});

test('a decision that escalates is delivered in each version, and calls the action of each step once', async (context) => {
  const { url, received } = await startReceiver(context);
  const actions = (['step-up', 'revoke-session'] as const).map((on) => {
    const action = { name: on, on: [on], method: 'POST', headers: {}, success: [204] } as const;
    return createHttpAction({ ...action, url: `${url}/${on}/{{session_id}}` });
  });
  const receivers = [undefined, ...actions].map((action) => aDelivery(`${url}/hook`, { action }));
  const made = aDecision({ action: 'step-up', session_id: 'sid-9' });
  const versions: readonly Decision[] = [
    made,
    { ...made, version: 2, change: 'extended' },
    { ...made, version: 3, change: 'escalated', action: 'revoke-session' },
    { ...made, version: 4, change: 'extended', action: 'revoke-session' },
  ];
  for (const { send } of receivers) {
    await send(...versions);
    await send(...versions);
  }
  assert.deepEqual(
    received.map(({ path, headers }) => headers['webhook-id'] ?? path),
    [...[1, 2, 3, 4].map((i) => `${made.decision_id}-${i}`), '/step-up/sid-9', '/revoke-session/sid-9'],
  );
});

test('what was taken back while the receiver was away is not sent any more, only that it was', async (context) => {
  const { url, received } = await startReceiver(context);
  const { send, receipts } = aDelivery(url);
  const made = aDecision({ action: 'revoke-session' });
  const other = aDecision({ decision_id: 'dec_2' });
  await send(made, other, { ...made, version: 2, change: 'restored', action: 'restore' });
  assert.deepEqual(
    received.map(({ headers }) => headers['webhook-id']),
    ['dec_2-1', `${made.decision_id}-2`],
  );
  assert.deepEqual(
    receipts.map(({ state, detail }) => [state, detail]),
    [
      ['skipped-stale', 'taken back before it was sent'],
      ['delivered', 'HTTP 204'],
      ['delivered', 'HTTP 204'],
    ],
  );
});

test('a receiver that is away keeps its batch, in order, and gets all of it when it is back', async (context) => {
  let up = false;
  const { url, received } = await startReceiver(context, (response) => answer(up ? 204 : 503)(response));
  let skew = 0;
  const { send, receipts } = aDelivery(url, { clock: { now: () => systemClock.now() + skew++ * 20 } });
  const batch = [1, 2, 3].map((i) => aDecision({ decision_id: `dec_${i}`, expires_at: systemClock.now() + 3.6e6 }));
  await assert.rejects(send(...batch), { code: 'DELIVERY_FAILED', retriable: true });
  assert.deepEqual(receipts, []);
  up = true;
  await send(...batch);
  assert.deepEqual(
    receipts.map(({ decision_id, state }) => [decision_id, state]),
    [
      ['dec_1', 'delivered'],
      ['dec_2', 'delivered'],
      ['dec_3', 'delivered'],
    ],
  );
  assert.equal(received.at(-1)?.headers['webhook-id'], 'dec_3-1');
});

test('records that are no decisions are passed over', async (context) => {
  const { url, received } = await startReceiver(context);
  const { onBatch } = aDelivery(url);
  const bad = ['', 'null', '[]', '{}', '{"mode":"enforce"}', '{"decision_id":"a\\r\\nb","mode":"enforce"}', '\u0000'];
  const far = JSON.stringify(aDecision({ updated_at: 1e300 }));
  await onBatch({ records: [{ value: null }, ...[...bad, far].map((text) => ({ value: Buffer.from(text) }))] });
  assert.equal(received.length, 0);
});

test('an unusable secret is refused without being shown', () => {
  for (const secrets of [[], ['whsec_!!s3cret!!'], ['whsec_']]) {
    assert.throws(
      () => createWebhook({ name: 'gateway', url: 'https://h/', secrets }),
      (error: Error & { code?: string }) => error.code === 'CONFIG_INVALID' && !error.message.includes('s3cret'),
    );
  }
});
