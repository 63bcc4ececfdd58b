import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sleep } from '../../src/core/clock.ts';
import { GaitError } from '../../src/core/errors.ts';
import { type Log, type LogRecord, recordBytesMax, type ShardContext, type ShardHandler } from '../../src/log/log.ts';

/** What the suite needs of an implementation: a log, the same data opened again, and a second instance beside the first. */
export type LogHarness = {
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly open: () => Promise<Log>;
  /** Another instance on the same data that is preferred as an owner; the embedded log has only one, which then serves as both. */
  readonly beside: (first: Log) => Promise<Log>;
  readonly partitions: number;
  readonly skip: string | false;
};

export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) assert.fail(`not within ${withinMs} ms: ${what}`);
    await sleep(5);
  }
}

export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

const texts = (records: readonly LogRecord[]): string[] => records.map(({ value }) => String(value));
let names = 0;
export const uniqueName = (prefix: string): string => `${prefix}-${process.pid}-${names++}`;

/** A shard that adds up the numbers it reads, and how often it saw each; its state is what was checkpointed. */
export function countingShard(
  context: ShardContext,
  seen: { batches: number; states: Map<number, Map<string, number>> },
): ShardHandler {
  let counts = new Map<string, number>();
  let position = 0;
  let written = 0;
  const checkpoint = async (): Promise<void> => {
    const full = written++ % 4 === 3;
    // Increments would do as well; a whole map per record keeps the test readable, and only the newest counts.
    await context.checkpoint({ records: [Buffer.from(JSON.stringify([...counts]))], position, full });
  };
  return {
    restore: (records) => {
      for (const record of records) counts = new Map(JSON.parse(record.toString()) as [string, number][]);
    },
    restored: (from) => {
      position = from ?? 0;
      seen.states.set(context.partition, counts);
    },
    onBatch: async ({ records }) => {
      seen.batches++;
      for (const { value, offset } of records) {
        const text = String(value);
        counts.set(text, (counts.get(text) ?? 0) + 1);
        position = offset + 1;
      }
      if (seen.batches % 3 === 0) await checkpoint();
    },
    onIdle: checkpoint,
    close: async (how) => {
      if (how === 'closing') await checkpoint();
    },
  };
}

