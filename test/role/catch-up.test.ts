import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import { createDecoder } from '../../src/event/decode/decoder.ts';
import { createRedactor } from '../../src/event/redact.ts';
import { createRouteTemplater } from '../../src/event/route-template.ts';
import { createIngest } from '../../src/identity/ingest.ts';
import type { ConsumeOptions, Log, LogRecord, NewRecord } from '../../src/log/log.ts';
import { Intake, runIngest } from '../../src/role/ingest.ts';

const startMs = Date.UTC(2025, 2, 3, 9);
const hourMs = 3_600_000;
const lateMs = 300_000;
const topic = 'api-traffic';

/** One record every `everyMs` of event time. */
function partition(everyMs: number, change: (ts: number, i: number) => number = (ts) => ts): number[] {
  return Array.from({ length: Math.floor(hourMs / everyMs) }, (_, i) => change(startMs + i * everyMs, i));
}

/**
 * Hands out batches as a Kafka client with one broker does: in each round one of each partition that has something, all at once, and no
 * further round before each has been dealt with. Notes the event times in the order in which they come out.
 */
function logOf(partitions: readonly (readonly number[])[], recordsPerBatch: number) {
  const out: number[] = [];
  let rounds = 0;
  const append = async (_: string, records: readonly NewRecord[]): Promise<void> => {
    for (const { value } of records)
      for (const line of String(value).split('\n')) if (line.includes('"ts":')) out.push(JSON.parse(line).ts as number);
  };
  const read = async ({ onBatch }: ConsumeOptions): Promise<void> => {
    const next = partitions.map(() => 0);
    while (next.some((offset, p) => offset < partitions[p]!.length)) {
      rounds++;
      const round = partitions.map(async (times, p) => {
        const from = next[p]!;
        const records = times.slice(from, from + recordsPerBatch).map((ts, i): LogRecord => {
          const value = Buffer.from(JSON.stringify({ ts, subject: `u${i % 9}`, event_id: `${p}-${from + i}` }));
          return { offset: from + i, key: null, value, timestamp: ts };
        });
        if (records.length === 0) return;
        next[p] = from + records.length;
        await onBatch({ topic, partition: p, records, end: times.length }, (rest) => {
          next[p] = rest;
        });
      });
      await Promise.all(round);
    }
  };
  let reading: Promise<void> = Promise.resolve();
  const log = {
    append,
    partitions: async () => 1,
    consume: async (options: ConsumeOptions) => {
      reading = read(options);
      return { done: reading, close: async () => {} };
    },
  };
  return { log: log as unknown as Log, out, rounds: () => rounds, read: () => reading };
}

async function catchUp(partitions: readonly (readonly number[])[], recordsPerBatch = 1000) {
  const redactor = createRedactor({ hmacKey: 'a key for tests only' });
  const sourceFor = () => ({ decoder: createDecoder({ format: 'canonical', redactor }) });
  const ingest = createIngest({ sourceFor, redactor, templater: createRouteTemplater() });
  const counts = { eventsIn: () => {}, deadLettered: () => {}, lag: () => {}, routesOther: () => {} };
  const { log, out, rounds, read } = logOf(partitions, recordsPerBatch);
  const topics = { events: 'gait.events', deadLetter: 'gait.dead-letter' };
  const intake = await Intake.open({ log, topics, reorderWindowMs: 0, counts, ingest, onError: assert.ifError });
  const sources = [{ topic, from: 'earliest' }] as const;
  const began = performance.now();
  await runIngest({ log, group: 'g', sources, ingest, intake, counts, clock: systemClock });
  await read();
  let newest = 0;
  let behindMs = 0;
  let late = 0;
  for (const ts of out) {
    newest = Math.max(newest, ts);
    behindMs = Math.max(behindMs, newest - ts);
    if (ts < newest - lateMs) late++;
  }
  const total = partitions.reduce((sum, times) => sum + times.length, 0);
  assert.deepEqual(
    out.toSorted((a, b) => a - b),
    partitions.flat().sort((a, b) => a - b),
    `${total} events, each once`,
  );
  return { late, behindMs, rounds: rounds(), ms: performance.now() - began };
}

test('four partitions that hold an hour each are caught up side by side: none is ten seconds behind another', async () => {
  const { late, behindMs } = await catchUp([1, 2, 3, 4].map(() => partition(900)));
  assert.equal(late, 0);
  assert.ok(behindMs <= 10_000, `${behindMs} ms`);
});

test('a partition whose batches are minutes waits for one whose batches are seconds, and gives back what it cannot take', async () => {
  const { late, behindMs, rounds } = await catchUp([partition(300), partition(20_000), partition(60_000)], 200);
  assert.equal(late, 0);
  assert.ok(behindMs <= 70_000, `${behindMs} ms`);
  assert.ok(rounds < 120, `${rounds} rounds`);
});

test('an empty partition and one that ended long ago hold nobody up', async () => {
  const { late, ms } = await catchUp([partition(1000), [], [startMs - 30 * hourMs], partition(1000)]);
  assert.equal(late, 0);
  assert.ok(ms < 5000, `${ms} ms`);
});

test('one wrong time costs its partition a moment, not the catching up', async () => {
  const wrong = (ts: number, i: number): number => (i === 100 ? ts + 20 * hourMs : ts);
  const { ms } = await catchUp([partition(2000, wrong), partition(2000)]);
  assert.ok(ms < 8000, `${ms} ms`);
});
