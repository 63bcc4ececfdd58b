import { setImmediate as nextTurn } from 'node:timers/promises';
import { WrittenBytes } from '../baseline/snapshot.ts';
import type { Clock, EpochMs } from '../core/clock.ts';
import type { Metrics } from '../http/metrics.ts';
import { decodeLines } from '../identity/event-line.ts';
import type { ColdFile } from '../log/cold-rows.ts';
import type { Consumption, Log, LogBatch, LogRecord, ShardContext, ShardHandler } from '../log/log.ts';
import { Shard, type ShardOptions, type ShardOutput, type Verdict } from '../pipeline.ts';
import { readNotice } from '../policy/notice.ts';
import { noticeKey } from './notices.ts';
import { ScorePacker, tickKey } from './pack.ts';

export type DetectCounts = Pick<
  Metrics,
  | 'duplicates'
  | 'late'
  | 'lag'
  | 'verdictLatency'
  | 'identitiesHeld'
  | 'stateBytesHeld'
  | 'identitiesEvicted'
  | 'activeHeld'
  | 'activeEvicted'
  | 'findings'
  | 'signals'
>;

export type DetectRoleOptions = {
  readonly log: Log;
  readonly group: string;
  readonly topics: {
    readonly [name in 'events' | 'state' | 'scores' | 'findings' | 'signals' | 'verdicts' | 'suppressions']: string;
  };
  readonly checkpointMs: number;
  readonly shardOptions: (shard: number) => ShardOptions & { readonly cold: ColdFile };
  readonly counts: DetectCounts;
  readonly clock: Clock;
  /** A line of `gait.events` that no ingest of ours wrote. */
  readonly onForeignLine: (at: { partition: number; offset: number }) => void;
};

/** A runner for each shard that this process is given. It fails for good on what trying again cannot mend (STATE_INVALID), and opens the shard anew after anything else. */
export function runDetect(options: DetectRoleOptions): Promise<Consumption> {
  return options.log.consumeShards({
    group: `${options.group}-detect`,
    topic: options.topics.events,
    stateTopic: options.topics.state,
    idleMs: 1000,
    open: (context) => new ShardRunner(options, context).handler(),
  });
}

/** About 5 ms of work, after which whoever else waits in this process has its turn: a question of an enforcement point, a request, a heartbeat. */
const eventsPerTurn = 128;

/** What is kept of a batch's verdicts until they are written: their lines and times, since events that live on cost more to collect than to judge. */
class Judged {
  readonly scores: ScorePacker;
  readonly times: EpochMs[] = [];

  constructor(shard: number) {
    this.scores = new ScorePacker(shard);
  }

  add(verdicts: readonly Verdict[]): void {
    if (verdicts.length === 0) return;
    this.scores.add(verdicts);
    for (const { resolved } of verdicts) this.times.push(resolved.event.ts);
  }
}

/** Checkpoints take at most this share of the time. */
const checkpointShare = 0.05;

/** One shard between the log and its engine: output first, then the checkpoint that covers it. */
class ShardRunner {
  readonly #options: DetectRoleOptions;
  readonly #context: ShardContext;
  readonly #shard: Shard;
  readonly #cold: ColdFile;
  #position: number | undefined;
  #checkpointed: number | undefined;
  #nextCheckpointAt = 0;
  readonly #written = new WrittenBytes();
  #counted = { duplicates: 0, late: 0, evicted: 0, activeEvicted: 0 };
  readonly #announced = new Set<string>();
  /** The checkpoint that is being written while events go on; undefined when none is. */
  #writing: Promise<void> | undefined;
  #failure: { readonly cause: unknown } | undefined;

  constructor(options: DetectRoleOptions, context: ShardContext) {
    this.#options = options;
    this.#context = context;
    const shardOptions = options.shardOptions(context.partition);
    this.#shard = new Shard(shardOptions);
    this.#cold = shardOptions.cold;
  }

  handler(): ShardHandler {
    return {
      restore: (records) => {
        for (const record of records) this.#written.add(record);
        this.#shard.restore(records);
      },
      restored: (position) => this.#restored(position),
      onBatch: (batch) => this.#onBatch(batch),
      onIdle: () => this.#onIdle(),
      close: async (how) => {
        if (how === 'closing') await this.#checkpoint();
        else await this.#writing;
        await this.#cold.close();
      },
    };
  }

