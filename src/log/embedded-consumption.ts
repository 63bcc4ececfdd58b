import { setImmediate as nextTurn } from 'node:timers/promises';
import { GaitError } from '../core/errors.ts';
import type {
  ConsumeOptions,
  ConsumeShardsOptions,
  Consumption,
  Log,
  LogBatch,
  LogRecord,
  ShardCheckpoint,
  TailOptions,
} from './log.ts';
import { asGaitError, createBackoff, isFinal, type OnTrouble, retryUntilDone } from './retry.ts';

/** What reading needs of the storage. */
export type EmbeddedStorage = {
  /** From the first record at or after `from`; a bounded number of them, none when there is none. */
  readonly read: (topic: string, from: number) => readonly LogRecord[];
  readonly end: (topic: string) => number;
  readonly position: (group: string, topic: string) => number | undefined;
  readonly commit: (group: string, topic: string, position: number) => Promise<void>;
  readonly checkpoint: (
    change: ShardCheckpoint & Pick<ConsumeShardsOptions, 'group' | 'topic' | 'stateTopic'>,
  ) => Promise<void>;
  /** True when the topic changed or was woken, false after `ms`; the caller looks again. */
  readonly changed: (topic: string, ms: number) => Promise<boolean>;
  readonly wake: (topic: string) => void;
};

type Parts = { readonly storage: EmbeddedStorage; readonly closing: AbortSignal; readonly onTrouble: OnTrouble };
type Owners = ReturnType<typeof createOwners>;

/** How long a reader sleeps when neither an append nor a close wakes it. */
const restMs = 60_000;

/** The three ways to read the embedded log. Readers sleep until an append wakes them. */
export function createConsumptions(
  parts: Parts,
): Pick<Log, 'consume' | 'consumeShards' | 'tail'> & { readonly closeAll: () => Promise<void> } {
  const readers = new Set<Consumption>();
  const owners = createOwners();
  const start = (
    topics: readonly string[],
    run: (topic: string, signal: AbortSignal) => Promise<void>,
  ): Consumption => {
    if (parts.closing.aborted) throw new GaitError('LOG_UNAVAILABLE', 'the log is closed');
    const stop = new AbortController();
    const abort = (): void => {
      stop.abort();
      for (const topic of topics) parts.storage.wake(topic);
    };
    const done = Promise.all(topics.map((topic) => run(topic, stop.signal).finally(abort))).then(() => {
      readers.delete(reader);
    });
    // Whoever awaits `done` hears of a failure; that nobody does is no reason to crash the process.
    const ended = done.catch(() => {});
    const close = (): Promise<void> => {
      abort();
      return ended;
    };
    const reader: Consumption = { done, close };
    readers.add(reader);
    return reader;
  };
  return {
    consume: async (options) =>
      start(options.topics, (topic, signal) => consumeTopic(parts, owners, { options, topic, signal })),
    consumeShards: async (options) =>
      start([options.topic], (_topic, signal) => consumeShard(parts, owners, { options, signal })),
    tail: async (options) => startTail(parts, options, start),
    closeAll: async () => {
      await Promise.all([...readers].map((reader) => reader.close()));
    },
  };
}

/** Among the members of one group the newest reads; when it leaves, the one before it takes over again. */
function createOwners() {
  const members = new Map<string, symbol[]>();
  return {
    join: (storage: EmbeddedStorage, group: string, topic: string) => {
      const me = Symbol(group);
      const key = JSON.stringify([group, topic]);
      members.set(key, [...(members.get(key) ?? []), me]);
      storage.wake(topic);
      return {
        owns: () => members.get(key)?.at(-1) === me,
        leave: () => {
          members.set(key, members.get(key)?.filter((member) => member !== me) ?? []);
          storage.wake(topic);
        },
      };
    },
  };
}

type ReadOptions = {
  readonly topic: string;
  readonly from: number;
  readonly goesOn: () => boolean;
  readonly idleMs?: number;
  /** Resolves to the offset to go on from. */
  readonly onBatch: (batch: LogBatch) => Promise<number>;
  /** There is nothing more to read at this moment. */
  readonly onEnd?: () => void;
  readonly onIdle?: () => Promise<void>;
};

function afterLast({ records }: Pick<LogBatch, 'records'>): number {
  return records.at(-1)!.offset + 1;
}

async function readOn(storage: EmbeddedStorage, options: ReadOptions): Promise<void> {
  const { topic, goesOn } = options;
  let position = options.from;
  while (goesOn()) {
    const records = storage.read(topic, position);
    if (records.length > 0) {
      position = await options.onBatch({ topic, partition: 0, records, end: storage.end(topic) });
      // Handlers that never wait must not keep timers and sockets from their turn.
      await nextTurn();
    } else {
      options.onEnd?.();
      const changed = await storage.changed(topic, options.idleMs ?? restMs);
      if (!changed && goesOn()) await options.onIdle?.();
    }
  }
}

