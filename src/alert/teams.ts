import type { AlertChannel } from './channel.ts';
import type { AlertMessage } from './message.ts';
import { visibleWithin } from './visible-within.ts';
import { createWebhookChannel, type WebhookChannelOptions } from './webhook-channel.ts';

/** Of one line; Teams takes cards of 28 KB, and a card has 32 lines at most. */
const bytesMax = 600;
const colours = { low: 'default', medium: 'warning', high: 'attention', critical: 'attention' } as const;

/** A Microsoft Teams workflow ("When a Teams webhook request is received", which posts the card). It answers 202. */
export function createTeams(options: WebhookChannelOptions): AlertChannel {
  return createWebhookChannel(options, teamsPayload);
}

/**
 * An Adaptive Card. TextBlock, Fact.Title and Fact.Value are formatted as Markdown in Teams (learn.microsoft.com, "Format cards in Teams");
 * a TextRun is not, so every text is one. A workflow's own expressions (`@{…}`) and the card's (`{{DATE(…)}}`, `${…}`) are broken up, and
 * so are addresses, which clients turn into links.
 */
export function teamsPayload({ severity, headline, title, facts, reasons, notes }: AlertMessage): object {
  const body = [
    run(headline, 200, { weight: 'bolder', size: 'large', color: colours[severity] }),
    run(title, 500),
    ...facts.map(({ label, value }) => run(`${label}: ${value}`, 200, { isSubtle: true, size: 'small' })),
    ...reasons.map((reason) => run(`• ${reason}`, 300)),
    ...notes.map((note) => run(note, 300)),
  ];
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body,
  };
  const contentType = 'application/vnd.microsoft.card.adaptive';
  return { type: 'message', attachments: [{ contentType, contentUrl: null, content }] };
}

function run(text: string, max: number, looks: object = {}): object {
  return { type: 'RichTextBlock', inlines: [{ type: 'TextRun', text: escaped(text, max), ...looks }] };
}

function escaped(text: string, length: number): string {
  return visibleWithin(text === '' ? '-' : text, { length, bytes: bytesMax }, (shown) =>
    shown
      .replaceAll('://', ':\u200b//')
      .replace(/([@$]|\{(?=\{))/g, '$1\u200b')
      .replace(/</g, '<\u200b'),
  );
}
