import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AlertReceipt, createAlertDelivery } from '../../src/alert/deliver.ts';
import { createSlackChannel } from '../../src/alert/slack.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { Finding } from '../../src/finding/finding.ts';
import { createHttpPost } from '../../src/signal/http-post.ts';
import { aFinding, start } from '../policy/a-finding.ts';
import { answer, startReceiver } from '../signal/receiver.ts';

const day = 86_400_000;

function aDelivery(url: string, now = () => start) {
  const receipts: AlertReceipt[] = [];
  const clock = { now };
  const { onBatch, remember } = createAlertDelivery({
    channel: createSlackChannel('slack', `${url}/services/T0/B0/s3cret`),
    post: createHttpPost({ clock, timeoutMs: 500 }),
    clock,
    random: seededRandom(1),
    signal: new AbortController().signal,
    severityMin: 'medium',
    staleAfterMs: day,
    backoffMs: { first: 1, max: 2 },
    onReceipt: (receipt) => {
      receipts.push(receipt);
      return Promise.resolve();
    },
  });
  const send = (...findings: readonly Finding[]) =>
    onBatch({ records: findings.map((finding) => ({ value: Buffer.from(JSON.stringify(finding)) })) });
  return { send, onBatch, remember, receipts };
}

const textOf = ({ body }: { readonly body: string }) => (JSON.parse(body) as { readonly text: string }).text;

test('a finding is told when it opens and when its severity rises, and not for its other updates', async (context) => {
  const { url, received } = await startReceiver(context, answer(200, {}, 'ok'));
  const { send, receipts } = aDelivery(url);
  await send(
    aFinding({ severity: 'low' }),
    aFinding({ severity: 'medium', version: 2 }),
    aFinding({ severity: 'medium', version: 3 }),
    aFinding({ severity: 'high', version: 4 }),
    aFinding({ severity: 'medium', version: 5 }),
    aFinding({ severity: 'high', version: 6 }),
    aFinding({ severity: 'critical', version: 7, state: 'closed' }),
  );
  assert.deepEqual(
    received.map((request) => textOf(request).split(':')[0]),
    ['MEDIUM', 'HIGH (was medium)'],
  );
  assert.deepEqual(
    receipts.map(({ severity, state, target }) => [severity, state, target]),
    [
      ['medium', 'delivered', 'slack'],
      ['high', 'delivered', 'slack'],
    ],
  );
});

test('what an earlier run has told is not told again', async (context) => {
  const { url, received } = await startReceiver(context, answer(200));
  const { send, remember } = aDelivery(url);
  remember({ finding_id: 'fnd_1', severity: 'high' });
  await send(aFinding({ version: 9 }), aFinding({ severity: 'critical', version: 10 }));
  assert.deepEqual(received.map(textOf), ['CRITICAL (was high): new context: called from a country never seen before']);
});

test('a finding of long ago wakes nobody', async (context) => {
  const { url, received } = await startReceiver(context);
  const { send, receipts } = aDelivery(url, () => start + day);
  await send(aFinding());
  assert.deepEqual([received.length, receipts[0]?.state], [0, 'skipped-stale']);
});

test('a busy Slack is tried again, a refusal is reported without its secret address', async (context) => {
  const busy = await startReceiver(context, answer(429, { 'retry-after': '0' }), answer(200));
  let now = start;
  const first = aDelivery(busy.url, () => now++);
  await first.send(aFinding());
  assert.deepEqual([first.receipts[0]?.state, first.receipts[0]?.attempts], ['delivered', 2]);
  const refusing = await startReceiver(context, answer(404, {}, 'no_service /services/T0/B0/s3cret'));
  const second = aDelivery(refusing.url);
  await second.send(aFinding());
  assert.equal(second.receipts[0]?.state, 'rejected');
  assert.equal(second.receipts[0]?.detail, 'HTTP 404 no_service …');
});

test('records that are no findings are passed over', async (context) => {
  const { url, received } = await startReceiver(context);
  const partial = [{ reasons: null }, { kind: 7 }, { last_seen: 1e300 }, { severity: 'dire' }];
  const bad = ['', 'null', '{}', '\u0000', ...partial.map((part) => JSON.stringify({ ...aFinding(), ...part }))];
  await aDelivery(url).onBatch({ records: [{ value: null }, ...bad.map((text) => ({ value: Buffer.from(text) }))] });
  assert.equal(received.length, 0);
});
