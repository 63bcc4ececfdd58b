import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import type { AlertRecord } from '../../src/alert/alert-record.ts';
import { Board } from '../../src/alert/board.ts';
import type { AlertChannel } from '../../src/alert/channel.ts';
import { type AlertReceipt, createDesk } from '../../src/alert/desk.ts';
import { createPagerDuty } from '../../src/alert/pager-duty.ts';
import { createSlackWebhook } from '../../src/alert/slack.ts';
import { createSlackBot } from '../../src/alert/slack-bot.ts';
import { createTeams } from '../../src/alert/teams.ts';
import { createAlertWebhook } from '../../src/alert/webhook.ts';
import { systemClock } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import { createHttpPost } from '../../src/signal/http-post.ts';
import { createSigner } from '../../src/signal/webhook.ts';
import { start } from '../policy/a-finding.ts';
import { answer, startReceiver } from '../signal/receiver.ts';
import { anIncident, decisionRecord, findingRecord, messageFull } from './an-incident.ts';
import { attackerTexts } from './attacker-texts.ts';
import { startSlack } from './services.ts';

const minute = 60_000;

/** A desk on a log that is an array: what it saved is what the next one restores. */
function aDesk(channel: AlertChannel, time: { now: number }, saved: Buffer[] = []) {
  const receipts: AlertReceipt[] = [];
  const troubles: string[] = [];
  const wanted = {
    severityMin: 'medium',
    findingsMin: 1,
    groupWaitMs: 0,
    groupIntervalMs: minute,
    staleAfterMs: 1440 * minute,
  } as const;
  const board = new Board({
    ...wanted,
    tells: channel.tells,
    rate: undefined,
    isQuiet: () => false,
    breakThrough: 'low',
  });
  const clock = { now: () => time.now };
  const desk = createDesk(
    {
      channel,
      board,
      clock,
      template: undefined,
      random: seededRandom(1),
      signal: new AbortController().signal,
      onTrouble: (detail) => troubles.push(detail),
      onReceipts: async (some) => void receipts.push(...some),
    },
    async ({ records, full }) => {
      if (full) saved.length = 0;
      saved.push(...records);
    },
  );
  desk.restore(saved);
  desk.restored(0);
  let offset = 0;
  const send = (...records: readonly AlertRecord[]) =>
    desk.onBatch({
      records: records.map((record) => ({ offset: offset++, value: Buffer.from(JSON.stringify(record)) })),
    });
  return { send, idle: desk.onIdle, receipts, troubles, saved };
}

function slackBot(slack: Awaited<ReturnType<typeof startSlack>>, hasButtons = false) {
  const post = createHttpPost({ clock: { now: () => start }, timeoutMs: 2000 });
  return createSlackBot({
    name: 'soc',
    token: 'xoxb-test',
    channel: 'C012AB3CD',
    apiUrl: slack.apiUrl,
    hasButtons,
    post,
  });
}

test('Slack bot: an incident is one message that changes in place; an escalation is a line in its thread as well', async (context) => {
  const slack = await startSlack(context);
  const time = { now: start };
  const { send, idle, receipts } = aDesk(slackBot(slack, true), time);
  await send(findingRecord({ severity: 'medium' }), decisionRecord({ mode: 'shadow' }));
  time.now += 2 * minute;
  await send(findingRecord({ severity: 'medium', version: 2, count: 7 }));
  time.now += 2 * minute;
  await send(findingRecord({ severity: 'critical', version: 3, count: 8 }));
  await idle();
  assert.deepEqual(slack.calls, ['chat.postMessage', 'chat.update', 'chat.update', 'chat.postMessage']);
  const [message, line] = slack.messages;
  assert.deepEqual([slack.messages.length, message?.edits.length, line?.thread], [2, 2, message?.ts]);
  assert.match(message!.text, /^CRITICAL: new context \(was medium\)/);
  const texts = JSON.stringify(message!.blocks);
  assert.match(texts, /Would have: throttle/);
  assert.match(texts, /gait_verdict_false-positive/);
  assert.match(texts, /Events: 8/);
  assert.deepEqual(
    receipts.map(({ state, severity }) => [state, severity]),
    [
      ['delivered', 'medium'],
      ['delivered', 'medium'],
      ['delivered', 'critical'],
    ],
  );
});

test('Slack bot: ok:false is a failure that is tried again and named without the token; 429 waits as long as it says', async (context) => {
  const slack = await startSlack(context);
  slack.troubles.push(
    { status: 200, body: '{"ok":false,"error":"channel_not_found"}' },
    { status: 429, headers: { 'retry-after': '30' } },
    { status: 503 },
  );
  const time = { now: start };
  const { send, idle, receipts, troubles } = aDesk(slackBot(slack), time);
  await send(findingRecord());
  for (const seconds of [20, 20, 29, 2, 300]) {
    time.now += seconds * 1000;
    await idle();
  }
  assert.deepEqual(troubles, ['chat.postMessage: channel_not_found', 'HTTP 429', 'HTTP 503']);
  assert.equal(slack.messages.length, 1);
  assert.deepEqual(
    receipts.map(({ state, attempts }) => [state, attempts]),
    [['delivered', 4]],
  );
});

