import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { LiveMessage } from '../../src/http/page-parts.ts';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import { runLive } from '../../src/role/live.ts';

const topics = { findings: 'findings', signals: 'signals' };
const finding = (n: number, count = 1) => ({
  finding_id: `fnd_${n}`,
  first_seen: 0,
  last_seen: 1000 * count,
  count,
  reasons: [1],
  event_ids: ['e'],
  shard: 0,
});

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function started(t: TestContext, everyMs = 20) {
  const folder = await mkdtemp(join(tmpdir(), 'gait-live-'));
  const log = await openEmbeddedLog({ path: folder, onTrouble: () => {} });
  await log.ensureTopics([
    { name: topics.findings, partitions: 1, cleanup: 'delete' },
    { name: topics.signals, partitions: 1, cleanup: 'compact' },
  ]);
  const stop = new AbortController();
  const trouble: string[] = [];
  const overview = async () => ({ identities: 3 });
  const options = { log, topics, overview, onTrouble: (reason: string) => trouble.push(reason), everyMs };
  const { live, consumptions } = await runLive({ ...options, overviewEveryMs: everyMs }, stop.signal);
  t.after(async () => {
    stop.abort();
    for (const { close } of consumptions) await close();
    await log.close();
    await rm(folder, { recursive: true, force: true });
  });
  const listen = (lastId?: string) => {
    const got: LiveMessage[] = [];
    const state = { got, news: () => got.filter(({ event }) => event !== 'overview'), isEnded: false };
    live.listen(lastId, { tell: (message) => got.push(message), end: () => (state.isEnded = true) });
    return state;
  };
  const say = (...rows: object[]) =>
    log.append(
      topics.findings,
      rows.map((row) => ({ value: JSON.stringify(row) })),
    );
  return { log, listen, say, stop, trouble };
}

test('a finding that changes often is told once, as it is then, with times that people read', async (t) => {
  const { listen, say } = await started(t, 200);
  const client = listen();
  await say(finding(1), finding(2), finding(1, 2), finding(1, 3));
  await until(() => client.news().length >= 2);
  const rows = client.news().map(({ data }) => JSON.parse(data) as Record<string, unknown>);
  assert.deepEqual(
    rows.map(({ finding_id, count }) => [finding_id, count]),
    [
      ['fnd_1', 3],
      ['fnd_2', 1],
    ],
  );
  assert.deepEqual(rows[1], {
    finding_id: 'fnd_2',
    first_seen: '1970-01-01T00:00:00.000Z',
    last_seen: '1970-01-01T00:00:01.000Z',
    count: 1,
  });
});

test('whoever comes back hears what was missed, and is told to read anew when nobody knows what that was', async (t) => {
  const { listen, say } = await started(t);
  const first = listen();
  await say(finding(1));
  await until(() => first.news().length === 1);
  await say(finding(2));
  await until(() => first.news().length === 2);
  const [one, two] = first.news();
  assert.deepEqual(listen(one!.id).news(), [two]);
  assert.deepEqual(listen(two!.id).news(), []);
  assert.deepEqual(listen().news(), []);
  assert.deepEqual(
    listen('another-run')
      .news()
      .map(({ event }) => event),
    ['reset'],
  );
});

test('a flood is one word to read anew', async (t) => {
  const { listen, say } = await started(t, 300);
  const client = listen();
  await say(...Array.from({ length: 1000 }, (_, n) => finding(n)));
  await until(() => client.news().length > 0);
  assert.deepEqual(
    client.news().map(({ event }) => event),
    ['reset'],
  );
});

test('decisions and the overview are told, a broken record is passed over, and all hear the end', async (t) => {
  const { log, listen, say, stop, trouble } = await started(t);
  const client = listen();
  const times = { made_at: 0, updated_at: 0, expires_at: 0, issued_before: null };
  await log.append(topics.findings, [{ value: '{' }]);
  await say(finding(1));
  await log.append(topics.signals, [{ key: 'd', value: JSON.stringify({ decision_id: 'dec_1', ...times }) }]);
  await until(() => client.news().length === 2 && client.got.some(({ event }) => event === 'overview'));
  assert.deepEqual(new Set(client.news().map(({ event }) => event)), new Set(['finding', 'decision']));
  const told = client.got.find(({ event }) => event === 'overview');
  assert.deepEqual([told?.id, told?.data], [undefined, '{"identities":3}']);
  assert.equal(trouble.length, 1);
  stop.abort();
  assert.ok(client.isEnded);
});
