import kafkajs, {
  type Admin,
  type Consumer,
  type EachBatchPayload,
  type Kafka,
  type KafkaConfig,
  type PartitionAssigner,
  type RetryOptions,
  type SASLOptions,
  type Transaction,
} from 'kafkajs';
import { GaitError } from '../core/errors.ts';
import { Connection } from './connection.ts';
import { byTopic, createAppender } from './kafka-append.ts';
import { HandlerFailure, handleBatch, memberOf } from './kafka-batch.ts';
import { chunksOf } from './kafka-chunks.ts';
import type {
  GroupOptions,
  KafkaAdmin,
  KafkaClient,
  KeyedRecord,
  ShardProducer,
  ShardProducerOptions,
  StateRecord,
} from './kafka-client.ts';
import { lz4Codec, snappyCodec, zstdCodec } from './kafka-codecs.ts';
import { isOutOfSequence, kafkaError } from './kafka-errors.ts';
import { consumeTopics, tailTopic } from './kafka-readers.ts';
import { consumeShards } from './kafka-shards.ts';
import { topicConfig } from './kafka-topic.ts';
import type { Consumption, Log } from './log.ts';
import { patienceMs, waitFor, watchForAway } from './patience.ts';
import { createBackoff, type OnTrouble, retryUntilDone } from './retry.ts';

// A CommonJS package of which Node sees only some names.
const { AssignerProtocol, CompressionCodecs, CompressionTypes, logLevel } = kafkajs;

CompressionCodecs[CompressionTypes.LZ4] = () => lz4Codec;
CompressionCodecs[CompressionTypes.Snappy] = () => snappyCodec;
CompressionCodecs[CompressionTypes.ZSTD] = () => zstdCodec;

export type KafkaLogOptions = {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly ssl?: KafkaConfig['ssl'];
  readonly sasl?: SASLOptions;
  /** For topics that are created here; -1 takes the broker's default. */
  readonly replicationFactor?: number;
  /** How long the broker lets a checkpoint of a vanished process block the readers of its shard's state. */
  readonly transactionTimeoutMs?: number;
  /** A member that was not heard of for so long has lost its partitions. */
  readonly sessionTimeoutMs?: number;
  /** Aborts before the log is closed, when its users are told to end: with Kafka away nobody waits for it any more. */
  readonly stopping?: AbortSignal;
  readonly onTrouble?: OnTrouble;
};

type Parts = {
  readonly kafka: Kafka;
  readonly readers: Kafka;
  readonly options: KafkaLogOptions;
  readonly closing: AbortSignal;
  /** Aborts when those who are told to end find that Kafka does not answer. */
  readonly away: AbortSignal;
  readonly onTrouble: OnTrouble;
};

/** kafkajs gives up after 3 s of outage; those who called it here begin anew, for ever, and an outage is told early. */
const retry = { initialRetryTime: 100, maxRetryTime: 1000, retries: 5 };
/** A reader that goes on under its old member id is back within a second; a new one waits until the group has forgotten the old. */
const readerRetry = { ...retry, retries: 100 };
/** The first retry after a commit comes at once in the broker's terms: a transaction takes 30 ms instead of 300. */
const transactionRetry = { initialRetryTime: 20, maxRetryTime: 1000, retries: 30 };
/** Longest wait of a fetch for its first byte; also what a close may have to wait. */
const fetchWaitMs = 200;
/** Of one partition in one fetch, as compressed. All that a fetch brings lives until the last of it is handled, and what lives is copied by the collector. */
const fetchBytesMax = 256 * 1024;
const partitionsAtOnce = 4;

/**
 * The log in Kafka. Opening does not connect: the first call does. While Kafka is away, appends wait and readers come back by
 * themselves; `onTrouble` is told. What Kafka refuses (credentials, rights, sizes) fails with LOG_REJECTED.
 */
