import type { EpochMs } from '../core/clock.ts';
import { RecentMap } from '../core/recent-map.ts';
import type { Verdict } from '../policy/enforce.ts';

/** What one enforcement point was answered about one decision. */
export type AnswerCount = {
  readonly decisionId: string;
  readonly point: string;
  readonly firstAt: EpochMs;
  lastAt: EpochMs;
  /** Calls that were let through although the decision concerned them (a throttle that is not exhausted). */
  allowed: number;
  refused: number;
  /** How often it was given the decision to act on by itself. */
  handed: number;
  /** Of all these when they were last taken. */
  taken: number;
};

/** Pairs of decision and point; beyond it those answered longest ago are forgotten. */
const countsMax = 50_000;

/** Counts answers, so that receipts can say who has seen a decision and whether the calls stopped. */
export class AnswerCounts {
  readonly #counts = new RecentMap<AnswerCount>(countsMax);

  count({ kind, held }: Verdict, point: string, at: EpochMs): void {
    if (held === undefined) return;
    const count = this.#countOf(held.id, point, at);
    if (kind === 'allow') count.allowed++;
    else count.refused++;
  }

  hand(decisionId: string, point: string, at: EpochMs): void {
    this.#countOf(decisionId, point, at).handed++;
  }

  /** Those that were answered since they were last taken, as they stand now. */
  take(): readonly Readonly<AnswerCount>[] {
    const news: AnswerCount[] = [];
    for (const count of this.#counts.values()) {
      const answers = count.allowed + count.refused + count.handed;
      if (answers === count.taken) continue;
      count.taken = answers;
      news.push({ ...count });
    }
    return news;
  }

  #countOf(decisionId: string, point: string, at: EpochMs): AnswerCount {
    const name = `${decisionId} ${point}`;
    let count = this.#counts.get(name);
    if (count === undefined) {
      count = { decisionId, point, firstAt: at, lastAt: at, allowed: 0, refused: 0, handed: 0, taken: 0 };
      this.#counts.set(name, count);
    }
    count.lastAt = at;
    return count;
  }
}
