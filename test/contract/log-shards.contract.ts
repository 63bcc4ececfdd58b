import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GaitError } from '../../src/core/errors.ts';
import { sleep } from '../../src/core/sleep.ts';
import type { Log, ShardContext, ShardHandler } from '../../src/log/log.ts';
import { countingShard, gate, type LogHarness, texts, uniqueName, until } from './log-kit.ts';

export type ShardSuite = {
  readonly harness: LogHarness;
  readonly current: () => Log;
  readonly reopened: () => Promise<Log>;
  readonly makeShardTopics: (partitions?: number) => Promise<{ readonly topic: string; readonly stateTopic: string }>;
};

export function describeShards({ harness, current, reopened, makeShardTopics }: ShardSuite): void {
  test('a shard is restored from its checkpoints in order, the newest full one first, and reads on from its position', async () => {
    const topics = await makeShardTopics();
    const group = uniqueName('group');
    const lives: { restored: string[]; position: number | undefined; read: string[] }[] = [];
    const open = (context: ShardContext): ShardHandler => {
      const life: (typeof lives)[number] = { restored: [], position: undefined, read: [] };
      const mine = lives.length;
      lives.push(life);
      return {
        restore: (records) => void life.restored.push(...records.map(String)),
        restored: (position) => {
          life.position = position;
        },
        onBatch: async ({ records }) => {
          life.read.push(...texts(records));
          if (mine > 0) return;
          const position = records.at(-1)!.offset + 1;
          await context.checkpoint({ records: [Buffer.from('old')], position: 0, full: false });
          await context.checkpoint({
            records: [Buffer.from('full-1'), Buffer.from('full-2')],
            position: position - 1,
            full: true,
          });
          await context.checkpoint({ records: [Buffer.from('more')], position: position - 1, full: false });
        },
        onIdle: async () => {},
        close: async () => {},
      };
    };
    await current().append(
      topics.topic,
      ['a', 'b', 'c'].map((value) => ({ value, partition: 0 })),
    );
    const options = { ...topics, group, idleMs: 50, open };
    const one = await current().consumeShards(options);
    await until('first life reads', () => lives[0]?.read.length === 3);
    await one.close();
    const log = await reopened();
    const two = await log.consumeShards(options);
    await until('second life reads', () => (lives.at(-1)?.read.length ?? 0) > 0 && lives.length > 1);
    await two.close();
    assert.equal(lives[0]!.position, undefined);
    assert.deepEqual(lives[0]!.restored, []);
    assert.deepEqual(lives.at(-1), { restored: ['full-1', 'full-2', 'more'], position: 2, read: ['c'] });
  });

  test('a large full checkpoint is one transaction: it comes back whole', async () => {
    const topics = await makeShardTopics();
    const group = uniqueName('group');
    const piece = Buffer.alloc(512 * 1024, 'p');
    let written = false;
    let restored = 0;
    const options = {
      ...topics,
      group,
      idleMs: 20,
      open: (context: ShardContext): ShardHandler => ({
        restore: (records) => {
          for (const record of records) restored += record.equals(piece) ? 1 : 0;
        },
        restored: () => {},
        onBatch: async () => {},
        onIdle: async () => {
          if (!written)
            await context.checkpoint({ records: Array.from({ length: 40 }, () => piece), position: 0, full: true });
          written = true;
        },
        close: async () => {},
      }),
    };
    const one = await current().consumeShards(options);
    await until('written', () => written);
    await one.close();
    const two = await current().consumeShards(options);
    await until('restored', () => restored === 40);
    await two.close();
  });

  test('an owner that was taken over can no longer checkpoint', async () => {
    const topics = await makeShardTopics();
    const group = uniqueName('group');
    const log = current();
    const taken = gate();
    let outcome: unknown = 'none';
    let opened = 0;
    const open = (context: ShardContext): ShardHandler => {
      const first = opened++ === 0;
      return {
        restore: () => {},
        restored: () => {
          if (!first) taken.open();
        },
        onBatch: async () => {
          if (!first) return;
          await taken.opened;
          outcome = await context
            .checkpoint({ records: [Buffer.from('zombie')], position: 1, full: false })
            .catch((error: unknown) => error);
        },
        onIdle: async () => {},
        close: async () => {},
      };
    };
    const options = { ...topics, group, idleMs: 1000, open };
    const one = await log.consumeShards(options);
    await log.append(topics.topic, [{ value: 'x', partition: 0 }]);
    await until('the first owner has the shard', () => opened === 1);
    const second = await harness.beside(log);
    const two = await second.consumeShards(options);
    await until('the older owner tried', () => outcome !== 'none');
    await Promise.all([one.close(), two.close()]);
    if (second !== log) await second.close();
    assert.ok(outcome instanceof GaitError && outcome.code === 'LOG_FENCED', String(outcome));
  });

  test('a handler that fails in the middle of a batch starts again from the checkpoint: each record counts once', async () => {
    const topics = await makeShardTopics();
    const log = current();
    const seen = { batches: 0, states: new Map<number, Map<string, number>>() };
    let failures = 0;
    const open = (context: ShardContext): ShardHandler => {
      const shard = countingShard(context, seen);
      return {
        ...shard,
        onBatch: async (batch) => {
          await shard.onBatch(batch);
          if (failures < 3 && failures++ >= 0) throw new Error('half-way');
        },
      };
    };
    const consumption = await log.consumeShards({ ...topics, group: uniqueName('group'), idleMs: 30, open });
    for (let i = 0; i < 20; i++) await log.append(topics.topic, [{ value: `r${i}`, partition: 0 }]);
    await until('all counted', () => failures === 3 && seen.states.get(0)?.size === 20);
    await consumption.close();
    assert.ok([...seen.states.get(0)!.values()].every((count) => count === 1));
  });

  test('two instances that come and go count every record exactly once', { timeout: 120_000 }, async () => {
    const topics = await makeShardTopics(harness.partitions);
    const group = uniqueName('group');
    const log = current();
    const seen = { batches: 0, states: new Map<number, Map<string, number>>() };
    const options = { ...topics, group, idleMs: 30, open: (context: ShardContext) => countingShard(context, seen) };
    const total = 3000;
    const writing = (async () => {
      for (let i = 0; i < total; i += 10) {
        const ten = Array.from({ length: 10 }, (_, k) => ({
          value: `r${i + k}`,
          partition: (i + k) % harness.partitions,
        }));
        await log.append(topics.topic, ten);
        await sleep(5);
      }
    })();
    const first = await log.consumeShards(options);
    await until('the first instance counts', () => seen.batches > 5);
    const other = await harness.beside(log);
    const second = await other.consumeShards(options);
    await until('some more', () => seen.batches > 20);
    await first.close();
    await writing;
    const counted = (): number => [...seen.states.values()].reduce((sum, counts) => sum + counts.size, 0);
    const third = await log.consumeShards(options);
    await until('all counted', () => counted() === total);
    await Promise.all([second.close(), third.close()]);
    if (other !== log) await other.close();
    for (const counts of seen.states.values()) {
      for (const [record, count] of counts) assert.equal(count, 1, `${record} was counted ${count} times`);
    }
  });
}