export function openKafkaLog(options: KafkaLogOptions): Log {
  const stop = new AbortController();
  const told = new AbortController();
  const stopping = AbortSignal.any([told.signal, ...(options.stopping === undefined ? [] : [options.stopping])]);
  const connect = (patience: RetryOptions): Kafka =>
    new kafkajs.Kafka({
      brokers: [...options.brokers],
      clientId: options.clientId,
      ...(options.ssl === undefined ? {} : { ssl: options.ssl }),
      ...(options.sasl === undefined ? {} : { sasl: options.sasl }),
      connectionTimeout: 3000,
      requestTimeout: 15_000,
      retry: patience,
      // Its messages say too much too often; what matters reaches `onTrouble`.
      logLevel: logLevel.NOTHING,
    });
  const kafka = connect(retry);
  const closing = stop.signal;
  const away = watchForAway({ stopping, closing, ask: () => greet(kafka) });
  const onTrouble = options.onTrouble ?? (() => {});
  const parts: Parts = { kafka, readers: connect(readerRetry), options, closing, away, onTrouble };
  const admin = createAdmin(parts);
  const sender = createSender(parts);
  const reading = new Set<Consumption>();
  const track = <T extends Consumption>(consumption: T): T => {
    reading.add(consumption);
    void consumption.done.catch(() => {}).finally(() => reading.delete(consumption));
    return consumption;
  };
  const client: KafkaClient = {
    closing,
    stopping,
    away,
    onTrouble,
    admin: admin.calls,
    send: sender.send,
    readGroup: (group) => readGroup(parts, group),
    openShardProducer: (shard) => openShardProducer(parts, shard),
  };
  return {
    ensureTopics: (topics) => admin.calls.createTopics(topics),
    partitions: admin.calls.partitions,
    append: createAppender(client),
    consume: async (consume) => track(consumeTopics(client, consume)),
    consumeShards: async (shards) => track(consumeShards(client, shards)),
    tail: async (tail) => track(await tailTopic(client, tail)),
    close: async () => {
      told.abort();
      await Promise.all([...reading].map((reader) => reader.close()));
      stop.abort();
      await waitFor(Promise.all([sender.close(), admin.close()]), { ms: patienceMs.leave, unless: away });
    },
  };
}

/** Rejects when no broker answers. On a connection of its own: whatever the others are waiting for does not hold it up. */
async function greet(kafka: Kafka): Promise<void> {
  const admin = kafka.admin({ retry });
  await admin.connect().finally(() => void admin.disconnect().catch(() => {}));
}

/** One connection for all questions, made at the first one and made anew after a failure. */
function createAdmin({ kafka, options, closing, onTrouble }: Parts): {
  readonly calls: KafkaAdmin;
  readonly close: () => Promise<void>;
} {
  const connection = new Connection(() => kafka.admin({ retry }));
  const call = async <T>(doing: string, run: (admin: Admin) => Promise<T>): Promise<T> => {
    let answer: { readonly value: T } | undefined;
    const attempt = async (): Promise<void> => {
      try {
        answer = { value: await run(await connection.get()) };
      } catch (error) {
        void connection.drop();
        throw kafkaError(error, doing);
      }
    };
    await retryUntilDone(attempt, { doing, signal: closing, onTrouble });
    if (!answer) throw new GaitError('LOG_UNAVAILABLE', `${doing}: the log is closed`);
    return answer.value;
  };
  const partitions = (topic: string): Promise<number> =>
    call(`asking for the partitions of ${topic}`, async (admin) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      return topics[0]?.partitions.length ?? 0;
    });
  const calls: KafkaAdmin = {
    partitions,
    createTopics: (topics) =>
      call('creating topics', async (admin) => {
        const present = new Set(await admin.listTopics());
        const missing = topics.filter(({ name }) => !present.has(name));
        if (missing.length === 0) return;
        await admin.createTopics({
          waitForLeaders: true,
          topics: missing.map((spec) => ({
            topic: spec.name,
            numPartitions: spec.partitions,
            replicationFactor: options.replicationFactor ?? -1,
            configEntries: topicConfig(spec),
          })),
        });
      }),
    offsets: (topic) =>
      call(`asking for the offsets of ${topic}`, async (admin) => {
        const offsets = await admin.fetchTopicOffsets(topic);
        return offsets.map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }));
      }),
    deleteRecords: (topic, partition, before) =>
      call(`deleting old records of ${topic}`, (admin) =>
        admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(before) }] }),
      ),
    // Tried once: the broker drops an empty group by itself.
    deleteGroup: async (group) => {
      await (await connection.get()).deleteGroups([group]);
    },
  };
  return { calls, close: () => connection.drop() };
}

