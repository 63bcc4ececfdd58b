import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { GaitError } from '../../src/core/errors.ts';
import { sleep } from '../../src/core/sleep.ts';
import { type Log, type LogBatch, type LogRecord, recordBytesMax } from '../../src/log/log.ts';
import { gate, type LogHarness, texts, uniqueName, until } from './log-kit.ts';
import { describeShards } from './log-shards.contract.ts';

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

    test('what a handler gives back is offered again, to it and to the next one', async () => {
      const topic = await makeTopic();
      const values = Array.from({ length: 20 }, (_, i) => String(i));
      await log.append(
        topic,
        values.map((value) => ({ value, partition: 0 })),
      );
      const options = { group: uniqueName('group'), topics: [topic], from: 'earliest' } as const;
      const seen: string[] = [];
      const take = (most: number) => async (batch: LogBatch, giveBack: (from: number) => void) => {
        const taken = batch.records.slice(0, Math.max(0, most - seen.length)).slice(0, 3);
        seen.push(...texts(taken));
        const rest = batch.records[taken.length];
        if (rest !== undefined) giveBack(rest.offset);
        if (taken.length === 0) await sleep(20);
      };
      const first = await log.consume({ ...options, onBatch: take(7) });
      await until('seven were taken', () => seen.length === 7);
      await first.close();
      const second = await log.consume({ ...options, onBatch: take(20) });
      await until('all were taken', () => seen.length === 20);
      await second.close();
      assert.deepEqual(seen, values);
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