test('Slack bot: an answer that was lost brings no second message, and a message that somebody removed is posted anew when it gets worse', async (context) => {
  const slack = await startSlack(context);
  slack.onCall((method) => (method === 'chat.postMessage' && slack.messages.length === 1 ? 'drop' : undefined));
  const time = { now: start };
  const { send, idle, receipts } = aDesk(slackBot(slack), time);
  await send(findingRecord());
  time.now += minute;
  await idle();
  assert.deepEqual(slack.calls, ['chat.postMessage', 'conversations.history']);
  assert.deepEqual([slack.messages.length, receipts[0]?.detail], [1, 'had arrived before']);
  slack.onCall(undefined);
  slack.messages.length = 0;
  time.now += minute;
  await send(findingRecord({ severity: 'critical', version: 2 }));
  assert.deepEqual(
    slack.messages.map(({ text }) => text.split(':')[0]),
    ['CRITICAL'],
  );
});

test('Slack bot: a process that died after Slack took the message finds it again, and does not repeat it', async (context) => {
  const slack = await startSlack(context);
  const time = { now: start };
  const saved: Buffer[] = [];
  const first = aDesk(slackBot(slack), time, saved);
  let atSending: Buffer[] = [];
  slack.onCall(() => {
    // All that the log holds at this moment is all that a killed process leaves behind.
    atSending = [...saved];
    return undefined;
  });
  await first.send(findingRecord());
  slack.onCall(undefined);
  const second = aDesk(slackBot(slack), time, atSending);
  await second.idle();
  assert.deepEqual([slack.messages.length, second.receipts[0]?.detail], [1, 'had arrived before']);
  time.now += 2 * minute;
  await second.send(findingRecord({ version: 2, count: 4 }));
  assert.deepEqual(
    [slack.messages.length, slack.messages[0]?.edits.length],
    [1, 1],
    'it knows where its message stands',
  );
});

test('Slack bot: what changed while nobody knew whether the message had arrived is told as soon as it was found', async (context) => {
  const slack = await startSlack(context);
  const time = { now: start };
  slack.onCall(() => 'drop');
  const { send, idle } = aDesk(slackBot(slack), time);
  await send(findingRecord({ severity: 'medium' }));
  slack.onCall(undefined);
  // Within the pause before the next try.
  await send(findingRecord({ severity: 'critical', version: 2, count: 9 }));
  for (let i = 0; i < 3; i++) {
    time.now += minute;
    await idle();
  }
  assert.deepEqual(slack.calls, ['chat.postMessage', 'conversations.history', 'chat.update', 'chat.postMessage']);
  assert.match(slack.messages[0]!.text, /^CRITICAL: new context \(was medium\)/);
  assert.equal(slack.messages[1]?.thread, slack.messages[0]?.ts);
});

function withPost(create: (post: ReturnType<typeof createHttpPost>) => AlertChannel) {
  return create(createHttpPost({ clock: { now: () => start }, timeoutMs: 2000 }));
}

test('PagerDuty: one incident is triggered, escalated, acknowledged by a verdict and resolved, under one key', async (context) => {
  const taken = answer(202, {}, '{"status":"success","message":"Event processed","dedup_key":"inc_1"}');
  const { url, received } = await startReceiver(context, taken);
  const time = { now: start };
  const routingKey = 'R0123456789ABCDEF0123456789ABCDE';
  const { send } = aDesk(
    withPost((post) => createPagerDuty({ name: 'pd', routingKey, url: `${url}/v2/enqueue`, post })),
    time,
  );
  await send(findingRecord());
  time.now += minute;
  await send(findingRecord({ version: 2, count: 5 }));
  await send(findingRecord({ version: 3, severity: 'critical' }));
  time.now += minute;
  await send({
    kind: 'verdict',
    verdict: { incident_id: 'inc_1', verdict: 'true-positive', by: 'alice', at: time.now },
  });
  time.now += minute;
  await send(findingRecord({ version: 4, severity: 'critical', state: 'closed' }));
  const events = received.map(
    ({ body }) =>
      JSON.parse(body) as {
        routing_key: string;
        dedup_key: string;
        event_action: string;
        payload?: { severity: string };
      },
  );
  assert.deepEqual(
    events.map(({ event_action, payload }) => [event_action, payload?.severity]),
    [
      ['trigger', 'error'],
      ['trigger', 'critical'],
      ['acknowledge', undefined],
      ['resolve', undefined],
    ],
  );
  assert.deepEqual(new Set(events.map(({ dedup_key }) => dedup_key)), new Set(['inc_1']));
  assert.ok(events.every(({ routing_key }) => routing_key === routingKey));
});

