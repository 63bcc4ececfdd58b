import type { AlertChannel } from './channel.ts';
import type { AlertMessage } from './message.ts';
import { visibleWithin } from './visible-within.ts';
import { createWebhookChannel, type WebhookChannelOptions } from './webhook-channel.ts';

/** Text that Slack shows as it is. Minted only by `escaped`. */
type EscapedText = string & { readonly __brand: 'EscapedText' };

type PlainText = { readonly type: 'plain_text'; readonly text: EscapedText; readonly emoji: false };

/** Characters shown. Slack's limits are 150 (header), 3000 (section), 2000 (field), 75 (button), after escaping and spelling out. */
const lengthMax = { header: 140, title: 300, fact: 190, line: 290 } as const;
const bytesMax = (length: number): number => (length <= lengthMax.header ? Math.min(length + 10, 150) : 2000);

/** A Slack incoming webhook. */
export function createSlackWebhook(options: WebhookChannelOptions): AlertChannel {
  return createWebhookChannel(options, slackPayload);
}

/**
 * Block Kit: a header, the sentence, two columns of facts, reasons and notes. `text` is what a notification shows. Every text is a
 * `plain_text` object, which Slack neither formats nor links; mentions, links and mark-up in what an attacker wrote stay letters.
 */
export function slackPayload({ headline, title, facts, reasons, notes }: AlertMessage) {
  const fields = facts.slice(0, 10).map(({ label, value }) => plain(`${label}: ${value}`, lengthMax.fact));
  return {
    text: escaped(`${headline}: ${title}`, lengthMax.title),
    mrkdwn: false,
    link_names: false,
    parse: 'none',
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: plain(headline, lengthMax.header) },
      { type: 'section', text: plain(title, lengthMax.title) },
      ...(fields.length > 0 ? [{ type: 'section', fields }] : []),
      ...[...reasons.map((reason) => `• ${reason}`), ...notes].map((line) => ({
        type: 'section',
        text: plain(line, lengthMax.line),
      })),
    ],
  };
}

export function plain(text: string, max: number): PlainText {
  return { type: 'plain_text', text: escaped(text === '' ? '-' : text, max), emoji: false };
}

/**
 * Slack's three control characters as entities; links, mentions and code broken up as well, for clients and bridges that render a
 * notification in their own way.
 */
export function escaped(text: string, max: number): EscapedText {
  return visibleWithin(text, { length: max, bytes: bytesMax(max) }, (shown) =>
    shown
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('`', 'ˋ')
      .replaceAll('://', ':\u200b//')
      .replaceAll('@', '@\u200b'),
  ) as EscapedText;
}
