import { describeError } from '../core/errors.ts';
import { noun } from '../core/noun.ts';
import { sleep } from '../core/sleep.ts';
import type { Consumption, Log } from '../log/log.ts';
import { type Receipt, receiptKey } from '../policy/decision.ts';
import type { AnswerCount, AnswerCounts } from './enforce-answers.ts';

export type SeenOptions = {
  readonly log: Log;
  readonly topic: string;
  readonly counts: AnswerCounts;
  readonly onTrouble: (detail: string) => void;
  readonly everyMs?: number;
};

/** Pairs of decision and point whose last number is remembered; one forgotten is written once more. */
const rememberedMax = 50_000;

/**
 * Tells in receipts which enforcement point was answered with which decision: at the first answer, and again whenever their number has
 * doubled, so that a flood of calls is a handful of receipts.
 */
export function runSeen(options: SeenOptions, signal: AbortSignal): Consumption {
  const { log, topic, counts, onTrouble, everyMs = 1000 } = options;
  const written = new Map<string, number>();
  const write = async (): Promise<void> => {
    const receipts = counts.take().flatMap((count): Receipt[] => {
      const key = `${count.decisionId} ${count.point}`;
      const answers = count.allowed + count.refused + count.handed;
      if (answers < 2 * (written.get(key) ?? 0)) return [];
      written.set(key, answers);
      if (written.size > rememberedMax) written.delete(written.keys().next().value ?? '');
      return [receiptOf(count, answers)];
    });
    const records = receipts.map((receipt) => ({ key: receiptKey(receipt), value: JSON.stringify(receipt) }));
    if (records.length > 0) await log.append(topic, records);
  };
  const running = (async () => {
    while (!signal.aborted) {
      await write().catch((error: unknown) => onTrouble(describeError(error)));
      await sleep(everyMs, signal);
    }
  })();
  return { done: running, close: () => running };
}

/** The time is that of the first answer: how long a decision took to get there. */
function receiptOf({ decisionId, point, firstAt, allowed, refused, handed }: AnswerCount, attempts: number): Receipt {
  const answered = `${refused} ${noun(refused, 'call')} refused, ${allowed} let through`;
  const fetched = `fetched ${handed} ${noun(handed, 'time')}`;
  const detail = handed === 0 ? answered : allowed + refused === 0 ? fetched : `${answered}, ${fetched}`;
  return { decision_id: decisionId, target: point, state: 'seen', attempts, status: null, detail, at: firstAt };
}
