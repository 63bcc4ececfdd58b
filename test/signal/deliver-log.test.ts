import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import { sleep } from '../../src/core/sleep.ts';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import { createSignalDelivery } from '../../src/signal/deliver.ts';
import { createHttpPost } from '../../src/signal/http-post.ts';
import { createWebhook } from '../../src/signal/webhook.ts';
import { aDecision } from './a-decision.ts';
import { answer, answer204, startReceiver } from './receiver.ts';

test('a webhook that is away holds up itself only, and gets everything in order when it is back', async (context) => {
  const path = mkdtempSync(join(tmpdir(), 'gait-deliver-'));
  const log = await openEmbeddedLog({ path });
  const stop = new AbortController();
  context.after(async () => {
    stop.abort();
    await log.close();
    rmSync(path, { recursive: true });
  });
  let back = false;
  const away = await startReceiver(context, (response) => answer(back ? 204 : 503)(response));
  const there = await startReceiver(context, answer204);
  await log.ensureTopics([{ name: 'gait.signals', partitions: 1, cleanup: 'compact' }]);
  for (const [name, { url }] of Object.entries({ away, there })) {
    const secret = `whsec_${Buffer.from('a secret for the example').toString('base64')}`;
    await log.consume({
      group: `gait-deliver-${name}`,
      topics: ['gait.signals'],
      from: 'earliest',
      onBatch: createSignalDelivery({
        webhook: createWebhook({ name, url, secrets: [secret] }),
        post: createHttpPost({ clock: systemClock }),
        clock: systemClock,
        random: seededRandom(1),
        signal: stop.signal,
        staleAfterMs: 60_000,
        backoffMs: { first: 5, max: 20 },
        holdMs: 100,
        onReceipt: () => Promise.resolve(),
      }),
    });
  }
  const ids = Array.from({ length: 20 }, (_, i) => `dec_${i}`);
  await log.append(
    'gait.signals',
    ids.map((id) => ({ key: id, value: JSON.stringify(aDecision({ decision_id: id })) })),
  );
  await until(() => there.received.length === ids.length && away.received.length > 3);
  assert.deepEqual(new Set(away.received.map(({ headers }) => headers['webhook-id'])), new Set(['dec_0-1']));
  const refused = away.received.length;
  back = true;
  await until(() => away.received.at(-1)?.headers['webhook-id'] === 'dec_19-1');
  const taken = away.received.slice(refused).map(({ headers }) => headers['webhook-id']);
  assert.deepEqual(
    [...new Set(taken)],
    ids.map((id) => `${id}-1`),
  );
});

async function until(holds: () => boolean): Promise<void> {
  const deadline = systemClock.now() + 10_000;
  while (!holds()) {
    assert.ok(systemClock.now() < deadline, 'waited ten seconds in vain');
    await sleep(10);
  }
}
