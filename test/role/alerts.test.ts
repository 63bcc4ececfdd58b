import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import { sleep } from '../../src/core/sleep.ts';
import type { Finding } from '../../src/finding/finding.ts';
import type { Decision } from '../../src/policy/decision.ts';
import { startSlack } from '../alert/services.ts';
import { aFinding } from '../policy/a-finding.ts';
import { aDecision } from '../signal/a-decision.ts';
import { answer, startReceiver } from '../signal/receiver.ts';

/** Starts the alerts of a process on this log; findings are given to it by messages. */
async function startDesk(context: TestContext, path: string, channels: readonly object[]): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'desk-process.js'), [path, JSON.stringify({ alerts: { channels } })], {
    stdio: 'inherit',
  });
  context.after(() => child.kill('SIGKILL'));
  assert.deepEqual(await once(child, 'message'), ['ready', undefined]);
  return child;
}

async function append(child: ChildProcess, record: Finding | Decision): Promise<void> {
  child.send(messageOf(record));
  await once(child, 'message');
}

function messageOf(record: Finding | Decision) {
  return { topic: 'decision_id' in record ? 'signals' : 'findings', record };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = systemClock.now() + 15_000;
  while (!holds()) {
    assert.ok(systemClock.now() < deadline, 'waited fifteen seconds in vain');
    await sleep(10);
  }
}

function aFolder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'gait-alerts-'));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const now = systemClock.now();
const news = (fields: Parameters<typeof aFinding>[0] = {}): Finding =>
  aFinding({ incident_id: 'inc_1', first_seen: now, last_seen: now, ...fields });

test('killed after Slack took the message and before that was written down, it comes back and repeats nothing', async (context) => {
  const path = aFolder(context);
  const slack = await startSlack(context);
  const channel = {
    name: 'soc',
    kind: 'slack-bot',
    token: 'xoxb-test',
    channel: 'C012AB3CD',
    apiUrl: slack.apiUrl,
    groupWaitMs: 0,
    groupIntervalMs: 1000,
  };
  const first = await startDesk(context, path, [channel]);
  slack.onCall((method) => {
    if (method !== 'chat.postMessage') return undefined;
    first.kill('SIGKILL');
    return 'drop';
  });
  first.send(messageOf(news()));
  await once(first, 'exit');
  assert.equal(slack.messages.length, 1);
  slack.onCall(undefined);
  const second = await startDesk(context, path, [channel]);
  await until(() => slack.calls.includes('conversations.history'));
  await append(second, news({ version: 2, count: 7 }));
  await until(() => slack.messages[0]?.edits.length === 1);
  await kill(second);
  const third = await startDesk(context, path, [channel]);
  await append(third, news({ version: 3, severity: 'critical' }));
  await until(() => slack.messages.length === 2);
  assert.equal(
    slack.messages[1]?.thread,
    slack.messages[0]?.ts,
    'the escalation is the only other message, in its thread',
  );
  // A change that was made and not yet written down is made again, with the same words.
  assert.equal(new Set(slack.messages[0]?.edits).size, 2);
});

test('a channel that is away holds back only itself, and gets what it missed when it is back', async (context) => {
  let isBack = false;
  const away = await startReceiver(context, (response) => answer(isBack ? 200 : 503)(response));
  const there = await startReceiver(context, answer(200));
  const of = (name: string, url: string) => ({
    name,
    kind: 'slack',
    url: `${url}/services/T0/B0/s3cret`,
    groupWaitMs: 0,
  });
  const child = await startDesk(context, aFolder(context), [of('away', away.url), of('there', there.url)]);
  for (const i of [1, 2, 3]) await append(child, news({ incident_id: `inc_${i}`, finding_id: `fnd_${i}` }));
  await until(() => there.received.length === 3 && away.received.length > 0);
  isBack = true;
  const refused = away.received.length;
  await until(() => away.received.length >= refused + 3);
  const incidents = away.received.slice(-3).map(({ body }) => /Incident: (inc_\d)/.exec(body)?.[1]);
  assert.deepEqual(incidents.sort(), ['inc_1', 'inc_2', 'inc_3']);
});

test('decisions stand in the message of their incident, shadow ones as what would have been done; the guardrail calls a person itself', async (context) => {
  const { url, received } = await startReceiver(context, answer(200));
  const channel = { name: 'soc', kind: 'slack', url: `${url}/x`, groupWaitMs: 1000 };
  const child = await startDesk(context, aFolder(context), [channel]);
  await append(child, aDecision({ decision_id: 'dec_1', action: 'revoke-session', mode: 'shadow' }));
  await append(child, aDecision({ decision_id: 'dec_2', action: 'step-up' }));
  await append(child, news());
  const trip = { decision_id: 'dec_3', incident_id: 'inc_9', rule: 'guardrail', action: 'notify' } as const;
  await append(child, aDecision({ ...trip, why: 'Automatic revocations reached their cap.' }));
  await append(child, aDecision({ ...trip, decision_id: 'dec_4', mode: 'shadow' }));
  await until(() => received.length === 2);
  const [finding, page] = received
    .map(({ body }) => body)
    .sort((a, b) => Number(b.includes('new context')) - Number(a.includes('new context')));
  assert.match(finding!, /Would have: revoke-session \(shadow mode, nothing was done/);
  assert.match(finding!, /Decided: step-up/);
  assert.match(page!, /CRITICAL: automatic revocations stopped: Automatic revocations reached their cap\./);
});
