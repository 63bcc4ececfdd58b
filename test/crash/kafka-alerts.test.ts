import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import type { Finding } from '../../src/finding/finding.ts';
import { startSlack } from '../alert/services.ts';
import { waitFor } from '../integration/gait-process.ts';
import { kafkaSkipReason, startTestBroker, type TestBroker } from '../integration/kafka-broker.ts';
import { aFinding } from '../policy/a-finding.ts';

const now = systemClock.now();
const news = (fields: Parameters<typeof aFinding>[0] = {}): Finding =>
  aFinding({ incident_id: 'inc_1', first_seen: now, last_seen: now, ...fields });

describe('alerts of several processes on Kafka', { skip: await kafkaSkipReason(), timeout: 180_000 }, () => {
  let broker: TestBroker;
  before(async () => {
    broker = await startTestBroker();
  });
  after(() => broker.remove());

  test('one process tells; when it is killed while Slack has the message, the other goes on with it and repeats nothing', async (context) => {
    const slack = await startSlack(context);
    const channel = { name: 'soc', kind: 'slack-bot', token: 'xoxb-test', channel: 'C012AB3CD', apiUrl: slack.apiUrl };
    const channels = [{ ...channel, groupWaitMs: 0, groupIntervalMs: 1000 }];
    const config = JSON.stringify({ alerts: { channels }, log: { kind: 'kafka', brokers: [broker.address] } });
    const start = async (): Promise<ChildProcess> => {
      const child = fork(join(import.meta.dirname, '../role/desk-process.js'), ['', config], { stdio: 'inherit' });
      context.after(() => child.kill('SIGKILL'));
      await once(child, 'message');
      return child;
    };
    const members = new Set([await start(), await start()]);
    const tell = async (finding: Finding): Promise<void> => {
      const [member] = members;
      member?.send({ topic: 'findings', record: finding });
      await once(member!, 'message');
    };
    await tell(news());
    await waitFor('the first message', () => slack.messages.length === 1, { withinMs: 60_000 });
    await tell(news({ version: 2, count: 5 }));
    await waitFor('its update', () => slack.messages[0]?.edits.length === 1, { withinMs: 60_000 });

    // The process that sends does not know that it was taken; which one it is nobody else knows, so both end and one begins anew.
    slack.onCall((method) => {
      if (method !== 'chat.postMessage') return undefined;
      for (const member of members) member.kill('SIGKILL');
      return 'drop';
    });
    const [sender] = members;
    sender?.send({ topic: 'findings', record: news({ incident_id: 'inc_2', finding_id: 'fnd_2' }) });
    await Promise.all(
      [...members].map((member) => member.exitCode === null && member.signalCode === null && once(member, 'exit')),
    );
    members.clear();
    slack.onCall(undefined);
    assert.equal(slack.messages.length, 2);
    members.add(await start());
    members.add(await start());
    await tell(news({ incident_id: 'inc_2', finding_id: 'fnd_2', version: 2, count: 9 }));
    await waitFor('the update of the second', () => slack.messages[1]?.edits.length === 1, { withinMs: 60_000 });
    await tell(news({ version: 3, count: 9 }));
    await waitFor('the update of the first', () => slack.messages[0]?.edits.length === 2, { withinMs: 60_000 });
    assert.equal(slack.messages.length, 2, 'nothing was told twice');
  });
});