/** The one idempotent producer of this log. */
function createSender({ kafka }: Parts): { readonly send: KafkaClient['send']; readonly close: () => Promise<void> } {
  const connection = new Connection(() =>
    kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false, retry }),
  );
  const send = async (records: readonly KeyedRecord[]): Promise<void> => {
    try {
      const producer = await connection.get();
      await producer.sendBatch({ acks: -1, compression: CompressionTypes.LZ4, topicMessages: byTopic(records) });
    } catch (error) {
      if (!isOutOfSequence(error)) throw kafkaError(error, `appending to ${records[0]?.topic}`);
      void connection.drop();
      throw new GaitError('LOG_UNAVAILABLE', 'the broker forgot this producer; a new one takes over', { cause: error });
    }
  };
  return { send, close: () => connection.drop() };
}

/** Joins, and joins again after whatever ended the last session, until it is closed. */
function readGroup(parts: Parts, options: GroupOptions): Consumption {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, parts.closing]);
  const backoff = createBackoff(signal);
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await runSession({ ...parts, closing: signal }, options, backoff.reset);
      } catch (error) {
        if (error instanceof HandlerFailure) throw error.cause;
        parts.onTrouble(kafkaError(error, `reading ${options.topics.join(', ')}`));
        await backoff.wait();
      }
    }
  };
  const done = run();
  const ended = done.catch(() => {});
  const close = (): Promise<void> => {
    stop.abort();
    return ended;
  };
  return { done, close };
}

/** From joining to the end of the consumption (resolves) or of the connection (rejects). */
async function runSession(
  { readers, options, closing, away }: Parts,
  group: GroupOptions,
  onJoined: () => void,
): Promise<void> {
  const sessionTimeout = options.sessionTimeoutMs ?? 10_000;
  const consumer = readers.consumer({
    groupId: group.group,
    partitionAssigners: [assignTogether],
    sessionTimeout,
    heartbeatInterval: Math.min(3000, sessionTimeout / 4),
    maxWaitTimeInMs: fetchWaitMs,
    maxBytesPerPartition: fetchBytesMax,
    allowAutoTopicCreation: false,
    // Restarts are made here, so that there is one way back, whatever failed.
    retry: { ...readerRetry, restartOnFailure: async () => false },
  });
  let how: 'lost' | 'closing' = 'lost';
  let starting: Promise<void> = Promise.resolve();
  const over = new AbortController();
  const handling = new Set<Promise<void>>();
  try {
    const ended = new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      closing.addEventListener('abort', () => resolve(), { signal: over.signal });
      if (closing.aborted) resolve();
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
        onJoined();
        if (!over.signal.aborted) group.onJoin?.(payload.memberAssignment, memberOf(consumer));
      });
      consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
        if (payload.batchSize === 0) group.onRead?.(payload.topic, payload.partition, Number(payload.lastOffset) + 1);
      });
      const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
        if (over.signal.aborted) return;
        const call = handleBatch(payload, group, closing);
        handling.add(call);
        try {
          await call;
        } catch (error) {
          if (!(error instanceof HandlerFailure)) throw error;
          reject(error);
        } finally {
          handling.delete(call);
        }
      };
      starting = startConsumer(consumer, group, eachBatch);
      starting.catch(reject);
    });
    await ended;
    how = 'closing';
  } finally {
    over.abort();
    await waitFor(group.onLeave?.(how), { ms: patienceMs.shards, unless: away, since: closing });
    await waitFor(Promise.allSettled(handling), { ms: patienceMs.handlers, unless: away, since: closing });
    // A start cannot be called off; a member that joins after its disconnect would hold its partitions until it times out.
    const started = starting.catch(() => {});
    await waitFor(started, { ms: patienceMs.leave, unless: away });
    await waitFor(consumer.disconnect(), { ms: patienceMs.leave, unless: away });
    void started.then(() => consumer.disconnect()).catch(() => {});
  }
}