test('PagerDuty: texts of an attacker are spelled out and within its limits', async (context) => {
  const { url, received } = await startReceiver(context, answer(202));
  const channel = withPost((post) => createPagerDuty({ name: 'pd', routingKey: 'R', url, post }));
  for (const text of attackerTexts) {
    const incident = anIncident(findingRecord());
    await channel.send(
      { errand: { kind: 'post', id: 'inc_1:1', incident }, message: messageFull(text), isRepeat: false },
      new AbortController().signal,
    );
    const { dedup_key, payload } = JSON.parse(received.at(-1)!.body) as {
      dedup_key: string;
      payload: { summary: string; source: string; custom_details: object };
    };
    assert.equal(dedup_key, 'inc_1');
    assert.ok(payload.summary.length <= 1024 && payload.source.length > 0);
    assert.ok(received.at(-1)!.body.length < 512 * 1024);
    assert.doesNotMatch(
      `${payload.summary}${payload.source}${Object.values(payload.custom_details).flat().join('')}`,
      /\p{C}/u,
    );
  }
});

test('an address or a key that is refused is tried until an operator has put it right; a message that is refused is given up', async (context) => {
  const { url, received } = await startReceiver(context, answer(403, {}, 'no /s3cret'), answer(404), answer(202));
  const time = { now: start };
  const { send, idle, receipts, troubles } = aDesk(
    withPost((post) => createTeams({ name: 'teams', url: `${url}/s3cret`, post })),
    time,
  );
  await send(findingRecord());
  for (let i = 0; i < 3; i++) {
    time.now += 6 * minute;
    await idle();
  }
  assert.equal(received.length, 3);
  assert.deepEqual(
    receipts.map(({ state, attempts }) => [state, attempts]),
    [['delivered', 3]],
  );
  assert.doesNotMatch(JSON.stringify(troubles), /s3cret/);
  const refusing = await startReceiver(context, answer(400, {}, 'invalid_payload'));
  const other = aDesk(
    withPost((post) => createSlackWebhook({ name: 'slack', url: refusing.url, post })),
    time,
  );
  await other.send(findingRecord());
  time.now += minute;
  await other.idle();
  assert.deepEqual([refusing.received.length, other.receipts[0]?.state], [1, 'rejected']);
});

test('webhook: every change is signed as in Standard Webhooks, with an id of its own that outlives retries', async (context) => {
  const secret = `whsec_${Buffer.from('a secret for the alert test').toString('base64')}`;
  const { url, received } = await startReceiver(context, answer(500), answer(204));
  const time = { now: start };
  const sign = createSigner('siem', [secret]);
  const channel = withPost((post) =>
    createAlertWebhook({ name: 'siem', url, allowInsecure: false, sign, post, now: systemClock.now }),
  );
  const { send, idle } = aDesk(channel, time);
  await send(findingRecord(), decisionRecord({ mode: 'shadow' }));
  time.now += minute;
  await idle();
  time.now += minute;
  await send(findingRecord({ version: 2, state: 'closed' }));
  assert.deepEqual(
    received.map(({ headers }) => headers['webhook-id']),
    ['inc_1:1', 'inc_1:1', 'inc_1:2'],
  );
  const bodies = received.map(({ body, headers }) =>
    new Webhook(secret).verify(body, headers as Record<string, string>),
  ) as {
    type: string;
    data: { status: string; findings: { finding_id: string; state: string }[]; decisions: { mode: string }[] };
  }[];
  assert.deepEqual(
    bodies.map(({ type, data }) => [type, data.status, data.findings[0]?.state, data.decisions[0]?.mode]),
    [
      ['gait.incident.v1', 'open', 'open', 'shadow'],
      ['gait.incident.v1', 'open', 'open', 'shadow'],
      ['gait.incident.v1', 'closed', 'closed', 'shadow'],
    ],
  );
});

test('records that are none of ours are passed over', async (context: TestContext) => {
  const { url, received } = await startReceiver(context);
  const { send } = aDesk(
    withPost((post) => createSlackWebhook({ name: 'slack', url, post })),
    { now: start },
  );
  const finding = findingRecord();
  assert.ok(finding.kind === 'finding');
  const partial = [{ reasons: null }, { kind: 7 }, { last_seen: 1e300 }, { severity: 'dire' }, { version: 'x' }];
  const bad: unknown[] = [
    null,
    1,
    {},
    { kind: 'finding' },
    { kind: 'page', page: {} },
    { kind: 'verdict', verdict: null },
  ];
  bad.push(...partial.map((part) => ({ kind: 'finding', finding: { ...finding.finding, ...part } })));
  await send(...(bad as AlertRecord[]));
  assert.equal(received.length, 0);
});