export function describeLogContract(name: string, harness: LogHarness): void {
  describe(`${name}: the contract of the log`, { skip: harness.skip, timeout: 150_000 }, () => {
    let log: Log;
    before(async () => {
      await harness.start();
      log = await harness.open();
    });
    after(async () => {
      await log.close();
      await harness.stop();
    });
    const makeTopic = async (cleanup: 'delete' | 'compact' = 'delete', partitions = 1): Promise<string> => {
      const topic = uniqueName('topic');
      await log.ensureTopics([{ name: topic, partitions, cleanup }]);
      return topic;
    };
    const makeShardTopics = async (
      partitions = 1,
    ): Promise<{ readonly topic: string; readonly stateTopic: string }> => ({
      topic: await makeTopic('delete', partitions),
      stateTopic: await makeTopic('delete', partitions),
    });

    test('what concurrent appends wrote is read in the order of the calls, with keys, values and offsets', async () => {
      const topic = await makeTopic();
      const calls = Array.from({ length: 50 }, (_, call) =>
        log.append(
          topic,
          [0, 1, 2].map((i) => ({ key: i === 2 ? null : `k${i}`, value: `${call}-${i}`, partition: 0 })),
        ),
      );
      await Promise.all(calls);
      const read: LogRecord[] = [];
      const consumption = await log.consume({
        group: uniqueName('group'),
        topics: [topic],
        from: 'earliest',
        onBatch: async (batch) => {
          assert.equal(batch.topic, topic);
          assert.ok(batch.end > batch.records.at(-1)!.offset);
          read.push(...batch.records);
        },
      });
      await until('all records read', () => read.length >= 150);
      await consumption.close();
      assert.deepEqual(
        texts(read),
        Array.from({ length: 150 }, (_, i) => `${Math.floor(i / 3)}-${i % 3}`),
      );
      assert.deepEqual(
        read.map(({ offset }) => offset),
        Array.from({ length: 150 }, (_, i) => i),
      );
      assert.deepEqual(
        read.slice(0, 3).map(({ key }) => key),
        ['k0', 'k1', null],
      );
    });

    test('a group goes on where it was after closing and opening the log', async () => {
      const topic = await makeTopic();
      const group = uniqueName('group');
      await log.append(topic, [{ value: 'a' }, { value: 'b' }]);
      const first: string[] = [];
      const onBatch = async ({ records }: { readonly records: readonly LogRecord[] }): Promise<void> => {
        first.push(...texts(records));
      };
      const one = await log.consume({ group, topics: [topic], from: 'earliest', onBatch });
      await until('both read', () => first.length === 2);
      await one.close();
      await log.close();
      log = await harness.open();
      await log.append(topic, [{ value: 'c' }]);
      const second: string[] = [];
      const two = await log.consume({
        group,
        topics: [topic],
        from: 'earliest',
        onBatch: async ({ records }) => void second.push(...texts(records)),
      });
      await until('the third read', () => second.length > 0);
      await two.close();
      assert.deepEqual(second, ['c']);
    });

    test('a batch whose handler fails is handed over again until it succeeds, and none is skipped', async () => {
      const topic = await makeTopic();
      const done: string[] = [];
      let failures = 0;
      const consumption = await log.consume({
        group: uniqueName('group'),
        topics: [topic],
        from: 'earliest',
        onBatch: async ({ records }) => {
          if (failures++ < 2) throw new Error('not yet');
          done.push(...texts(records));
        },
      });
      await log.append(topic, [{ value: '1' }, { value: '2' }]);
      await log.append(topic, [{ value: '3' }]);
      await until('all handled', () => done.length >= 3);
      await consumption.close();
      assert.deepEqual(done, ['1', '2', '3']);
    });

    test('a failure that is final ends the consumption, and `done` tells it', async () => {
      const topic = await makeTopic();
      await log.append(topic, [{ value: 'x' }]);
      const consumption = await log.consume({
        group: uniqueName('group'),
        topics: [topic],
        from: 'earliest',
        onBatch: async () => {
          throw new GaitError('STATE_INVALID', 'cannot be read');
        },
      });
      await assert.rejects(consumption.done, { code: 'STATE_INVALID' });
    });

    test('close waits for the running handler and no batch comes after it', async () => {
      const topic = await makeTopic();
      await log.append(topic, [{ value: 'x' }]);
      const begun = gate();
      const finish = gate();
      let finished = false;
      const consumption = await log.consume({
        group: uniqueName('group'),
        topics: [topic],
        from: 'earliest',
        onBatch: async () => {
          begun.open();
          await finish.opened;
          finished = true;
        },
      });
      await begun.opened;
      const closed = consumption.close();
      setTimeout(finish.open, 20);
      await closed;
      assert.ok(finished);
      await consumption.done;
    });

    test('a record over the limit is refused and the log goes on', async () => {
      const topic = await makeTopic();
      await assert.rejects(log.append(topic, [{ value: Buffer.alloc(recordBytesMax + 1) }]), { code: 'LOG_REJECTED' });
      await log.append(topic, [{ value: Buffer.alloc(recordBytesMax, 'x') }, { value: 'after' }]);
      const sizes: number[] = [];
      const tail = await log.tail({
        topic,
        from: 'earliest',
        onRecords: (records) => void sizes.push(...records.map(({ value }) => value!.length)),
      });
      await tail.caughtUp;
      await tail.close();
      assert.deepEqual(sizes, [recordBytesMax, 5]);
    });

    test('a compacted topic gives the newest value of every key and null for the deleted', async () => {
      const topic = await makeTopic('compact');
      for (let round = 0; round < 5; round++) {
        await log.append(
          topic,
          ['a', 'b', 'c'].map((key) => ({ key, value: `${key}${round}` })),
        );
      }
      await log.append(topic, [{ key: 'b', value: null }]);
      const newest = new Map<string, string | null>();
      const tail = await log.tail({
        topic,
        from: 'earliest',
        onRecords: (records) => {
          for (const { key, value } of records) newest.set(key!, value === null ? null : String(value));
        },
      });
      await tail.caughtUp;
      await tail.close();
      assert.deepEqual(Object.fromEntries(newest), { a: 'a4', b: null, c: 'c4' });
    });

    test('a tail has everything when it says so, then follows; from the latest it sees only what comes', async () => {
      const topic = await makeTopic('delete', harness.partitions);
      const values = Array.from({ length: 200 }, (_, i) => `v${i}`);
      await log.append(
        topic,
        values.map((value, i) => ({ value, partition: i % harness.partitions })),
      );
      const all: string[] = [];
      const late: string[] = [];
      const tail = await log.tail({
        topic,
        from: 'earliest',
        onRecords: (records) => void all.push(...texts(records)),
      });
      const latest = await log.tail({
        topic,
        from: 'latest',
        onRecords: (records) => void late.push(...texts(records)),
      });
      await Promise.all([tail.caughtUp, latest.caughtUp]);
      assert.deepEqual([...all].sort(), [...values].sort());
      await log.append(topic, [{ value: 'new' }]);
      await until('both see the new one', () => all.length === 201 && late.length === 1);
      await Promise.all([tail.close(), latest.close()]);
      assert.deepEqual(late, ['new']);
    });

    test('a tail of an empty topic has caught up at once', async () => {
      const topic = await makeTopic();
      const tail = await log.tail({ topic, from: 'earliest', onRecords: () => {} });
      await tail.caughtUp;
      await tail.close();
    });

    describeShards({
      harness,
      current: () => log,
      reopened: async () => {
        await log.close();
        log = await harness.open();
        return log;
      },
      makeShardTopics,
    });
  });
}

type ShardSuite = {
  readonly harness: LogHarness;
  readonly current: () => Log;
  readonly reopened: () => Promise<Log>;
  readonly makeShardTopics: (partitions?: number) => Promise<{ readonly topic: string; readonly stateTopic: string }>;
};

function describeShards({ harness, current, reopened, makeShardTopics }: ShardSuite): void {
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
