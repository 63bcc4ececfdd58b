import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { describeError } from '../core/errors.ts';
import { sleep } from '../core/sleep.ts';
import type { Consumption, Log, LogRecord } from '../log/log.ts';
import { type Decision, type Receipt, receiptKey } from '../policy/decision.ts';
import { DecisionWatch, type Judgement, type Look } from '../policy/decision-watch.ts';
import { callsSince } from '../store/calls-since.ts';
import type { Store } from '../store/clickhouse.ts';

export type EffectOptions = {
  readonly log: Log;
  readonly config: Config;
  readonly store: Store | undefined;
  readonly clock: Clock;
  readonly unseen: (decisions: number) => void;
  readonly onTrouble: (detail: string) => void;
  readonly everyMs?: number;
};

/** Decisions looked at in one round; each is one query for one identity. */
const looksMax = 50;

/**
 * Whether decisions take effect: reads decisions and receipts, asks the store what the calls did, and writes what it finds as receipts of
 * the points that the calls came through, and of all together (`traffic`). A decision without effect is an alert. Several processes find the same, under the same keys.
 */
export async function runEffect(options: EffectOptions, signal: AbortSignal): Promise<readonly Consumption[]> {
  const { log, config, clock, unseen, onTrouble, everyMs = 5000 } = options;
  const { topics, alerts, enforce } = config;
  const watch = new DecisionWatch({ afterMs: alerts.unseenAfterMs, throttle: enforce.throttle });
  const decisions = await tailed<Decision>(log, topics.signals, (decision) => watch.onDecision(decision));
  // What earlier runs found is known before anything is looked at, so that nothing is told again.
  await decisions.caughtUp;
  const receipts = await tailed<Receipt>(log, topics.receipts, (receipt) => watch.onReceipt(receipt));
  await receipts.caughtUp;

  const round = async (): Promise<void> => {
    const now = clock.now();
    unseen(watch.unseen(now));
    for (const look of watch.due(now, looksMax)) {
      if (signal.aborted) return;
      await write(options, look, await judge(options, watch, look));
    }
  };
  const running = (async () => {
    while (!signal.aborted) {
      await round().catch((error: unknown) => onTrouble(describeError(error)));
      await sleep(everyMs, signal);
    }
  })();
  return [decisions, receipts, { done: running, close: () => running }];
}

async function judge({ store, clock }: EffectOptions, watch: DecisionWatch, look: Look): Promise<Judgement> {
  const calls = store === undefined ? null : await callsSince(store, look);
  return watch.judge(look, calls, clock.now());
}

async function write({ log, config }: EffectOptions, { decision }: Look, judgement: Judgement): Promise<void> {
  const { topics, alerts } = config;
  const { receipts, isAlarming } = judgement;
  if (receipts.length === 0) return;
  await log.append(
    topics.receipts,
    receipts.map((receipt) => ({ key: receiptKey(receipt), value: JSON.stringify(receipt) })),
  );
  const said = receipts.at(-1);
  if (!isAlarming || said === undefined || alerts.channels.length === 0) return;
  // A gateway that is down makes many such decisions, and one message.
  const group = `unenforced:${Math.floor(said.at / 3_600_000)}`;
  const headline = 'decision without effect';
  const text = `${decision.action} of ${decision.identity} (${decision.decision_id}): ${said.detail}`;
  const page = { group, id: decision.decision_id, severity: 'high', headline, text, at: said.at };
  await log.append(topics.alerts, [{ value: JSON.stringify({ kind: 'page', page }) }]);
}

/** Records of a topic of ours, from the first on; what somebody else wrote there is passed over. */
function tailed<T>(log: Log, topic: string, onRecord: (record: T) => void) {
  const onRecords = (records: readonly LogRecord[]): void => {
    for (const { value } of records) {
      const record = value === null ? undefined : parse<T>(value);
      if (record !== undefined) onRecord(record);
    }
  };
  return log.tail({ topic, from: 'earliest', onRecords });
}

function parse<T>(value: Buffer): T | undefined {
  try {
    return (JSON.parse(value.toString('utf8')) as T | null) ?? undefined;
  } catch {
    return undefined;
  }
}
