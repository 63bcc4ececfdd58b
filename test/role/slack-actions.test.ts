import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseConfig } from '../../src/config/config.ts';
import { systemClock } from '../../src/core/clock.ts';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import { readNotice } from '../../src/policy/notice.ts';
import { createAudit } from '../../src/role/audit.ts';
import { createTell } from '../../src/role/notices.ts';
import { createSlackActions } from '../../src/role/slack-actions.ts';
import { apiKey, ask, sampleParts, serve } from '../http/client.ts';

const secret = 'the signing secret of the app';

/** A served `/slack/actions` on a real log, behind API keys, as it stands on the internet. */
async function startDoor(context: TestContext, channel: object = {}) {
  const path = mkdtempSync(join(tmpdir(), 'gait-slack-'));
  const log = await openEmbeddedLog({ path });
  const bot = {
    name: 'soc',
    kind: 'slack-bot',
    token: 'xoxb-test',
    channel: 'C012AB3CD',
    signingSecret: secret,
    ...channel,
  };
  const parsed = parseConfig({ name: 'test', text: () => JSON.stringify({ alerts: { channels: [bot] } }) }, {});
  assert.ok(parsed.kind === 'ok');
  const { config } = parsed;
  const { events, audit: audits, alerts } = config.topics;
  await log.ensureTopics([events, audits, alerts].map((name) => ({ name, partitions: 1, cleanup: 'delete' }) as const));
  const written: Record<string, string[]> = { [events]: [], [audits]: [], [alerts]: [] };
  for (const topic of [events, audits, alerts]) {
    await log.tail({
      topic,
      from: 'earliest',
      onRecords: (records) => void written[topic]!.push(...records.map(({ value }) => String(value))),
    });
  }
  const clock = systemClock;
  const tell = await createTell({ log, topic: events });
  const slackAction = createSlackActions({
    config,
    log,
    clock,
    tell,
    audit: createAudit({ log, topic: audits, clock }),
  });
  const server = await serve(sampleParts({ slackAction }), { keys: [apiKey('k', 'admin')] });
  context.after(async () => {
    await server.close();
    await log.close();
    rmSync(path, { recursive: true, force: true });
  });
  const press = (user: string, options: { key?: string; ageSeconds?: number; identity?: string } = {}) => {
    const { key = secret, ageSeconds = 0, identity = 'user:acme:alice' } = options;
    const value = JSON.stringify({ incident: 'inc_1', identity, findings: ['fnd_1', 'fnd_2'] });
    const action = { action_id: 'gait_verdict_false-positive', action_ts: '1766000000.1', value };
    const payload = JSON.stringify({ type: 'block_actions', user: { id: user, username: 'ann' }, actions: [action] });
    const body = new URLSearchParams({ payload }).toString();
    const timestamp = String(Math.floor(systemClock.now() / 1000) - ageSeconds);
    const signature = `v0=${createHmac('sha256', key).update(`v0:${timestamp}:${body}`).digest('hex')}`;
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': String(Buffer.byteLength(body)),
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': signature,
    };
    return ask(server, '/slack/actions', { method: 'POST', body, headers });
  };
  const all = () => ({ events: written[events]!, audits: written[audits]!, alerts: written[alerts]! });
  return { server, press, all };
}

test('a verdict by a button is a notice for each finding, an audit entry and an update of the message', async (context) => {
  const { press, all } = await startDoor(context);
  assert.deepEqual([(await press('U012AB3CD')).status, (await press('U012AB3CD')).status], [200, 200]);
  const { events, audits, alerts } = all();
  const notices = events.map((text) => readNotice(Buffer.from(text)));
  assert.deepEqual(
    notices.map(
      (notice) => notice?.notice === 'verdict' && [notice.identity, notice.finding_id, notice.verdict, notice.by],
    ),
    ['fnd_1', 'fnd_2', 'fnd_1', 'fnd_2'].map((id) => ['user:acme:alice', id, 'false-positive', 'slack:U012AB3CD']),
  );
  assert.equal(new Set(notices.map((notice) => notice?.notice_id)).size, 2, 'the same press twice is one notice');
  const entry = JSON.parse(audits[0]!) as Record<string, string>;
  assert.deepEqual(
    [entry.who, entry.action, entry.about],
    ['slack:U012AB3CD', 'verdict.false-positive', 'user:acme:alice'],
  );
  assert.deepEqual(JSON.parse(alerts[0]!).verdict.incident_id, 'inc_1');
});

test('what Slack did not sign, signed long ago, or signed for somebody who may not, changes nothing', async (context) => {
  const { press, all, server } = await startDoor(context, { analysts: ['U99999999'] });
  const statuses = [
    (await press('U99999999', { key: 'another secret' })).status,
    (await press('U99999999', { ageSeconds: 400 })).status,
    (await press('U012AB3CD')).status,
    (await press('U99999999', { identity: 'nobody' })).status,
    (
      await ask(server, '/slack/actions', {
        method: 'POST',
        body: 'payload=%7B%7D',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '14' },
      })
    ).status,
    (
      await ask(server, '/slack/actions', {
        method: 'POST',
        body: 'x'.repeat(300_000),
        headers: { 'content-length': '300000' },
      })
    ).status,
  ];
  assert.deepEqual(statuses, [401, 401, 403, 200, 401, 413]);
  assert.deepEqual(all(), { events: [], audits: [], alerts: [] });
  assert.equal((await press('U99999999')).status, 200);
});

test('without a signing secret there is no such door', async (context) => {
  const { server } = await startDoor(context, { signingSecret: undefined });
  assert.equal((await ask(server, '/slack/actions', { method: 'POST', body: '' })).status, 404);
});
