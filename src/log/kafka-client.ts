import type { Consumption, LogRecord, NewRecord, TopicSpec } from './log.ts';
import type { OnTrouble } from './retry.ts';

/**
 * What the Kafka log asks of a Kafka client, in its own words, so that the client can be replaced in one file (kafka.ts).
 * Every rejection is a GaitError: LOG_UNAVAILABLE may pass, LOG_REJECTED and LOG_FENCED do not.
 */
export type KafkaClient = {
  /** Aborts when the log is closed. */
  readonly closing: AbortSignal;
  /** Aborts when those who use the log were told to end: what Kafka does not take from then on is given up at the first failure. */
  readonly stopping: AbortSignal;
  /** Aborts when Kafka does not answer those who were told to end: nobody waits for it any longer. */
  readonly away: AbortSignal;
  readonly onTrouble: OnTrouble;
  readonly admin: KafkaAdmin;
  /** Durable on all in-sync replicas. Repeating the very same call after LOG_UNAVAILABLE writes nothing twice. */
  readonly send: (records: readonly KeyedRecord[]) => Promise<void>;
  readonly readGroup: (options: GroupOptions) => Consumption;
  readonly openShardProducer: (options: ShardProducerOptions) => Promise<ShardProducer>;
};

export type KeyedRecord = { readonly topic: string; readonly record: NewRecord };

export type KafkaAdmin = {
  readonly createTopics: (topics: readonly TopicSpec[]) => Promise<void>;
  readonly partitions: (topic: string) => Promise<number>;
  /** Per partition the first offset held and the offset after the last record. */
  readonly offsets: (
    topic: string,
  ) => Promise<readonly { readonly partition: number; readonly low: number; readonly high: number }[]>;
  readonly deleteRecords: (topic: string, partition: number, before: number) => Promise<void>;
  readonly deleteGroup: (group: string) => Promise<void>;
};

export type FetchedBatch = {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly LogRecord[];
  /** What was asked for, and the last offset the answer covers (control records included). */
  readonly fetchedFrom: number;
  readonly lastOffset: number;
  readonly end: number;
};

/** The member's hold on its partitions, until the next join. */
export type GroupMember = {
  readonly seek: (topic: string, partition: number, offset: number) => void;
  readonly pause: (topic: string, partition: number) => void;
  readonly resume: (topic: string, partition: number) => void;
};

export type GroupOptions = {
  readonly group: string;
  readonly topics: readonly string[];
  /** Where to begin without a committed position, and after the position was deleted. */
  readonly from: 'earliest' | 'latest';
  /** Whether positions are committed after `onBatch`. */
  readonly commits: boolean;
  /** Called before the first fetch of every generation, with the partitions of each topic. */
  readonly onJoin?: (assignment: Readonly<Record<string, readonly number[]>>, member: GroupMember) => void;
  /**
   * One batch of a partition at a time, several partitions side by side; the group is kept alive meanwhile. Resolves to whether the
   * batch was processed, or to the offset of the first record that was not. `leaving` aborts when the group rebalances or the consumption closes. A rejection ends the consumption.
   */
  readonly onBatch: (batch: FetchedBatch, leaving: AbortSignal) => Promise<boolean | number>;
  /** The partition was read up to `next`, be it over records that are not shown (control records, aborted transactions). */
  readonly onRead?: (topic: string, partition: number, next: number) => void;
  /** Before the member leaves; `lost` when it is out of the group already. */
  readonly onLeave?: (how: 'lost' | 'closing') => Promise<void>;
};

export type ShardProducerOptions = {
  readonly group: string;
  readonly topic: string;
  readonly stateTopic: string;
  readonly partition: number;
};

export type StateRecord = { readonly key: string; readonly value: Buffer | string };

export type ShardProducer = {
  /** All records, and the group's position in the input when given, or none. The first call fences older producers of the shard. Resolves to the first record's offset. */
  readonly transact: (records: readonly StateRecord[], position?: number) => Promise<number>;
  readonly close: () => Promise<void>;
};
