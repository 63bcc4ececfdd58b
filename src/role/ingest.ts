import type { Clock, EpochMs } from '../core/clock.ts';
import { sleep } from '../core/sleep.ts';
import type { Metrics } from '../http/metrics.ts';
import type { DeadLetter } from '../identity/dead-letter.ts';
import type { Ingest, Ingested } from '../identity/ingest.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';
import type { Consumption, Log, LogBatch } from '../log/log.ts';
import { Pace } from './pace.ts';
import { packEvents, partitionOf, tickKey } from './pack.ts';

export type IngestCounts = Pick<Metrics, 'eventsIn' | 'deadLettered' | 'routesOther' | 'lag'>;

export type IntakeOptions = {
  readonly log: Log;
  readonly topics: { readonly events: string; readonly deadLetter: string };
  readonly reorderWindowMs: number;
  readonly counts: IngestCounts;
  readonly ingest: Pick<Ingest, 'otherRoutes'>;
  readonly onError: (error: unknown) => void;
};

/**
 * The way into `gait.events`, for topics, HTTP and files alike. After a partition has been quiet for the reorder window a tick follows its
 * last event, so that what waits for its turn is released by the log's own content, and a replay of the log releases it at the same place.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #partitions: number;
  readonly #newest = new Map<number, EpochMs>();
  #otherRoutes = 0;
  readonly #timers = new Map<number, NodeJS.Timeout>();

  private constructor(options: IntakeOptions, partitions: number) {
    this.#options = options;
    this.#partitions = partitions;
  }

  static async open(options: IntakeOptions): Promise<Intake> {
    return new Intake(options, await options.log.partitions(options.topics.events));
  }

  /** Resolves when events and dead letters are durable. Only their lines wait for that: events that live on cost more to collect than to read. */
  append(source: string, events: readonly ResolvedEvent[], deadLetters: readonly DeadLetter[]): Promise<void> {
    const { log, topics, counts, ingest } = this.#options;
    const letters = deadLetters.map((letter) => ({ key: letter.id, value: JSON.stringify(letter) }));
    const newest = this.#options.reorderWindowMs > 0 ? this.#newestOf(events) : null;
    const { length } = events;
    const reasons = deadLetters.map(({ reason }) => reason);
    const appends = [
      length === 0 ? undefined : log.append(topics.events, packEvents(events, this.#partitions)),
      letters.length === 0 ? undefined : log.append(topics.deadLetter, letters),
    ];
    const count = (): void => {
      const otherRoutes = ingest.otherRoutes();
      counts.routesOther(otherRoutes - this.#otherRoutes);
      this.#otherRoutes = otherRoutes;
      counts.eventsIn(source, length);
      for (const reason of reasons) counts.deadLettered(reason, 1);
      if (newest !== null) this.#expectQuiet(newest);
    };
    return Promise.all(appends).then(count);
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #newestOf(events: readonly ResolvedEvent[]): ReadonlyMap<number, EpochMs> {
    const newest = new Map<number, EpochMs>();
    for (const { identity, event } of events) {
      const partition = partitionOf(identity, this.#partitions);
      newest.set(partition, Math.max(event.ts, newest.get(partition) ?? 0));
    }
    return newest;
  }

  #expectQuiet(newest: ReadonlyMap<number, EpochMs>): void {
    for (const [partition, ts] of newest) {
      this.#newest.set(partition, Math.max(ts, this.#newest.get(partition) ?? 0));
      const timer = this.#timers.get(partition);
      if (timer === undefined) this.#timers.set(partition, this.#tickAfterQuiet(partition));
      else timer.refresh();
    }
  }

  #tickAfterQuiet(partition: number): NodeJS.Timeout {
    const tick = (): void => {
      const record = { partition, key: tickKey, value: String(this.#newest.get(partition)) };
      this.#options.log.append(this.#options.topics.events, [record]).catch(this.#options.onError);
    };
    return setTimeout(tick, this.#options.reorderWindowMs);
  }
}

export type IngestRoleOptions = {
  readonly log: Log;
  readonly group: string;
  readonly sources: readonly { readonly topic: string; readonly from: 'earliest' | 'latest' }[];
  readonly ingest: Ingest;
  readonly intake: Intake;
  readonly counts: IngestCounts;
  readonly clock: Clock;
};

/** How long a partition that is ahead waits for the others with its batch in hand; then they get a turn to be fetched. */
const waitMs = 100;

/** Before its very first step a partition waits until the others of the same fetch have said where they stand. */
const firstWaitMs = 200;

/** Records, and events, that are read and appended together. */
const atOnceMax = 1000;

/** Reads the gateways' topics. At least once: what a restart sends again is dropped in the shard by its source position. */
export async function runIngest(options: IngestRoleOptions): Promise<readonly Consumption[]> {
  const { log, group, intake, counts } = options;
  const pace = new Pace(options);
  const onBatch = async (batch: LogBatch, giveBack: (from: number) => void): Promise<void> => {
    const { topic, partition } = batch;
    const last = batch.records.at(-1)!.offset;
    const reading = new Reading(options, batch);
    const stand = (): boolean => {
      const next = reading.peek();
      const behind = next !== undefined || last + 1 < batch.end;
      const front = next?.ts ?? reading.ts;
      return front !== undefined && pace.move(topic, partition, { front, behind });
    };
    const appendSome = (): Promise<void> | undefined => {
      const { events, deadLetters, records } = reading.take(pace.horizon(topic, partition));
      return records === 0 ? undefined : intake.append(topic, events, deadLetters);
    };
    if (stand()) await sleep(firstWaitMs);
    while (reading.peek() !== undefined) {
      const appending = appendSome();
      if (appending !== undefined) {
        await appending;
        stand();
      } else if (!(await pace.moved(waitMs))) {
        giveBack(reading.peek()!.offset);
        break;
      }
    }
    counts.lag(topic, partition, batch.end - (reading.peek()?.offset ?? last + 1));
  };
  const starts = (['earliest', 'latest'] as const).map((from) => ({
    from,
    topics: options.sources.filter((source) => source.from === from).map((source) => source.topic),
  }));
  const consumptions: Consumption[] = [];
  for (const { from, topics } of starts) {
    if (topics.length > 0)
      consumptions.push(await log.consume({ group: `${group}-ingest-${from}`, topics, from, onBatch }));
  }
  return consumptions;
}

type IngestedRecord = { readonly ingested: Ingested; readonly offset: number; readonly ts: EpochMs | undefined };

/** The records of a batch, read no sooner than they are asked for: a batch can hold tens of thousands of events. */
class Reading {
  /** Of the last record that was read. */
  ts: EpochMs | undefined;
  readonly #options: IngestRoleOptions;
  readonly #batch: LogBatch;
  #at = 0;
  #next: IngestedRecord | undefined;

  constructor(options: IngestRoleOptions, batch: LogBatch) {
    this.#options = options;
    this.#batch = batch;
  }

  /** The next record, not taken yet; undefined at the end. One without an event stands at the time of the one before it. */
  peek(): IngestedRecord | undefined {
    const { ingest, clock } = this.#options;
    const { topic, partition, records } = this.#batch;
    while (this.#next === undefined && this.#at < records.length) {
      const { offset, value } = records[this.#at++]!;
      if (value === null) continue;
      const ingested = ingest.ingest(value, { topic, partition, offset, index: 0 }, clock.now());
      this.ts = ingested.events[0]?.event.ts ?? this.ts;
      this.#next = { ingested, offset, ts: this.ts };
    }
    return this.#next;
  }

  /** What comes next up to an event time, as much as is appended together. */
  take(horizon: EpochMs): Ingested & { readonly records: number } {
    const events: ResolvedEvent[] = [];
    const deadLetters: DeadLetter[] = [];
    let records = 0;
    for (; records < atOnceMax && events.length < atOnceMax; records++) {
      const next = this.peek();
      if (next === undefined || (next.ts ?? 0) > horizon) break;
      for (const event of next.ingested.events) events.push(event);
      for (const letter of next.ingested.deadLetters) deadLetters.push(letter);
      this.#next = undefined;
    }
    return { events, deadLetters, records };
  }
}
