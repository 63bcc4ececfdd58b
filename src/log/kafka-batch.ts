import type { FetchedBatch, GroupMember, GroupOptions } from './kafka-client.ts';

/** What kafkajs hands over with a batch, as far as it is used here. */
export type BatchPayload = {
  readonly batch: {
    readonly topic: string;
    readonly partition: number;
    readonly highWatermark: string;
    /** Not in the library's types, but what it compares with itself. */
    readonly fetchedOffset?: string;
    readonly messages: readonly {
      readonly offset: string;
      readonly key: Buffer | null;
      readonly value: Buffer | null;
      readonly timestamp: string;
    }[];
    readonly lastOffset: () => string;
  };
  readonly heartbeat: () => Promise<void>;
  readonly isStale: () => boolean;
  readonly resolveOffset: (offset: string) => void;
  readonly commitOffsetsIfNecessary: (offsets: {
    topics: { topic: string; partitions: { partition: number; offset: string }[] }[];
  }) => Promise<void>;
};

/** What the handler threw, told apart from what Kafka did. */
export class HandlerFailure extends Error {}

/** Keeps the member alive while the handler works; a batch that was not processed is neither resolved nor committed. */
export async function handleBatch(payload: BatchPayload, group: GroupOptions, closing: AbortSignal): Promise<void> {
  if (closing.aborted || payload.isStale()) return;
  const { topic, partition } = payload.batch;
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  closing.addEventListener('abort', leave);
  let failure: unknown;
  const beat = setInterval(() => {
    payload.heartbeat().catch((error: unknown) => {
      failure = error;
      leave();
    });
  }, 500);
  const batch = toBatch(payload.batch);
  let processed: boolean | number;
  try {
    processed = await group.onBatch(batch, leaving.signal);
  } catch (cause) {
    throw new HandlerFailure('the handler failed for good', { cause });
  } finally {
    clearInterval(beat);
    closing.removeEventListener('abort', leave);
  }
  const next = processed === true ? batch.lastOffset + 1 : Number(processed);
  if (next > batch.records[0]!.offset) {
    // kafkajs steps over the control records at the end when it is told of the last record.
    payload.resolveOffset(processed === true ? payload.batch.messages.at(-1)!.offset : String(next - 1));
    const offset = String(next);
    if (group.commits)
      await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset }] }] });
    group.onRead?.(topic, partition, next);
  }
  if (failure) throw failure;
}

function toBatch(batch: BatchPayload['batch']): FetchedBatch {
  const first = Number(batch.messages[0]!.offset);
  return {
    topic: batch.topic,
    partition: batch.partition,
    records: batch.messages.map(({ offset, key, value, timestamp }) => ({
      offset: Number(offset),
      key: key?.toString() ?? null,
      value,
      timestamp: Number(timestamp),
    })),
    fetchedFrom: Number(batch.fetchedOffset ?? first),
    lastOffset: Number(batch.lastOffset()),
    end: Number(batch.highWatermark),
  };
}

type Steerable = {
  readonly seek: (place: { topic: string; partition: number; offset: string }) => void;
  readonly pause: (places: { topic: string; partitions: number[] }[]) => void;
  readonly resume: (places: { topic: string; partitions: number[] }[]) => void;
};

/** kafkajs throws when the consumer has stopped; a member that is gone has nothing left to steer. */
export function memberOf(consumer: Steerable): GroupMember {
  const steer = (run: () => void): void => {
    try {
      run();
    } catch {}
  };
  return {
    seek: (topic, partition, offset) => steer(() => consumer.seek({ topic, partition, offset: String(offset) })),
    pause: (topic, partition) => steer(() => consumer.pause([{ topic, partitions: [partition] }])),
    resume: (topic, partition) => steer(() => consumer.resume([{ topic, partitions: [partition] }])),
  };
}
