import { readFileSync } from 'node:fs';
import { readAlertRecord } from '../alert/alert-record.ts';
import { Board } from '../alert/board.ts';
import type { AlertChannel } from '../alert/channel.ts';
import { type AlertReceipt, createDesk } from '../alert/desk.ts';
import { createEmail } from '../alert/email.ts';
import { createPagerDuty } from '../alert/pager-duty.ts';
import { createQuietHours } from '../alert/quiet-hours.ts';
import { createSlackWebhook } from '../alert/slack.ts';
import { createSlackBot } from '../alert/slack-bot.ts';
import { createTeams } from '../alert/teams.ts';
import { createAlertWebhook } from '../alert/webhook.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Post } from '../core/post.ts';
import type { Random } from '../core/random.ts';
import type { Consumption, Log, LogRecord, TopicSpec } from '../log/log.ts';
import { createSigner } from '../signal/webhook.ts';

type ChannelConfig = Config['alerts']['channels'][number];

export type AlertsOptions = {
  readonly log: Log;
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly post: Post;
  readonly signal: AbortSignal;
  readonly delivered: (target: string, state: string) => void;
  readonly onTrouble: (target: string, detail: string) => void;
};

/** Alerts to people: one feed, and for each channel a shard of it that keeps what the channel was told. None without channels. */
export async function runAlerts(options: AlertsOptions): Promise<readonly Consumption[]> {
  const { log, config } = options;
  const { channels } = config.alerts;
  if (channels.length === 0) return [];
  const desks = await Promise.all(channels.map((channel) => runDesk(options, channel)));
  return [...desks, await feed(log, config)];
}

/** Findings, and decisions about them, one after the other on one topic: what a channel tells then depends on one position alone. */
function feed(log: Log, { topics, group }: Config): Promise<Consumption> {
  const onBatch = async ({ topic, records }: { readonly topic: string; readonly records: readonly LogRecord[] }) => {
    const values = records.flatMap(({ value }) => (value === null ? [] : [value.toString('utf8')]));
    const lines =
      topic === topics.findings
        ? values.map((value) => `{"kind":"finding","finding":${value}}`)
        : values.map(ofDecision);
    await log.append(
      topics.alerts,
      lines.map((value) => ({ value })),
    );
  };
  return log.consume({
    group: `${group}-alert-feed`,
    topics: [topics.findings, topics.signals],
    from: 'earliest',
    onBatch,
  });
}

/** That the guardrail tripped is no decision about anybody: it calls a person. What is no decision is passed over by whoever reads it. */
function ofDecision(value: string): string {
  const line = `{"kind":"decision","decision":${value}}`;
  const record = readAlertRecord(Buffer.from(line));
  if (record?.kind !== 'decision') return line;
  const { rule, mode, decision_id: id, why: text, made_at: at } = record.decision;
  if (rule !== 'guardrail' || mode !== 'enforce') return line;
  const headline = 'automatic revocations stopped';
  return JSON.stringify({
    kind: 'page',
    page: { group: `guardrail:${id}`, id, severity: 'critical', headline, text, at },
  });
}

function runDesk(options: AlertsOptions, settings: ChannelConfig): Promise<Consumption> {
  const { log, config, delivered, onTrouble } = options;
  const { topics, group, alerts } = config;
  const { name, quiet, rate, template, severityMin, findingsMin, groupWaitMs, groupIntervalMs } = settings;
  const channel = createChannel(options, settings);
  const isQuiet = quiet === undefined ? () => false : createQuietHours(quiet);
  const { staleAfterMs } = alerts;
  const onReceipts = async (receipts: readonly AlertReceipt[]): Promise<void> => {
    await log.append(
      topics.alertReceipts,
      receipts.map((receipt) => ({ key: `${receipt.incident_id}/${name}`, value: JSON.stringify(receipt) })),
    );
    for (const { state } of receipts) delivered(name, state);
  };
  return log.consumeShards({
    group: `${group}-alert-${name}`,
    topic: topics.alerts,
    stateTopic: alertStateTopic(config, name),
    idleMs: 1000,
    open: ({ checkpoint }) => {
      const wanted = { severityMin, findingsMin, groupWaitMs, groupIntervalMs, staleAfterMs, rate, isQuiet };
      const board = new Board({ ...wanted, tells: channel.tells, breakThrough: quiet?.breakThrough ?? 'low' });
      return createDesk(
        { ...options, channel, board, template, onReceipts, onTrouble: (detail) => onTrouble(name, detail) },
        checkpoint,
      );
    },
  });
}

function createChannel({ post, clock }: AlertsOptions, settings: ChannelConfig): AlertChannel {
  const { name } = settings;
  switch (settings.kind) {
    case 'slack':
      return createSlackWebhook({ name, url: settings.url.reveal(), post });
    case 'slack-bot': {
      const { token, channel, apiUrl, signingSecret } = settings;
      return createSlackBot({
        name,
        token: token.reveal(),
        channel,
        apiUrl,
        hasButtons: signingSecret !== undefined,
        post,
      });
    }
    case 'pagerduty':
      return createPagerDuty({ name, routingKey: settings.routingKey.reveal(), url: settings.url, post });
    case 'teams':
      return createTeams({ name, url: settings.url.reveal(), post });
    case 'email': {
      const { password, ca, ...rest } = settings;
      return createEmail({ ...rest, password: password?.reveal(), ca: ca && readFileSync(ca, 'utf8') });
    }
    case 'webhook': {
      const { url, allowInsecure, secrets } = settings;
      const sign = createSigner(
        name,
        secrets.map((secret) => secret.reveal()),
      );
      return createAlertWebhook({ name, url, allowInsecure, sign, post, now: clock.now });
    }
  }
}

function alertStateTopic({ topics }: Config, channel: string): string {
  return `${topics.alertState}.${channel}`;
}

/** The feed is kept as long as anybody may still be told of it. */
export function alertTopics(config: Config): readonly TopicSpec[] {
  const { topics, alerts } = config;
  if (alerts.channels.length === 0) return [];
  return [
    { name: topics.alerts, partitions: 1, cleanup: 'delete', retentionMs: alerts.staleAfterMs + 86_400_000 },
    ...alerts.channels.map(
      ({ name }) => ({ name: alertStateTopic(config, name), partitions: 1, cleanup: 'delete' }) as const,
    ),
  ];
}
