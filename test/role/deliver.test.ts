import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/config.ts';
import { systemClock } from '../../src/core/clock.ts';
import { sleep } from '../../src/core/sleep.ts';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import type { Decision } from '../../src/policy/decision.ts';
import { runDeliver } from '../../src/role/deliver.ts';
import { aRevocation } from './ssf-world.ts';

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(10)) if (condition()) return;
  assert.fail('waited too long');
}

test('an action fires once although compaction left nothing of a decision but its extension, and not for the next extension', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gait-deliver-'));
  const log = await openEmbeddedLog({ path: folder });
  const calls: string[] = [];
  const provider = createServer((request, response) => {
    calls.push(`${request.method} ${request.url}`);
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    provider.close();
    await log.close();
    rmSync(folder, { recursive: true });
  });
  const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  const text = `signals: { actions: [{ name: idp, on: [revoke-session], method: DELETE, url: "${url}/sessions/{{session_id}}", success: [204] }] }`;
  const outcome = parseConfig({ name: 'gait.yaml', text: () => text }, {});
  assert.ok(outcome.kind === 'ok', JSON.stringify(outcome));
  const { config } = outcome;
  for (const name of [config.topics.signals, config.topics.receipts]) {
    await log.ensureTopics([{ name, partitions: 1, cleanup: 'compact' }]);
  }
  const say = ({ decision_id, ...rest }: Decision) =>
    log.append(config.topics.signals, [{ key: decision_id, value: JSON.stringify({ decision_id, ...rest }) }]);
  const ends: string[] = [];
  const delivered = (target: string, state: string) => ends.push(`${target} ${state}`);
  const run = async (meanwhile: () => Promise<void>) => {
    const stop = new AbortController();
    const options = { log, config, clock: systemClock, delivered, onTrouble: assert.fail };
    const consumptions = await runDeliver(options, stop.signal);
    await meanwhile();
    stop.abort();
    for (const consumption of consumptions) await consumption.close();
  };

  const made = aRevocation({ rule: 'manual', session_id: 'sid-9', scope: 'session' });
  await say(made);
  await say({ ...made, version: 2, change: 'extended' });
  await run(() => until(() => calls.length > 0 && ends.length > 0));
  assert.deepEqual([calls, ends], [['DELETE /sessions/sid-9'], ['idp delivered']]);

  await say({ ...made, version: 3, change: 'extended' });
  const other = aRevocation({ decision_id: 'dec_2222456789abcdef01234567', scope: 'session', session_id: 'sid-10' });
  await say(other);
  await run(() => until(() => calls.length > 1 && ends.length > 1));
  assert.deepEqual(calls.slice(1), ['DELETE /sessions/sid-10'], 'what was delivered by an earlier run is known');
});
