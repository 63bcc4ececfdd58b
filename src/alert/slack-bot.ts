import { checkTarget, type Post, type PostRequest } from '../core/post.ts';
import type { AlertChannel, Letter, Sent } from './channel.ts';
import type { AlertMessage } from './message.ts';
import { plain, slackPayload } from './slack.ts';

export type SlackBotOptions = {
  readonly name: string;
  /** `xoxb-…`, with the scopes chat:write and, to find a message again after a crash, channels:history (groups:history for a private channel). */
  readonly token: string;
  /** The channel's id, not its name: chat.update takes nothing else. */
  readonly channel: string;
  readonly apiUrl: string;
  /** Whether messages carry buttons for verdicts (the app's interactivity must lead to `/slack/actions`). */
  readonly hasButtons: boolean;
  readonly post: Post;
};

type Answer = {
  readonly ok?: boolean;
  readonly error?: string;
  readonly ts?: string;
  readonly messages?: readonly {
    readonly ts?: string;
    readonly metadata?: { readonly event_payload?: { readonly id?: string } };
  }[];
};

/** Errors of the message itself: the same message can never be taken. All others can be put right by an operator or by time. */
const ofTheMessage = [
  'invalid_blocks',
  'invalid_blocks_format',
  'msg_too_long',
  'no_text',
  'invalid_metadata_format',
  'metadata_too_large',
  'message_not_found',
  'cant_update_message',
  'edit_window_closed',
];
const answerBytesMax = 1024 * 1024;
const buttonValueMax = 2000;

/**
 * A Slack app's bot: one message per incident, changed in place (chat.update), and when it becomes worse a line in its thread that
 * the channel sees too. chat.postMessage has no key to drop repetitions by, so each message carries its id as metadata, and a try that may
 * have arrived looks for it in the channel's history first.
 */
export function createSlackBot(options: SlackBotOptions): AlertChannel {
  const { name, token, channel, apiUrl, hasButtons, post } = options;
  checkTarget(apiUrl);
  const identification = { authorization: `Bearer ${token}`, 'user-agent': 'gait' };

  const call = async (method: string, body: object, signal: AbortSignal): Promise<{ sent: Sent; answer: Answer }> => {
    const request: PostRequest = {
      url: new URL(method, apiUrl).href,
      headers: { ...identification, 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify(body),
      answerBytesMax,
    };
    const sent = await post(request, signal);
    const answer = sent.kind === 'delivered' ? readAnswer(sent.answer) : {};
    return { sent: sent.kind === 'delivered' ? judge(method, sent, answer) : sent, answer };
  };

  /** How the look went, and the message of this id if an earlier try brought it there. Without the scope to look it counts as not there. */
  const find = async ({ errand }: Letter, signal: AbortSignal): Promise<Sent> => {
    // A form, because Slack's reading methods take no JSON.
    const url = new URL('conversations.history', apiUrl).href;
    const form = new URLSearchParams({ channel, limit: '200', include_all_metadata: 'true' });
    const headers = { ...identification, 'content-type': 'application/x-www-form-urlencoded' };
    const sent = await post({ url, headers, body: form.toString(), answerBytesMax: 4 * answerBytesMax }, signal);
    const { messages = [] } = readAnswer(sent.answer);
    const ts = messages.find(({ metadata }) => metadata?.event_payload?.id === errand.id)?.ts;
    return ts === undefined ? sent : { ...sent, detail: 'had arrived before', handle: ts, isEarlier: true };
  };

  const postOnce = async (letter: Letter, body: object, signal: AbortSignal): Promise<Sent> => {
    const looked = letter.isRepeat ? await find(letter, signal) : undefined;
    if (looked?.kind === 'failed' || looked?.handle !== undefined) return looked;
    const metadata = { event_type: 'gait_alert', event_payload: { id: letter.errand.id } };
    const { sent, answer } = await call('chat.postMessage', { channel, ...body, metadata }, signal);
    return { ...sent, ...(answer.ts !== undefined && { handle: answer.ts }) };
  };

  return {
    name,
    tells: 'changes',
    send: async (letter, signal) => {
      const { errand, message } = letter;
      const body = { ...slackPayload(message), blocks: blocksOf(message, hasButtons) };
      const ts = errand.kind === 'summary' ? null : (errand.incident.told?.handle ?? null);
      if (errand.kind === 'summary') {
        // Nothing is changed later in a message that stands for many.
        const { handle: _, ...sent } = await postOnce(letter, body, signal);
        return sent;
      }
      if (ts === null) return postOnce(letter, body, signal);
      const { sent, answer } = await call('chat.update', { channel, ts, ...body }, signal);
      // Somebody removed the message: what has become worse is told anew, the rest was not wanted.
      if (answer.error === 'message_not_found' && errand.kind === 'post') return postOnce(letter, body, signal);
      if (errand.kind === 'update' || sent.kind !== 'delivered') return sent;
      const line = {
        ...slackPayload({ ...message, facts: [], reasons: [], notes: [] }),
        thread_ts: ts,
        reply_broadcast: true,
      };
      return { ...(await postOnce(letter, line, signal)), handle: ts };
    },
  };
}

function readAnswer(text: string | undefined): Answer {
  try {
    return (JSON.parse(text ?? '') as Answer | null) ?? {};
  } catch {
    return {};
  }
}

/** Slack answers 200 to what it refuses, and says so in the body. */
function judge(method: string, sent: Sent, { ok, error }: Answer): Sent {
  if (ok === true) return { ...sent, detail: `${method}: ok` };
  const word = /^[a-z_]{1,60}$/.test(error ?? '') ? error : 'no answer that can be read';
  return { ...sent, kind: ofTheMessage.includes(error ?? '') ? 'rejected' : 'failed', detail: `${method}: ${word}` };
}

function blocksOf(message: AlertMessage, hasButtons: boolean): readonly object[] {
  const { blocks } = slackPayload(message);
  const { incident, identity, findingIds: findings } = message;
  const value = JSON.stringify({ incident, identity, findings });
  const isAsked =
    hasButtons && message.findingIds.length > 0 && message.status !== 'closed' && value.length <= buttonValueMax;
  if (!isAsked) return blocks;
  const button = (verdict: string, text: string, style: string) => ({
    type: 'button',
    action_id: `gait_verdict_${verdict}`,
    text: plain(text, 60),
    value,
    style,
  });
  const elements = [
    button('true-positive', 'True positive', 'danger'),
    button('false-positive', 'False positive', 'primary'),
  ];
  return [...blocks, { type: 'actions', elements }];
}
