import { checkTarget, type PostRequest } from '../core/post.ts';
import type { AlertMessage } from './message.ts';
import { visible } from './visible.ts';

/** Text that Slack shows as it is. Minted only by `escaped`. */
type EscapedText = string & { readonly __brand: 'EscapedText' };

type PlainText = { readonly type: 'plain_text'; readonly text: EscapedText; readonly emoji: false };

/** Slack's limits are 150 (header), 3000 (section), 2000 (field); escaping and spelling out can make a text ten times longer. */
const lengthMax = { header: 60, title: 300, fact: 190, reason: 290 } as const;

export type SlackChannel = { readonly name: string; readonly request: (message: AlertMessage) => PostRequest };

/**
 * A Slack incoming webhook. Its address is the secret: it appears in no message, receipt or error. Every text is a `plain_text`
 * object, which Slack neither formats nor links; mentions, links and mark-up in what an attacker wrote stay letters.
 */
export function createSlackChannel(name: string, url: string): SlackChannel {
  checkTarget(url);
  return {
    name,
    request: (message) => ({
      url,
      headers: { 'content-type': 'application/json', 'user-agent': 'gait' },
      body: JSON.stringify(slackPayload(message)),
    }),
  };
}

/** Block Kit: a header, the sentence, two columns of facts, the reasons. `text` is what a notification shows. */
export function slackPayload({ headline, title, facts, reasons }: AlertMessage): object {
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
      {
        type: 'section',
        fields: facts.slice(0, 10).map(({ label, value }) => plain(`${label}: ${value}`, lengthMax.fact)),
      },
      ...reasons.map((reason) => ({ type: 'section', text: plain(`• ${reason}`, lengthMax.reason) })),
    ],
  };
}

function plain(text: string, max: number): PlainText {
  return { type: 'plain_text', text: escaped(text, max), emoji: false };
}

/**
 * Slack's three control characters as entities; links, mentions and code broken up as well, for clients and bridges that render a
 * notification in their own way.
 */
function escaped(text: string, max: number): EscapedText {
  return visible(text, max)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('`', 'ˋ')
    .replaceAll('://', ':\u200b//')
    .replaceAll('@', '@\u200b') as EscapedText;
}
