import { setImmediate as nextTurn } from 'node:timers/promises';
import { GaitError } from '../core/errors.ts';
import { sleep } from '../core/sleep.ts';
import type { FetchedBatch, GroupMember, KafkaClient, ShardProducer, StateRecord } from './kafka-client.ts';
import type { ConsumeShardsOptions, Consumption, ShardCheckpoint, ShardHandler } from './log.ts';
import { asGaitError, isFinal } from './retry.ts';

/** Pause before a failed shard is opened again; longer after a fence, so that a rebalance can reach us first and give it to its new owner. */
const reopenMs = 500;
const reopenFencedMs = 5000;

/**
 * One group subscribed to the input and the state topic, partition i of both with the same member. Every join drops all shards and
 * restores those assigned: dearer than keeping some, and safe whatever happened in between. The order in which a shard comes to life:
 * fence the older owners and write a marker; read the state up to the marker; hand it to the handler; read the input from the position.
 */
export function consumeShards(client: KafkaClient, options: ConsumeShardsOptions): Consumption {
  const shards = new Map<number, Shard>();
  // The end of what was last done for a partition: its next shard begins after it, so that no two are ever open.
  const ends = new Map<number, Promise<void>>();
  let generation = 0;
  let fail: (error: GaitError) => void = () => {};
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  failed.catch(() => {});

  const drop = async (how: 'lost' | 'closing'): Promise<void> => {
    generation++;
    for (const [partition, shard] of shards) ends.set(partition, shard.close(how));
    shards.clear();
    await Promise.all(ends.values());
  };
  const openShard = (partition: number, member: GroupMember): void => {
    const mine = generation;
    const onFailure = async (error: unknown): Promise<void> => {
      const failure = asGaitError(error, `running shard ${partition} of ${options.topic}`);
      if (isFinal(failure) && failure.code !== 'LOG_FENCED') return fail(failure);
      if (generation !== mine) return;
      client.onTrouble(failure);
      ends.set(partition, shard.close('lost'));
      shards.delete(partition);
      await sleep(failure.code === 'LOG_FENCED' ? reopenFencedMs : reopenMs, client.closing);
      if (generation === mine && !client.closing.aborted) openShard(partition, member);
    };
    const shard = new Shard({ client, options, partition, member, onFailure });
    shards.set(partition, shard);
    shard.open(ends.get(partition) ?? Promise.resolve());
  };

  const idle = setInterval(
    () => {
      for (const shard of shards.values()) shard.lookIdle();
    },
    Math.max(options.idleMs / 4, 5),
  );
  const reading = client.readGroup({
    group: options.group,
    topics: [options.topic, options.stateTopic],
    from: 'earliest',
    commits: false,
    onJoin: (assignment, member) => {
      void drop('lost');
      for (const partition of assignment[options.topic] ?? []) openShard(partition, member);
    },
    onBatch: async (batch, leaving) => {
      // A rebalance does not wait for a slow handler: the shard is lost then, and what it still tries to write is fenced off.
      const left = new Promise<false>((resolve) =>
        leaving.addEventListener('abort', () => resolve(false), { once: true }),
      );
      return (await Promise.race([shards.get(batch.partition)?.onBatch(batch), left])) ?? false;
    },
    onRead: (topic, partition, next) => {
      if (topic === options.topic) shards.get(partition)?.skipTo(next);
    },
    onLeave: drop,
  });
  const done = Promise.race([reading.done, failed]).finally(async () => {
    clearInterval(idle);
    await reading.close();
  });
  done.catch(() => {});
  return { done, close: reading.close };
}

type ShardParts = {
  readonly client: KafkaClient;
  readonly options: ConsumeShardsOptions;
  readonly partition: number;
  readonly member: GroupMember;
  /** Told once; the shard does nothing more until it is closed. */
  readonly onFailure: (error: unknown) => Promise<void>;
};

/** One shard in one generation of the group: opened once, closed once. */
class Shard {
  readonly #parts: ShardParts;
  #phase: 'opening' | 'restoring' | 'running' | 'failed' | 'closed' = 'opening';
  #producer: ShardProducer | undefined;
  #handler: ShardHandler | undefined;
  /** Handler calls and checkpoints, each one after the other. */
  #calls: Promise<unknown> = Promise.resolve();
  #checkpoints: Promise<unknown> = Promise.resolve();
  #writable = true;
  #state: Buffer[] = [];
  #committed: number | undefined;
  #marker = 0;
  /** The next input offset the handler has not seen. */
  #next = 0;
  #lastActive = 0;

  constructor(parts: ShardParts) {
    this.#parts = parts;
  }

  open(after: Promise<void>): void {
    const { client, options, partition, member } = this.#parts;
    member.pause(options.topic, partition);
    member.pause(options.stateTopic, partition);
    void this.#exclusive(async () => {
      await after;
      if (this.#phase !== 'opening') return;
      const { group, topic, stateTopic } = options;
      this.#producer = await client.openShardProducer({ group, topic, stateTopic, partition });
      this.#marker = await this.#producer.transact([{ key: 'open', value: '' }]);
      const begin = await this.#lowest(stateTopic);
      if (this.#phase !== 'opening') return;
      this.#phase = 'restoring';
      member.seek(stateTopic, partition, begin);
      member.resume(stateTopic, partition);
    });
  }

