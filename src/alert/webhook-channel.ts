import { checkTarget, type Post } from '../core/post.ts';
import type { AlertChannel } from './channel.ts';
import type { AlertMessage } from './message.ts';

export type WebhookChannelOptions = { readonly name: string; readonly url: string; readonly post: Post };

/** A channel whose address is its secret: it takes a message as JSON and cannot change it afterwards, so only what becomes worse is told again. */
export function createWebhookChannel(
  { name, url, post }: WebhookChannelOptions,
  payloadOf: (message: AlertMessage) => object,
): AlertChannel {
  checkTarget(url);
  const headers = { 'content-type': 'application/json', 'user-agent': 'gait' };
  return {
    name,
    tells: 'rises',
    send: ({ message }, signal) => post({ url, headers, body: JSON.stringify(payloadOf(message)) }, signal),
  };
}
