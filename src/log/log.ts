/**
 * Log: what must survive. Ordered, durable, offset-addressed topics with consumer positions, in Kafka or embedded (lmdb).
 * Both implementations pass the same contract suite (test/contract/log). Never true: a promise of `append` that resolves before the records are durable.
 */
export type LogRecord = {
  readonly offset: number;
  readonly key: string | null;
  /** null is a tombstone in a compacted topic. */
  readonly value: Buffer | null;
  readonly timestamp: number;
};

export type LogBatch = {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly LogRecord[];
  /** The offset after the newest record of the partition when this batch was read: `lag = end - lastOffset - 1`. */
  readonly end: number;
};

export type NewRecord = {
  readonly key?: string | null;
  readonly value: Buffer | string | null;
  /** Explicit; without it the key decides, without a key the implementation spreads. */
  readonly partition?: number;
  readonly timestamp?: number;
};

export type TopicSpec = {
  readonly name: string;
  /** The embedded log has one partition per topic, whatever is asked. */
  readonly partitions: number;
  readonly cleanup: 'delete' | 'compact';
  /** For `delete`: records older than this go; undefined keeps for ever. */
  readonly retentionMs?: number;
  readonly retentionBytes?: number;
};

/** Something that reads until it is closed. `close` waits for the handler that is running, though not for ever (patience.ts), then lets go of its partitions. */
export type Consumption = {
  readonly close: () => Promise<void>;
  /** Rejects when the consumption has failed for good; resolves after `close`. */
  readonly done: Promise<void>;
};

export type ConsumeOptions = {
  readonly group: string;
  readonly topics: readonly string[];
  /** Where a group without a committed position begins. */
  readonly from: 'earliest' | 'latest';
  /**
   * At least once, in order per partition, one batch of a partition at a time. The position is committed after the promise resolves;
   * a rejection is retried. A handler that will not take all of it says, before it resolves, from which offset on: that part is offered again.
   */
  readonly onBatch: (batch: LogBatch, giveBack: (from: number) => void) => Promise<void>;
};

/** What a shard writes when it checkpoints: atomically with the input position. */
export type ShardCheckpoint = {
  readonly records: readonly Buffer[];
  /** The next input offset to read. */
  readonly position: number;
  /** These records are a full snapshot: everything that the shard wrote before may be deleted. */
  readonly full: boolean;
};

export type ShardContext = {
  readonly partition: number;
  /**
   * One transaction: records and position together, or neither. Fails with LOG_FENCED when another process has taken the shard over;
   * the handler then lets the error through and the shard is dropped.
   */
  readonly checkpoint: (checkpoint: ShardCheckpoint) => Promise<void>;
};

/**
 * One shard as the log sees it. Calls never overlap; after `close` none comes.
 * When `onBatch` or `onIdle` rejects, the shard is closed as lost and, after a pause, opened and restored anew from its last checkpoint:
 * a half-applied batch never counts. A failure that is final (a GaitError that is not retriable, LOG_FENCED apart) ends the consumption.
 */
export type ShardHandler = {
  /** The state records committed since the newest full checkpoint, oldest first, before the first batch; older owners are fenced by then. */
  readonly restore: (records: readonly Buffer[]) => void;
  /** After the last `restore`: `position` is the committed one, undefined for a shard that never checkpointed (it begins at the earliest record). */
  readonly restored: (position: number | undefined) => void;
  readonly onBatch: (batch: LogBatch) => Promise<void>;
  /** Called when there was nothing to read for about `idleMs`, to let a handler checkpoint. */
  readonly onIdle: () => Promise<void>;
  /** `lost`: another process may own the shard already, so nothing may be written; otherwise a last checkpoint is welcome. */
  readonly close: (how: 'lost' | 'closing') => Promise<void>;
};

export type ConsumeShardsOptions = {
  readonly group: string;
  readonly topic: string;
  /** Same number of partitions as `topic`; partition i holds the state of shard i. */
  readonly stateTopic: string;
  readonly idleMs: number;
  readonly open: (context: ShardContext) => ShardHandler;
};

export type TailOptions = {
  readonly topic: string;
  readonly from: 'earliest' | 'latest';
  /** Every partition, from the start, without a group: each process sees all. */
  readonly onRecords: (records: readonly LogRecord[]) => void;
};

export type Log = {
  readonly ensureTopics: (topics: readonly TopicSpec[]) => Promise<void>;
  readonly partitions: (topic: string) => Promise<number>;
  /** Resolves when all records are durable. Retries inside, for as long as the log is away, until `close`. */
  readonly append: (topic: string, records: readonly NewRecord[]) => Promise<void>;
  readonly consume: (options: ConsumeOptions) => Promise<Consumption>;
  readonly consumeShards: (options: ConsumeShardsOptions) => Promise<Consumption>;
  /** The returned `caughtUp` resolves when everything that was there at the call has been seen. */
  readonly tail: (options: TailOptions) => Promise<Consumption & { readonly caughtUp: Promise<void> }>;
  readonly close: () => Promise<void>;
};

/** Both logs refuse a larger record (LOG_REJECTED), so that what one takes the other takes too. */
export const recordBytesMax = 8 * 1024 * 1024;