async function startConsumer(
  consumer: Consumer,
  group: GroupOptions,
  eachBatch: (payload: EachBatchPayload) => Promise<void>,
): Promise<void> {
  await consumer.connect();
  await consumer.subscribe({ topics: [...group.topics], fromBeginning: group.from === 'earliest' });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: partitionsAtOnce,
    eachBatch,
  });
}

/** Partition i of every topic goes to the same member, and members get equally many. */
const assignTogether: PartitionAssigner = ({ cluster }) => ({
  name: 'gait-together',
  version: 1,
  assign: async ({ members, topics }) => {
    const ids = members.map(({ memberId }) => memberId).sort();
    return ids.map((memberId, index) => {
      const partitionsOf = (topic: string): number[] =>
        cluster
          .findTopicPartitionMetadata(topic)
          .map(({ partitionId }) => partitionId)
          .filter((partition) => partition % ids.length === index);
      const assignment = Object.fromEntries(topics.map((topic) => [topic, partitionsOf(topic)]));
      return {
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version: 1,
          assignment,
          userData: Buffer.alloc(0),
        }),
      };
    });
  },
  protocol: ({ topics }) => ({
    name: 'gait-together',
    metadata: AssignerProtocol.MemberMetadata.encode({ version: 1, topics, userData: Buffer.alloc(0) }),
  }),
});

/** kafkajs asks for the producer id, which fences the older ones, at the first transaction and not at the connect. */
async function openShardProducer({ kafka, options }: Parts, shard: ShardProducerOptions): Promise<ShardProducer> {
  const { group, topic, stateTopic, partition } = shard;
  const producer = kafka.producer({
    transactionalId: `${group}-${topic}-${partition}`,
    idempotent: true,
    maxInFlightRequests: 1,
    transactionTimeout: options.transactionTimeoutMs ?? 60_000,
    allowAutoTopicCreation: false,
    retry: transactionRetry,
  });
  const send = async (transaction: Transaction, records: readonly StateRecord[]): Promise<number> => {
    const messages = records.map(({ key, value }) => ({ key, value, partition }));
    const [sent] = await transaction.send({ topic: stateTopic, acks: -1, compression: CompressionTypes.LZ4, messages });
    return Number(sent?.baseOffset);
  };
  const failed = (error: unknown): GaitError =>
    kafkaError(error, `writing the state of shard ${partition} of ${topic}`);
  await producer.connect().catch((error) => {
    throw failed(error);
  });
  return {
    transact: async (records, position) => {
      let transaction: Transaction | undefined;
      try {
        transaction = await producer.transaction();
        let first: number | undefined;
        for (const chunk of chunksOf(records)) {
          const offset = await send(transaction, chunk);
          first ??= offset;
        }
        if (position !== undefined) {
          const topics = [{ topic, partitions: [{ partition, offset: String(position) }] }];
          await transaction.sendOffsets({ consumerGroupId: group, topics });
        }
        await transaction.commit();
        return first ?? 0;
      } catch (error) {
        await transaction?.abort().catch(() => {});
        throw failed(error);
      }
    },
    close: () => producer.disconnect(),
  };
}
