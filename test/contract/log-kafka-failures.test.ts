import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { inspect } from 'node:util';
import kafkajs from 'kafkajs';
import type { GaitError } from '../../src/core/errors.ts';
import { sleep } from '../../src/core/sleep.ts';
import { openKafkaLog } from '../../src/log/kafka.ts';
import type { Log, ShardContext } from '../../src/log/log.ts';
import { kafkaSkipReason, startTestBroker, type TestBroker } from '../integration/kafka-broker.ts';
import { countingShard, uniqueName, until } from './log-kit.ts';

const kafkaModule = new URL('../../src/log/kafka.js', import.meta.url).href;
/** A log of this test's own would wait for ever on a hidden fault; with these the broker speaks of a lost member after 1.5 s. */
const sessionTimeoutMs = 1500;

describe('kafka log: when things break', { skip: await kafkaSkipReason(), timeout: 120_000 }, () => {
  let broker: TestBroker;
  let log: Log;
  before(async () => {
    broker = await startTestBroker();
    log = openKafkaLog({ brokers: [broker.address], clientId: 'gait-test', sessionTimeoutMs });
  });
  after(async () => {
    await log.close();
    await broker.remove();
  });
  const makeTopics = async (...names: string[]): Promise<void> =>
    log.ensureTopics(names.map((name) => ({ name, partitions: 2, cleanup: 'delete' })));

  test('a broker that is killed and started again loses nothing and doubles nothing', async () => {
    const [topic, stateTopic] = [uniqueName('in'), uniqueName('state')];
    await makeTopics(topic, stateTopic);
    const seen = { batches: 0, states: new Map<number, Map<string, number>>() };
    const open = (context: ShardContext) => countingShard(context, seen);
    const shards = await log.consumeShards({ group: uniqueName('shards'), topic, stateTopic, idleMs: 50, open });
    const stored = new Map<string, number>();
    const store = await log.consume({
      group: uniqueName('store'),
      topics: [topic],
      from: 'earliest',
      onBatch: async ({ records, partition }) => {
        for (const { value, offset } of records) {
          const place = partition * 1e9 + offset;
          // A second reading of the same place is allowed, the same record in two places is not.
          assert.equal(stored.get(String(value)) ?? place, place);
          stored.set(String(value), place);
        }
      },
    });
    const total = 1000;
    const writing = (async () => {
      for (let i = 0; i < total; i += 5) {
        await log.append(
          topic,
          Array.from({ length: 5 }, (_, k) => ({ value: `r${i + k}`, partition: (i + k) % 2 })),
        );
      }
    })();
    await until('some were counted and stored', () => seen.batches > 5 && stored.size > 20);
    await broker.kill('SIGKILL');
    await sleep(500);
    await broker.restart();
    await writing;
    const counted = (): number => [...seen.states.values()].reduce((sum, counts) => sum + counts.size, 0);
    await until(`all counted and stored`, () => counted() === total && stored.size === total, 60_000);
    await Promise.all([shards.close(), store.close()]);
    for (const counts of seen.states.values()) for (const count of counts.values()) assert.equal(count, 1);
  });

  test('a process that slept through a takeover is fenced off by the broker', async () => {
    const [topic, stateTopic, group] = [uniqueName('in'), uniqueName('state'), uniqueName('group')];
    await makeTopics(topic, stateTopic);
    await log.append(topic, [{ value: 'x', partition: 0 }]);
    // It stands still inside its handler, so that nothing has told it of the takeover when it writes.
    const code = `import { openKafkaLog } from ${JSON.stringify(kafkaModule)};
      const log = openKafkaLog({ brokers: [${JSON.stringify(broker.address)}], clientId: 'zombie', sessionTimeoutMs: ${sessionTimeoutMs} });
      await log.consumeShards({ group: ${JSON.stringify(group)}, topic: ${JSON.stringify(topic)}, stateTopic: ${JSON.stringify(stateTopic)}, idleMs: 10000, open: (context) => ({
        restore() {}, restored() {}, onIdle: async () => {}, close: async () => {},
        onBatch: async () => {
          console.log('handling');
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
          await context.checkpoint({ records: [Buffer.from('zombie')], position: 1, full: true }).then(() => console.log('WRITTEN'), (error) => console.log(error.code, error.cause === undefined));
        },
      }) });`;
    const zombie = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const printed: string[] = [];
    createInterface({ input: zombie.stdout }).on('line', (line) => printed.push(line));
    const restored: string[] = [];
    let handled = 0;
    try {
      await until('the first owner handles', () => printed.includes('handling'));
      zombie.kill('SIGSTOP');
      const open = (context: ShardContext) => ({
        restore: (records: readonly Buffer[]) => void restored.push(...records.map(String)),
        restored: () => {},
        onBatch: async () => {
          await context.checkpoint({ records: [Buffer.from('heir')], position: 1, full: false });
          handled++;
        },
        onIdle: async () => {},
        close: async () => {},
      });
      const options = { group, topic, stateTopic, idleMs: 10_000, open };
      const heir = await log.consumeShards(options);
      await until('the second owner handles the same record', () => handled === 1);
      zombie.kill('SIGCONT');
      await until('the first owner tried to write', () => printed.length > 1);
      await heir.close();
      // A cause shows that the broker refused it, not the process itself.
      assert.equal(printed[1], 'LOG_FENCED false');
    } finally {
      zombie.kill('SIGKILL');
    }
    const again = await log.consumeShards({
      group,
      topic,
      stateTopic,
      idleMs: 10_000,
      open: () => ({
        restore: (records) => void restored.push(...records.map(String)),
        restored: () => void restored.push('end'),
        onBatch: async () => {},
        onIdle: async () => {},
        close: async () => {},
      }),
    });
    await until('restored', () => restored.filter((text) => text === 'end').length === 2);
    await again.close();
    assert.ok(restored.includes('heir') && !restored.includes('zombie'));
  });

  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd', 'uncompressed']) {
    test(`records that Kafka itself stored as ${codec} are read`, async () => {
      const topic = uniqueName(codec);
      // With its own compression.type a broker compresses anew what it is sent, with the codecs of Kafka's Java clients.
      const admin = new kafkajs.Kafka({ brokers: [broker.address], logLevel: kafkajs.logLevel.NOTHING }).admin();
      await admin.connect();
      await admin.createTopics({
        topics: [{ topic, numPartitions: 1, configEntries: [{ name: 'compression.type', value: codec }] }],
      });
      await admin.disconnect();
      const lines = Array.from({ length: 300 }, (_, i) => `${codec} line ${i} ${'abc'.repeat(i)}`);
      await log.append(
        topic,
        lines.map((value) => ({ value })),
      );
      const read: string[] = [];
      const tail = await log.tail({
        topic,
        from: 'earliest',
        onRecords: (records) => void read.push(...records.map(({ value }) => String(value))),
      });
      await tail.caughtUp;
      await tail.close();
      assert.deepEqual(read, lines);
    });
  }

  test('an append waits while no broker answers, says so, and ends with the log', async () => {
    const troubles: GaitError[] = [];
    const away = openKafkaLog({
      brokers: ['127.0.0.1:1'],
      clientId: 'gait-test',
      onTrouble: (error) => troubles.push(error),
    });
    const outcome = away.append('t', [{ key: 'k', value: 'x' }]).catch((error: unknown) => error);
    await until('trouble is told', () => troubles.length > 0);
    assert.equal(troubles[0]!.code, 'LOG_UNAVAILABLE');
    await away.close();
    assert.equal(((await outcome) as GaitError).code, 'LOG_UNAVAILABLE');
  });

  test('no error holds the password', async () => {
    const errors: unknown[] = [];
    const sasl = { mechanism: 'plain', username: 'user', password: 'hunter2-secret' } as const;
    const refused = openKafkaLog({
      brokers: [broker.address],
      clientId: 'gait-test',
      sasl,
      onTrouble: (error) => errors.push(error),
    });
    refused
      .ensureTopics([{ name: 'x', partitions: 1, cleanup: 'delete' }])
      .catch((error: unknown) => errors.push(error));
    await until('it failed', () => errors.length > 0);
    await refused.close();
    assert.ok(!inspect(errors, { depth: 20, showHidden: true }).includes(sasl.password));
  });
});