  /** Whether the batch was taken; what is not is fetched again after the next seek. */
  onBatch(batch: FetchedBatch): Promise<boolean> {
    const isState = batch.topic === this.#parts.options.stateTopic;
    return this.#exclusive(() => (isState ? this.#onState(batch) : this.#onInput(batch)));
  }

  /** Over records that are never shown. */
  skipTo(next: number): void {
    if (this.#phase === 'running') this.#next = Math.max(this.#next, next);
  }

  lookIdle(): void {
    if (this.#phase !== 'running' || performance.now() - this.#lastActive < this.#parts.options.idleMs) return;
    this.#lastActive = performance.now();
    void this.#exclusive(async () => {
      if (this.#phase === 'running') await this.#handler?.onIdle();
      this.#lastActive = performance.now();
    });
  }

  /** Waits for the call that is running. Never rejects. */
  async close(how: 'lost' | 'closing'): Promise<void> {
    const ending = this.#phase === 'running' ? how : 'lost';
    this.#phase = 'closed';
    if (ending === 'lost') this.#writable = false;
    await this.#calls;
    await this.#handler
      ?.close(ending)
      .catch((error) => this.#parts.client.onTrouble(asGaitError(error, 'closing a shard')));
    this.#writable = false;
    await this.#checkpoints;
    await this.#producer?.close().catch(() => {});
  }

  /** Handler calls never overlap; the first that fails is the last. */
  #exclusive<T>(run: () => Promise<T>): Promise<T | false> {
    const call = this.#calls.then(run).catch((error: unknown): false => {
      this.#fail(error);
      return false;
    });
    this.#calls = call;
    return call;
  }

  #fail(error: unknown): void {
    if (this.#phase === 'failed' || this.#phase === 'closed') return;
    this.#phase = 'failed';
    this.#writable = false;
    const { options, partition, member } = this.#parts;
    member.pause(options.topic, partition);
    member.pause(options.stateTopic, partition);
    void this.#parts.onFailure(error);
  }

  async #onState(batch: FetchedBatch): Promise<boolean> {
    if (this.#phase !== 'restoring') return false;
    for (const { offset, key, value } of batch.records) {
      if (key === 'full') this.#state = [];
      else if (key === 'rows' && value) this.#state.push(value);
      else if (key === 'position') this.#committed = Number(value);
      if (offset === this.#marker) {
        await this.#start();
        break;
      }
    }
    return true;
  }

  async #start(): Promise<void> {
    const { options, partition, member } = this.#parts;
    member.pause(options.stateTopic, partition);
    this.#handler = options.open({ partition, checkpoint: (checkpoint) => this.#checkpoint(checkpoint) });
    for (const record of this.#state) {
      this.#handler.restore([record]);
      // 50 MB of state must not keep heartbeats from their turn.
      await nextTurn();
    }
    this.#state = [];
    this.#handler.restored(this.#committed);
    this.#next = this.#committed ?? (await this.#lowest(options.topic));
    if (this.#phase !== 'restoring') return;
    this.#phase = 'running';
    this.#lastActive = performance.now();
    member.seek(options.topic, partition, this.#next);
    member.resume(options.topic, partition);
  }

  async #onInput(batch: FetchedBatch): Promise<boolean> {
    const { options, partition, member } = this.#parts;
    if (this.#phase !== 'running') return false;
    // Ahead of what the handler saw: right only when the records in between are gone (retention), else a fetch from before a seek.
    if (batch.fetchedFrom > this.#next && (await this.#lowest(options.topic)) < batch.fetchedFrom) {
      member.seek(options.topic, partition, this.#next);
      return false;
    }
    const records = batch.records.filter(({ offset }) => offset >= this.#next);
    if (records.length > 0) await this.#handler?.onBatch({ topic: batch.topic, partition, records, end: batch.end });
    this.#next = Math.max(this.#next, batch.lastOffset + 1);
    this.#lastActive = performance.now();
    return true;
  }

  #checkpoint({ records, position, full }: ShardCheckpoint): Promise<void> {
    const { client, options, partition } = this.#parts;
    const change: StateRecord[] = records.map((value) => ({ key: 'rows', value }));
    if (full) change.unshift({ key: 'full', value: '' });
    change.push({ key: 'position', value: String(position) });
    const checkpoint = this.#checkpoints.then(async () => {
      if (!this.#writable || !this.#producer)
        throw new GaitError('LOG_FENCED', `shard ${partition} of ${options.topic} is no longer ours`);
      const first = await this.#producer.transact(change, position);
      // Not awaited: what is left over is skipped by the next restore and deleted by the next full checkpoint.
      if (full) void client.admin.deleteRecords(options.stateTopic, partition, first).catch(client.onTrouble);
    });
    // Whether a failed transaction took effect is not known: the shard must be restored even if the handler goes on.
    this.#checkpoints = checkpoint.catch((error) => this.#fail(error));
    return checkpoint;
  }

  async #lowest(topic: string): Promise<number> {
    const offsets = await this.#parts.client.admin.offsets(topic);
    return offsets.find(({ partition }) => partition === this.#parts.partition)?.low ?? 0;
  }
}
