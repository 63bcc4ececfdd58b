import { type AlertReceipt, createAlertDelivery } from '../alert/deliver.ts';
import { createSlackChannel } from '../alert/slack.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import type { Consumption, Log } from '../log/log.ts';
import { type Receipt, receiptKey } from '../policy/decision.ts';
import { createSignalDelivery } from '../signal/deliver.ts';
import { createHttpPost } from '../signal/http-post.ts';
import { createWebhook } from '../signal/webhook.ts';

export type DeliverRoleOptions = {
  readonly log: Log;
  readonly config: Config;
  readonly clock: Clock;
  readonly delivered: (target: string, state: string) => void;
};

/** Signals to machines and alerts to people. One group per target, so that one that is away holds back only itself. */
export async function runDeliver(options: DeliverRoleOptions, signal: AbortSignal): Promise<readonly Consumption[]> {
  const { log, config, clock, delivered } = options;
  const { topics, signals, alerts, group } = config;
  const courier = { post: createHttpPost({ clock }), clock, random: seededRandom(clock.now()), signal };
  const consumptions: Consumption[] = [];

  for (const { name, url, secrets, allowInsecure } of signals.webhooks) {
    const onReceipt = async (receipt: Receipt): Promise<void> => {
      await log.append(topics.receipts, [{ key: receiptKey(receipt), value: JSON.stringify(receipt) }]);
      delivered(receipt.target, receipt.state);
    };
    const webhook = createWebhook({ name, url, secrets: secrets.map((secret) => secret.reveal()), allowInsecure });
    const onBatch = createSignalDelivery({ ...courier, webhook, staleAfterMs: signals.staleAfterMs, onReceipt });
    consumptions.push(
      await log.consume({ group: `${group}-deliver-${name}`, topics: [topics.signals], from: 'earliest', onBatch }),
    );
  }

  if (alerts.slack !== undefined) {
    const onReceipt = async (receipt: AlertReceipt): Promise<void> => {
      const key = `${receipt.finding_id}/${receipt.target}`;
      await log.append(topics.alertReceipts, [{ key, value: JSON.stringify(receipt) }]);
      delivered(receipt.target, receipt.state);
    };
    const delivery = createAlertDelivery({
      ...courier,
      channel: createSlackChannel('slack', alerts.slack.url.reveal()),
      severityMin: alerts.slack.severityMin,
      staleAfterMs: alerts.staleAfterMs,
      onReceipt,
    });
    // What earlier runs have told already is not told again.
    const told = await log.tail({
      topic: topics.alertReceipts,
      from: 'earliest',
      onRecords: (records) => {
        for (const { value } of records) {
          const receipt = value === null ? undefined : (JSON.parse(value.toString('utf8')) as AlertReceipt);
          if (receipt?.target === 'slack') delivery.remember(receipt);
        }
      },
    });
    consumptions.push(told);
    await told.caughtUp;
    const { onBatch } = delivery;
    consumptions.push(
      await log.consume({ group: `${group}-deliver-slack`, topics: [topics.findings], from: 'earliest', onBatch }),
    );
  }
  return consumptions;
}
