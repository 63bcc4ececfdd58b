import { type Clock, type EpochMs, sleep } from '../core/clock.ts';
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

  /** Resolves when events and dead letters are durable. */
  async append(source: string, events: readonly ResolvedEvent[], deadLetters: readonly DeadLetter[]): Promise<void> {
    const { log, topics, counts, ingest } = this.#options;
    const letters = deadLetters.map((letter) => ({ key: letter.id, value: JSON.stringify(letter) }));
    await Promise.all([
      events.length === 0 ? undefined : log.append(topics.events, packEvents(events, this.#partitions)),
      letters.length === 0 ? undefined : log.append(topics.deadLetter, letters),
    ]);
    const otherRoutes = ingest.otherRoutes();
    counts.routesOther(otherRoutes - this.#otherRoutes);
    this.#otherRoutes = otherRoutes;
    counts.eventsIn(source, events.length);
    for (const { reason } of deadLetters) counts.deadLettered(reason, 1);
    if (this.#options.reorderWindowMs > 0) this.#expectQuiet(events);
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #expectQuiet(events: readonly ResolvedEvent[]): void {
    const touched = new Set<number>();
    for (const { identity, event } of events) {
      const partition = partitionOf(identity, this.#partitions);
      touched.add(partition);
      this.#newest.set(partition, Math.max(event.ts, this.#newest.get(partition) ?? 0));
    }
    for (const partition of touched) {
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

type IngestedRecord = Ingested & { readonly offset: number; readonly ts: EpochMs | undefined };

/** Reads the gateways' topics. At least once: what a restart sends again is dropped in the shard by its source position. */
export async function runIngest(options: IngestRoleOptions): Promise<readonly Consumption[]> {
  const { log, group, intake, counts } = options;
  const pace = new Pace(options);
  const onBatch = async (batch: LogBatch, giveBack: (from: number) => void): Promise<void> => {
    const { topic, partition } = batch;
    const read = readBatch(options, batch);
    const last = batch.records.at(-1)!.offset;
    const stand = (next: number): boolean => {
      const behind = next < read.length || last + 1 < batch.end;
      const front = (read[next] ?? read.at(-1))?.ts;
      return front !== undefined && pace.move(topic, partition, { front, behind });
    };
    if (stand(0)) await sleep(firstWaitMs);
    let taken = 0;
    while (taken < read.length) {
      const horizon = pace.horizon(topic, partition);
      let next = taken;
      while (next < read.length && (read[next]!.ts ?? 0) <= horizon) next++;
      if (next > taken) {
        const part = read.slice(taken, next);
        const events = part.flatMap((record) => record.events);
        await intake.append(
          topic,
          events,
          part.flatMap((record) => record.deadLetters),
        );
        taken = next;
        stand(taken);
      } else if (!(await pace.moved(waitMs))) {
        giveBack(read[taken]!.offset);
        break;
      }
    }
    counts.lag(topic, partition, batch.end - (read[taken]?.offset ?? last + 1));
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

/** A record without an event stands at the time of the one before it. */
function readBatch({ ingest, clock }: IngestRoleOptions, batch: LogBatch): readonly IngestedRecord[] {
  const read: IngestedRecord[] = [];
  for (const { offset, value } of batch.records) {
    if (value === null) continue;
    const position = { topic: batch.topic, partition: batch.partition, offset, index: 0 };
    const ingested = ingest.ingest(value, position, clock.now());
    const ts = ingested.events[0]?.event.ts ?? read.at(-1)?.ts;
    read.push({ ...ingested, offset, ts });
  }
  return read;
}