  #restored(position: number | undefined): void {
    this.#shard.restored();
    const { counters, held } = this.#shard;
    this.#counted = { ...counters, ...held };
    this.#position = position;
    this.#checkpointed = position;
  }

  async #onBatch(batch: LogBatch): Promise<void> {
    const judged = new Judged(this.#context.partition);
    let sinceTurn = 0;
    for (const record of batch.records) {
      for (const resolved of this.#read(record)) {
        if (resolved === null) this.#sayForeign(record);
        else this.#shard.accept(resolved);
        if (++sinceTurn < eventsPerTurn) continue;
        sinceTurn = 0;
        judged.add(this.#shard.takeVerdicts());
        await nextTurn();
      }
    }
    this.#position = batch.records.at(-1)!.offset + 1;
    const output = this.#shard.drain();
    judged.add(output.verdicts);
    await this.#emit(output, judged);
    this.#count(batch);
    if (this.#writing === undefined && this.#options.clock.now() >= this.#nextCheckpointAt)
      await this.#beginCheckpoint();
    if (this.#failure !== undefined) throw this.#failure.cause;
  }

  /** A process that dies between its last events and their tick would leave them waiting: then the tick comes from here, through the log like any. */
  async #onIdle(): Promise<void> {
    await this.#checkpoint();
    const newest = this.#shard.newestWaiting;
    if (newest === undefined) return;
    const tick = { partition: this.#context.partition, key: tickKey, value: String(newest) };
    await this.#options.log.append(this.#options.topics.events, [tick]);
  }

  /** The record's events, null for a line that is none; whatever else it is the shard has heard. */
  #read(record: LogRecord): ReturnType<typeof decodeLines> {
    const { value } = record;
    if (value === null) return [];
    this.#shard.begin(record.timestamp);
    if (record.key === tickKey) this.#shard.tick(Number(value.toString('latin1')));
    else if (record.key === noticeKey) {
      const notice = readNotice(value);
      if (notice === null) this.#sayForeign(record);
      else this.#shard.notice(notice);
    } else return decodeLines(value);
    return [];
  }

  #sayForeign({ offset }: LogRecord): void {
    this.#options.onForeignLine({ partition: this.#context.partition, offset });
  }

  /** Findings and signals are durable before the checkpoint that covers their events; after a crash they are made again under the same ids. */
  async #emit({ findings, decisions, said }: Omit<ShardOutput, 'verdicts'>, judged: Judged): Promise<void> {
    const { log, topics } = this.#options;
    const scores = judged.scores.end();
    const topic = (name: string, records: { key: string; value: string }[]): Promise<void> | undefined =>
      records.length === 0 ? undefined : log.append(name, records);
    await Promise.all([
      topic(
        topics.findings,
        findings.map((finding) => ({ key: finding.finding_id, value: JSON.stringify(finding) })),
      ),
      topic(
        topics.signals,
        decisions.map((decision) => ({ key: decision.decision_id, value: JSON.stringify(decision) })),
      ),
      topic(
        topics.verdicts,
        said.verdicts.map((verdict) => ({ key: verdict.verdict_id, value: JSON.stringify(verdict) })),
      ),
      topic(
        topics.suppressions,
        said.suppressions.map((each) => ({ key: each.suppression_id, value: JSON.stringify(each) })),
      ),
      scores.length === 0 ? undefined : log.append(topics.scores, scores),
    ]);
    const { counts, clock } = this.#options;
    for (const { finding_id, kind, severity } of findings) if (this.#isNew(finding_id)) counts.findings(kind, severity);
    for (const { action, mode } of decisions) counts.signals(action, mode);
    const now = clock.now();
    for (const ts of judged.times) counts.verdictLatency(Math.max(0, now - ts) / 1000);
  }

  /** For the metric only, so it may forget. */
  #isNew(id: string): boolean {
    if (this.#announced.has(id)) return false;
    if (this.#announced.size >= 10_000) this.#announced.clear();
    this.#announced.add(id);
    return true;
  }

  /** State as it is now, on the disk or at the broker when this resolves. */
  async #checkpoint(): Promise<void> {
    await this.#writing;
    await this.#beginCheckpoint();
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure.cause;
  }

  /**
   * Takes the state before the shard's next event, and writes it while events go on: writing takes longer than anything else that a batch does.
   * Other shards and questions have their turn between the steps of taking it, a tenth of a second altogether.
   */
  async #beginCheckpoint(): Promise<void> {
    const position = this.#position;
    if (position === undefined || position === this.#checkpointed) return;
    const { clock, checkpointMs } = this.#options;
    const startedAt = clock.now();
    const full = this.#written.isSnapshotDue;
    const records: Buffer[] = [];
    for (const taken of this.#shard.checkpoint(full)) {
      records.push(...taken);
      await nextTurn();
    }
    for (const record of records) this.#written.add(record);
    this.#checkpointed = position;
    this.#writing = this.#context
      .checkpoint({ records, position, full })
      .catch((cause: unknown) => {
        this.#failure = { cause };
      })
      .finally(() => {
        this.#writing = undefined;
        this.#nextCheckpointAt = clock.now() + Math.max(checkpointMs, (clock.now() - startedAt) / checkpointShare);
      });
  }

  #count(batch: LogBatch): void {
    const { counts } = this.#options;
    const { partition } = this.#context;
    const { held } = this.#shard;
    const { duplicates, late } = this.#shard.counters;
    counts.duplicates(duplicates - this.#counted.duplicates);
    counts.late(late - this.#counted.late);
    counts.identitiesEvicted(held.evicted - this.#counted.evicted);
    counts.activeEvicted(held.activeEvicted - this.#counted.activeEvicted);
    this.#counted = { duplicates, late, ...held };
    counts.lag(batch.topic, partition, batch.end - this.#position!);
    counts.identitiesHeld(partition, this.#shard.identities);
    counts.activeHeld(partition, held.active);
    counts.stateBytesHeld(partition, this.#shard.bytes);
  }
}