async function consumeTopic(
  { storage, onTrouble }: Parts,
  owners: Owners,
  {
    options,
    topic,
    signal,
  }: { readonly options: ConsumeOptions; readonly topic: string; readonly signal: AbortSignal },
): Promise<void> {
  const member = owners.join(storage, options.group, topic);
  const goesOn = (): boolean => !signal.aborted && member.owns();
  let committing = Promise.resolve();
  const onBatch = async (batch: LogBatch): Promise<number> => {
    const retry = { doing: `handling a batch of ${topic}`, signal, onTrouble };
    let next = afterLast(batch);
    const handle = (): Promise<void> => {
      next = afterLast(batch);
      return options.onBatch(batch, (from) => {
        next = from;
      });
    };
    if (!(await retryUntilDone(handle, retry)) || !member.owns()) return next;
    await committing;
    // Not awaited here: at worst a crash repeats the batches whose position was still on its way to the disk.
    committing = storage.commit(options.group, topic, next).catch((error) => {
      onTrouble(asGaitError(error, `committing the position of ${options.group} in ${topic}`));
    });
    return next;
  };
  try {
    while (!signal.aborted) {
      const from = storage.position(options.group, topic) ?? (options.from === 'latest' ? storage.end(topic) : 0);
      await readOn(storage, { topic, from, goesOn, onBatch });
      await committing;
      if (!signal.aborted) await storage.changed(topic, restMs);
    }
  } finally {
    member.leave();
  }
}

async function consumeShard(
  parts: Parts,
  owners: Owners,
  { options, signal }: { readonly options: ConsumeShardsOptions; readonly signal: AbortSignal },
): Promise<void> {
  const member = owners.join(parts.storage, options.group, options.topic);
  const backoff = createBackoff(signal);
  try {
    while (!signal.aborted) {
      try {
        if (member.owns())
          await runShard(parts.storage, options, { owns: member.owns, signal, onProgress: backoff.reset });
        else await parts.storage.changed(options.topic, restMs);
      } catch (error) {
        const failure = asGaitError(error, `running the shard of ${options.topic}`);
        if (isFinal(failure) && failure.code !== 'LOG_FENCED') throw failure;
        parts.onTrouble(failure);
        await backoff.wait();
      }
    }
  } finally {
    member.leave();
  }
}

type Ownership = { readonly owns: () => boolean; readonly signal: AbortSignal; readonly onProgress: () => void };

/** From opening the shard until it is lost, failed or told to stop; state is always that of the last checkpoint plus the batches since. */
async function runShard(storage: EmbeddedStorage, options: ConsumeShardsOptions, ownership: Ownership): Promise<void> {
  const { group, topic, stateTopic, idleMs } = options;
  let open = true;
  const handler = options.open({
    partition: 0,
    checkpoint: async (checkpoint) => {
      if (!open || !ownership.owns()) throw new GaitError('LOG_FENCED', `the shard of ${topic} has another owner`);
      await storage.checkpoint({ ...checkpoint, group, topic, stateTopic });
    },
  });
  let how: 'lost' | 'closing' = 'lost';
  try {
    for (let from = 0; ; ) {
      const records = storage.read(stateTopic, from);
      if (records.length === 0) break;
      handler.restore(records.map(({ value }) => value ?? Buffer.alloc(0)));
      from = records.at(-1)!.offset + 1;
      await nextTurn();
    }
    const position = storage.position(group, topic);
    handler.restored(position);
    const goesOn = (): boolean => !ownership.signal.aborted && ownership.owns();
    const onBatch = async (batch: LogBatch): Promise<number> => {
      await handler.onBatch(batch);
      ownership.onProgress();
      return afterLast(batch);
    };
    await readOn(storage, { topic, from: position ?? 0, goesOn, idleMs, onBatch, onIdle: handler.onIdle });
    if (ownership.owns()) how = 'closing';
  } finally {
    open = how === 'closing';
    await handler.close(how);
    open = false;
  }
}

function startTail(
  { storage, onTrouble }: Parts,
  options: TailOptions,
  start: (topics: readonly string[], run: (topic: string, signal: AbortSignal) => Promise<void>) => Consumption,
): Consumption & { readonly caughtUp: Promise<void> } {
  const there = storage.end(options.topic);
  let caughtUp: () => void = () => {};
  const whenCaughtUp = new Promise<void>((resolve) => {
    caughtUp = resolve;
  });
  const reader = start([options.topic], (topic, signal) =>
    readOn(storage, {
      topic,
      from: options.from === 'latest' ? there : 0,
      goesOn: () => !signal.aborted,
      onEnd: caughtUp,
      onBatch: async (batch) => {
        const retry = { doing: `handling records of ${topic}`, signal, onTrouble };
        await retryUntilDone(async () => options.onRecords(batch.records), retry);
        if (afterLast(batch) >= there) caughtUp();
        return afterLast(batch);
      },
    }),
  );
  return { ...reader, caughtUp: whenCaughtUp };
}
