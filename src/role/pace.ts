import type { Clock, EpochMs } from '../core/clock.ts';
import { sleep } from '../core/sleep.ts';

export type PaceOptions = {
  readonly clock: Clock;
  /** How far a partition may run ahead of the slowest one in event time. */
  readonly slackMs?: number;
  /** After so long without a step a partition goes on by one slack all the same: one wrong time must not hold it for ever. */
  readonly patienceMs?: number;
  /** A partition that has not moved for so long is not waited for: another process reads it now, or its leader is away. */
  readonly forgetMs?: number;
};

/** Where a partition stands: the event time of what comes next, or came last when nothing is known of the next. */
type Runner = { readonly front: EpochMs; readonly behind: boolean; readonly movedAt: EpochMs };

/**
 * Lets the partitions of a topic that catch up run side by side in event time. A client hands out a megabyte of each in turn, which can be
 * an hour of one and a minute of another; the shards would call the slower one's events late. Only what this process reads is known here.
 */
export class Pace {
  readonly #options: Required<PaceOptions>;
  readonly #runners = new Map<string, Map<number, Runner>>();
  /** Aborts at the next step, for those who wait for one. */
  #moved: AbortController | undefined;

  constructor(options: PaceOptions) {
    this.#options = { slackMs: 8000, patienceMs: 2000, forgetMs: 10_000, ...options };
  }

  /** `behind`: there is more to read. Standing still at the same place is no step. True for a partition that was not known before. */
  move(topic: string, partition: number, to: { readonly front: EpochMs; readonly behind: boolean }): boolean {
    const runners = this.#runners.get(topic) ?? new Map<number, Runner>();
    this.#runners.set(topic, runners);
    const before = runners.get(partition);
    if (before?.front === to.front && before.behind === to.behind) return false;
    runners.set(partition, { ...to, movedAt: this.#options.clock.now() });
    this.#moved?.abort();
    this.#moved = undefined;
    return before === undefined;
  }

  /** Up to this event time the partition may go on. */
  horizon(topic: string, partition: number): EpochMs {
    const { clock, slackMs, patienceMs, forgetMs } = this.#options;
    const now = clock.now();
    let slowest = Number.POSITIVE_INFINITY;
    for (const [other, { front, behind, movedAt }] of this.#runners.get(topic) ?? []) {
      if (other === partition && now - movedAt > patienceMs) return front + slackMs;
      if (other !== partition && behind && now - movedAt < forgetMs) slowest = Math.min(slowest, front);
    }
    return slowest + slackMs;
  }

  /** Resolves when some partition has moved, at the latest after `ms`. */
  async moved(ms: number): Promise<boolean> {
    this.#moved ??= new AbortController();
    const { signal } = this.#moved;
    await sleep(ms, signal);
    return signal.aborted;
  }
}
