import { GaitError } from '../core/errors.ts';
import type { KafkaClient, KeyedRecord } from './kafka-client.ts';
import { type NewRecord, recordBytesMax } from './log.ts';
import { unlessAway } from './patience.ts';
import { retryUntilDone } from './retry.ts';

/** A partition's share of one send must stay below the broker's default limit of 1 MiB for a batch, even when nothing compresses. */
const sendBytesMax = 900 * 1024;
const sendRecordsMax = 10_000;

type Call = { left: number; readonly resolve: () => void; readonly reject: (error: unknown) => void };
type Message = { key: string | null; value: NewRecord['value']; partition?: number; timestamp?: string };
type Waiting = KeyedRecord & { readonly bytes: number; readonly call: Call };

/**
 * Appends to each topic in the order of the calls, one send on its way at a time; what arrives meanwhile shares the next one, each topic by its part,
 * so that events do not wait behind a flood of findings. Nothing is bounded
 * here: a caller that awaits its append is held back by it. A record without key or partition goes where the others of its call go.
 */
export function createAppender(client: KafkaClient): (topic: string, records: readonly NewRecord[]) => Promise<void> {
  const waiting = new Map<string, Waiting[]>();
  const partitions = new Map<string, Promise<number>>();
  let sending = false;
  let calls = 0;

  const partitionsOf = (topic: string): Promise<number> => {
    const known = partitions.get(topic) ?? client.admin.partitions(topic);
    partitions.set(topic, known);
    known.catch(() => partitions.delete(topic));
    return known;
  };
  const pump = async (): Promise<void> => {
    if (sending) return;
    sending = true;
    while (waiting.size > 0) await sendAll(client, takeSome(waiting));
    sending = false;
  };
  return async (topic, records) => {
    if (records.length === 0) return;
    for (const record of records) checkSize(topic, record);
    let spread: number | undefined;
    if (records.some(({ key, partition }) => key == null && partition === undefined)) {
      const turn = calls++;
      await retry(client, topic, async () => {
        spread = turn % (await partitionsOf(topic));
      });
    }
    await new Promise<void>((resolve, reject) => {
      const call = { left: records.length, resolve, reject };
      const line = waiting.get(topic) ?? [];
      waiting.set(topic, line);
      for (const record of records) {
        line.push({ topic, record: placed(record, spread), bytes: sizeOf(record), call });
      }
      void pump();
    });
  };
}

/** To a partition, when neither its key nor its sender says where. */
function placed(record: NewRecord, spread: number | undefined): NewRecord {
  if (record.key != null || record.partition !== undefined || spread === undefined) return record;
  const { value, timestamp } = record;
  return timestamp === undefined ? { value, partition: spread } : { value, partition: spread, timestamp };
}

/** In the words of kafkajs. */
export function byTopic(records: readonly KeyedRecord[]) {
  const topics = new Map<string, ReturnType<typeof toMessage>[]>();
  for (const { topic, record } of records) {
    const messages = topics.get(topic) ?? [];
    messages.push(toMessage(record));
    topics.set(topic, messages);
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
}

function toMessage({ key, value, partition, timestamp }: NewRecord): Message {
  const message: Message = { key: key ?? null, value };
  if (partition !== undefined) message.partition = partition;
  if (timestamp !== undefined) message.timestamp = String(timestamp);
  return message;
}

/** Of each topic an equal part of one send; what a topic with little leaves of its part goes to the others. */
function takeSome(waiting: Map<string, Waiting[]>): readonly Waiting[] {
  const taken: Waiting[] = [];
  const lines = [...waiting].sort(([, a], [, b]) => a.length - b.length);
  let bytesLeft = sendBytesMax;
  lines.forEach(([topic, line], i) => {
    const topics = lines.length - i;
    const part = { bytes: bytesLeft / topics, records: (sendRecordsMax - taken.length) / topics };
    const { count, bytes } = firstOf(line, part);
    for (const each of line.splice(0, count)) taken.push(each);
    bytesLeft -= bytes;
    if (line.length === 0) waiting.delete(topic);
  });
  return taken;
}

/** How many records fit into the part, one at least. */
function firstOf(line: readonly Waiting[], part: { bytes: number; records: number }): { count: number; bytes: number } {
  let bytes = line[0]!.bytes;
  let count = 1;
  while (count < line.length && count < part.records && bytes + line[count]!.bytes <= part.bytes)
    bytes += line[count++]!.bytes;
  return { count, bytes };
}

/** Never rejects: each call hears of its own records. When the broker refuses a mixed send, the calls are told apart. */
async function sendAll(client: KafkaClient, records: readonly Waiting[]): Promise<void> {
  try {
    await retry(client, records[0]!.topic, () => client.send(records));
    for (const { call } of records) if (--call.left === 0) call.resolve();
  } catch (error) {
    const calls = new Set(records.map(({ call }) => call));
    if (calls.size === 1) records[0]!.call.reject(error);
    else
      for (const call of calls)
        await sendAll(
          client,
          records.filter((record) => record.call === call),
        );
  }
}

async function retry(client: KafkaClient, topic: string, run: () => Promise<void>): Promise<void> {
  const attempt = (): Promise<void> => unlessAway(run, client.away);
  const options = { doing: `appending to ${topic}`, signal: client.stopping, onTrouble: client.onTrouble };
  // Whoever is told to end still writes what he has, if Kafka takes it.
  if (client.stopping.aborted && !client.closing.aborted) return attempt();
  if (!(await retryUntilDone(attempt, options)))
    throw new GaitError('LOG_UNAVAILABLE', `the log was closed before ${topic} had all records`);
}

function sizeOf({ key, value }: NewRecord): number {
  return (key ? Buffer.byteLength(key) : 0) + (value === null ? 0 : Buffer.byteLength(value));
}

function checkSize(topic: string, record: NewRecord): void {
  const bytes = sizeOf(record);
  if (bytes > recordBytesMax)
    throw new GaitError('LOG_REJECTED', `a record of ${bytes} bytes for ${topic} is over ${recordBytesMax}`);
}
