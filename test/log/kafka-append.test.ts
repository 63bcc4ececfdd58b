import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GaitError } from '../../src/core/errors.ts';
import { createAppender } from '../../src/log/kafka-append.ts';
import type { KafkaClient, KeyedRecord } from '../../src/log/kafka-client.ts';

type Send = (records: readonly KeyedRecord[]) => Promise<void>;

function clientWith(send: Send, stopping = new AbortController().signal): KafkaClient {
  const admin = { partitions: async () => 3 } as unknown as KafkaClient['admin'];
  const unused = (): never => assert.fail('not used here');
  return {
    closing: new AbortController().signal,
    stopping,
    away: new AbortController().signal,
    onTrouble: () => {},
    admin,
    send,
    readGroup: unused,
    openShardProducer: unused,
  };
}

const value = (records: readonly KeyedRecord[]): string[] => records.map(({ record }) => String(record.value));

test('a failed send is repeated with the very same records before any later one, so that the broker can drop repeats', async () => {
  const sent: string[][] = [];
  let failures = 2;
  const append = createAppender(
    clientWith(async (records) => {
      sent.push(value(records));
      if (failures-- > 0) throw new GaitError('LOG_UNAVAILABLE', 'away');
    }),
  );
  const first = append('t', [{ value: 'a', partition: 0 }]);
  const later = Promise.all(['b', 'c', 'd'].map((text) => append('t', [{ value: text, partition: 0 }])));
  await Promise.all([first, later]);
  assert.deepEqual(sent, [['a'], ['a'], ['a'], ['b', 'c', 'd']]);
});

test('whoever is told to end still writes what Kafka takes, and waits for nothing that it does not', {
  timeout: 10_000,
}, async () => {
  const stop = new AbortController();
  let isAway = true;
  const sent: string[] = [];
  const append = createAppender(
    clientWith(async (records) => {
      if (isAway) throw new GaitError('LOG_UNAVAILABLE', 'away');
      sent.push(...value(records));
    }, stop.signal),
  );
  const waiting = append('t', [{ value: 'before', partition: 0 }]);
  stop.abort();
  const away = { code: 'LOG_UNAVAILABLE' };
  await assert.rejects(waiting, away);
  await assert.rejects(append('t', [{ value: 'after', partition: 0 }]), away);
  isAway = false;
  await append('t', [{ value: 'last', partition: 0 }]);
  assert.deepEqual(sent, ['last']);
});

test('a refused record fails its own call and no other', async () => {
  const append = createAppender(
    clientWith(async (records) => {
      if (value(records).includes('bad')) throw new GaitError('LOG_REJECTED', 'too large');
    }),
  );
  const calls = ['x', 'a', 'bad', 'c'].map((text) => append('t', [{ value: text, partition: 0 }]));
  const outcomes = await Promise.allSettled(calls);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
  );
});

test("no send is larger than a broker's default limit unless a single record is", async () => {
  const sizes: number[] = [];
  const append = createAppender(
    clientWith(async (records) => {
      sizes.push(records.reduce((sum, { record }) => sum + record.value!.length, 0));
    }),
  );
  await append(
    't',
    Array.from({ length: 20 }, (_, i) => ({ value: Buffer.alloc(i === 7 ? 2_000_000 : 300_000), partition: 0 })),
  );
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    19 * 300_000 + 2_000_000,
  );
  assert.ok(
    sizes.every((size) => size <= 900 * 1024 || size === 2_000_000),
    sizes.join(),
  );
});

test('records without key or partition get a partition once, before the first send; those with a key leave it to the key', async () => {
  const placed: (number | undefined)[] = [];
  const append = createAppender(
    clientWith(async (records) => void placed.push(...records.map(({ record }) => record.partition))),
  );
  for (let i = 0; i < 4; i++) await append('t', [{ value: 'x' }, { value: 'y' }]);
  await append('t', [{ key: 'k', value: 'x' }]);
  assert.deepEqual(placed, [0, 0, 1, 1, 2, 2, 0, 0, undefined]);
});

test('what waits for one topic leaves room in the next send for the others, and each topic keeps its order', async () => {
  const sent: KeyedRecord[][] = [];
  const append = createAppender(
    clientWith(async (records) => {
      sent.push([...records]);
      await new Promise((resolve) => setImmediate(resolve));
    }),
  );
  const half = 'x'.repeat(300 * 1024);
  const flood = Array.from({ length: 6 }, (_, i) => ({ value: `${i}${half}`, partition: 0 }));
  const first = append('findings', [{ value: 'first', partition: 0 }]);
  const floods = append('findings', flood);
  const few = Promise.all(['a', 'b', 'c'].map((text) => append('events', [{ value: text, partition: 0 }])));
  await Promise.all([first, floods, few]);
  const byTopic = (topic: string): string[] =>
    value(sent.flat().filter((each) => each.topic === topic)).map((text) => text.slice(0, 5));
  assert.deepEqual(value(sent[1]!.filter(({ topic }) => topic === 'events')), ['a', 'b', 'c']);
  assert.deepEqual(byTopic('findings'), ['first', '0xxxx', '1xxxx', '2xxxx', '3xxxx', '4xxxx', '5xxxx']);
  assert.equal(sent.length, 4, 'no send is emptier than it has to be');
});
