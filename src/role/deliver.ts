import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { foreignIssuerOf } from '../identity/identity-key.ts';
import type { Consumption, Log, LogRecord } from '../log/log.ts';
import { type Receipt, receiptKey } from '../policy/decision.ts';
import { createSignalDelivery } from '../signal/deliver.ts';
import { createHttpAction, withClientCredentials } from '../signal/http-action.ts';
import { createHttpPost } from '../signal/http-post.ts';
import { createWebhook } from '../signal/webhook.ts';
import { runAlerts } from './alerts.ts';

export type DeliverRoleOptions = {
  readonly log: Log;
  readonly config: Config;
  readonly clock: Clock;
  readonly delivered: (target: string, state: string) => void;
  /** A channel of alerts is away, or refuses: it is tried again by itself. */
  readonly onTrouble: (target: string, detail: string) => void;
};

/** Signals to machines and alerts to people. One group per target, so that one that is away holds back only itself. */
export async function runDeliver(options: DeliverRoleOptions, signal: AbortSignal): Promise<readonly Consumption[]> {
  const { log, config, clock, delivered } = options;
  const { topics, signals, group } = config;
  const courier = { post: createHttpPost({ clock }), clock, random: seededRandom(clock.now()), signal };
  const consumptions: Consumption[] = [];
  const onReceipt = async (receipt: Receipt): Promise<void> => {
    await log.append(topics.receipts, [{ key: receiptKey(receipt), value: JSON.stringify(receipt) }]);
    delivered(receipt.target, receipt.state);
  };

  for (const { name, url, secrets, allowInsecure } of signals.webhooks) {
    const webhook = createWebhook({ name, url, secrets: secrets.map((secret) => secret.reveal()), allowInsecure });
    const onBatch = createSignalDelivery({ ...courier, webhook, staleAfterMs: signals.staleAfterMs, onReceipt });
    consumptions.push(
      await log.consume({ group: `${group}-deliver-${name}`, topics: [topics.signals], from: 'earliest', onBatch }),
    );
  }

  for (const { token, ...action } of signals.actions) {
    const grant = token && { ...token, clientSecret: token.clientSecret.reveal() };
    const post = grant === undefined ? courier.post : withClientCredentials(courier.post, grant, clock);
    const headers = Object.fromEntries(Object.entries(action.headers).map(([name, value]) => [name, value.reveal()]));
    const foreignIssuer =
      action.issuer === undefined ? undefined : foreignIssuerOf(action.issuer, config.ingest.homeIssuer);
    const webhook = createHttpAction({ ...action, foreignIssuer, headers });
    const wasDelivered = (decisionId: string): Promise<boolean> =>
      isInTopic(log, topics.receipts, receiptKey({ decision_id: decisionId, target: action.name, state: 'delivered' }));
    const delivery = { ...courier, post, webhook, staleAfterMs: signals.staleAfterMs, wasDelivered, onReceipt };
    const onBatch = createSignalDelivery(delivery);
    consumptions.push(
      await log.consume({
        group: `${group}-action-${action.name}`,
        topics: [topics.signals],
        from: 'earliest',
        onBatch,
      }),
    );
  }

  consumptions.push(...(await runAlerts({ ...options, ...courier })));
  return consumptions;
}

/** Whether a compacted topic holds a record of this key now. Reads all of it: for questions that are rarely asked. */
async function isInTopic(log: Log, topic: string, wanted: string): Promise<boolean> {
  let isThere = false;
  const onRecords = (records: readonly LogRecord[]): void => {
    for (const { key, value } of records) if (key === wanted) isThere = value !== null;
  };
  const tail = await log.tail({ topic, from: 'earliest', onRecords });
  // Its `done` tells the same failure once more.
  tail.done.catch(() => undefined);
  await tail.caughtUp;
  await tail.close();
  return isThere;
}
