import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import kafkajs, { type Admin } from 'kafkajs';
import { openKafkaLog } from '../../src/log/kafka.ts';
import type { Log } from '../../src/log/log.ts';
import { type ClickHouseServer, startClickHouse } from '../integration/clickhouse-server.ts';
import { type GaitProcess, startGait, waitFor } from '../integration/gait-process.ts';
import { startTestBroker, type TestBroker } from '../integration/kafka-broker.ts';

export const partitions = 4;

/** A broker and a ClickHouse that several runs share; each run has its own topics, group and database. */
export type World = {
  readonly folder: string;
  readonly broker: TestBroker;
  readonly clickhouse: ClickHouseServer;
  readonly log: Log;
  readonly admin: Admin;
  readonly close: () => Promise<void>;
};

export async function openWorld(): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'gait-crash-'));
  const broker = await startTestBroker();
  const clickhouse = await startClickHouse({ dir: join(folder, 'clickhouse'), port: 0 });
  const log = openKafkaLog({ brokers: [broker.address], clientId: 'gait-test' });
  const kafka = new kafkajs.Kafka({ brokers: [broker.address], logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  return {
    folder,
    broker,
    clickhouse,
    log,
    admin,
    close: async () => {
      await admin.disconnect();
      await log.close();
      await clickhouse.stop('SIGKILL');
      await broker.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Topics, group and database of one run. `events` may be another run's, to detect over the same again. */
export type Run = { readonly name: string; readonly events?: string; readonly roles?: readonly string[] };

export const eventsTopic = (name: string): string => `${name}.events`;

export function startMember(world: World, run: Run, member: number): GaitProcess {
  const { name, events = eventsTopic(name), roles = ['ingest', 'detect', 'serve', 'deliver'] } = run;
  const own = ['state', 'scores', 'findings', 'signals', 'receipts', 'alertReceipts', 'audit', 'deadLetter'] as const;
  const config = {
    dataDir: join(world.folder, `${name}-${member}`),
    roles,
    group: name,
    log: { kind: 'kafka', brokers: [world.broker.address], partitions },
    topics: { events, ...Object.fromEntries(own.map((topic) => [topic, `${name}.${topic}`])) },
    sources: [{ topic: `${name}.source`, format: 'canonical' }],
    ingest: { hmacKey: 'a key for tests only' },
    // More checkpoints than in life, so that a crash falls between any two things.
    // Half an hour of traffic lies there at once, in partitions that are read at their own pace: none of it is late.
    detect: { checkpointMs: 500, allowedLatenessMs: 3_600_000 },
    store: { kind: 'clickhouse', url: world.clickhouse.url, database: name },
    http: { port: 0 },
  };
  return startGait({ folder: world.folder, config, name: `${name}-${member}` });
}

/** Un-keyed, one record after the other to the next partition, as a gateway without a key does. */
export async function writeSource(world: World, name: string, records: readonly Buffer[]): Promise<void> {
  const topic = `${name}.source`;
  for (let from = 0; from < records.length; from += 5000) {
    const part = records.slice(from, from + 5000);
    await world.log.append(
      topic,
      part.map((value, i) => ({ value, partition: (from + i) % partitions })),
    );
  }
}

export async function countEvents({ clickhouse }: World, name: string): Promise<number> {
  const rows = await clickhouse.query<{ n: number }>(`SELECT count() AS n FROM ${name}.events_raw_v1`).catch(() => []);
  return rows[0]?.n ?? 0;
}

/** Records between a group's position and the end of its topic. */
async function lag({ admin }: World, group: string, topic: string): Promise<number> {
  const ends = await admin.fetchTopicOffsets(topic);
  const [at] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
  const position = new Map(at?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
  return ends.reduce((sum, { partition, high, low }) => {
    const from = Math.max(position.get(partition) ?? -1, Number(low));
    return sum + Number(high) - from;
  }, 0);
}

/** Whether the run has read all events and its shards have checkpointed them, wherever they are stored. */
export async function allJudged(world: World, name: string, events: number): Promise<boolean> {
  const source = `${name}.source`;
  const ends = await world.admin.fetchTopicOffsets(source);
  if (ends.reduce((sum, { high }) => sum + Number(high), 0) < events) return false;
  if ((await lag(world, `${name}-ingest-earliest`, source)) > 0) return false;
  return (await lag(world, `${name}-detect`, eventsTopic(name))) === 0;
}

/** All events are stored, and whatever the shards have put out has reached the store. */
export async function settle(
  world: World,
  run: Run,
  of: { readonly events: number; readonly alive: readonly GaitProcess[]; readonly withinMs: number },
): Promise<void> {
  const { name } = run;
  const { alive, withinMs } = of;
  const options = { alive, withinMs, everyMs: 250 };
  await waitFor(
    `${of.events} events of ${name} are stored`,
    async () => (await countEvents(world, name)) >= of.events,
    {
      ...options,
    },
  );
  const topics = { scores: 'scores', findings: 'findings', signals: 'signals', deadLetters: 'deadLetter' };
  for (const [reader, topic] of Object.entries(topics)) {
    const group = `${name}-store-${reader}`;
    await waitFor(
      `${group} has read everything`,
      async () => (await lag(world, group, `${name}.${topic}`)) === 0,
      options,
    );
  }
}
