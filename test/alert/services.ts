import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export type SlackMessage = {
  ts: string;
  channel: string;
  text: string;
  blocks: unknown[];
  id: string | undefined;
  thread: string | undefined;
  /** The text of each change. */
  edits: string[];
};

/** What the next call is answered with in place of the usual. */
export type Trouble = { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string };

/**
 * A workspace that behaves as Slack's Web API does: 200 with `ok: false` for what it refuses, 429 with Retry-After, messages that stay and
 * can be changed, a history with metadata.
 */
export async function startSlack(context: TestContext, token = 'xoxb-test') {
  const messages: SlackMessage[] = [];
  const calls: string[] = [];
  const troubles: Trouble[] = [];
  const scopes = new Set(['chat:write', 'channels:history']);
  let hook: ((method: string) => 'drop' | undefined) | undefined;
  let sequence = 0;
  const answer = (method: string, headers: IncomingHttpHeaders, body: string): object => {
    if (headers.authorization !== `Bearer ${token}`) return { ok: false, error: 'invalid_auth' };
    const isForm = headers['content-type'] === 'application/x-www-form-urlencoded';
    const fields = (isForm ? Object.fromEntries(new URLSearchParams(body)) : JSON.parse(body)) as Record<
      string,
      string
    > & {
      blocks: unknown[];
      metadata?: { event_payload: { id: string } };
    };
    if (fields.channel !== 'C012AB3CD') return { ok: false, error: 'channel_not_found' };
    if (method === 'conversations.history') {
      if (!scopes.has('channels:history')) return { ok: false, error: 'missing_scope', needed: 'channels:history' };
      // Without a form Slack sees no arguments.
      if (!isForm) return { ok: false, error: 'invalid_arguments' };
      const found = messages.map(({ ts, text, id }) => ({
        type: 'message',
        ts,
        text,
        ...(fields.include_all_metadata === 'true' && {
          metadata: { event_type: 'gait_alert', event_payload: { id } },
        }),
      }));
      return { ok: true, messages: found.reverse(), has_more: false };
    }
    if (fields.blocks.length > 50) return { ok: false, error: 'invalid_blocks' };
    if (method === 'chat.update') {
      const message = messages.find(({ ts }) => ts === fields.ts);
      if (message === undefined) return { ok: false, error: 'message_not_found' };
      Object.assign(message, { text: fields.text, blocks: fields.blocks });
      message.edits.push(JSON.stringify(fields.blocks));
      return { ok: true, channel: fields.channel, ts: message.ts, text: fields.text };
    }
    const ts = `1766000000.${String(++sequence).padStart(6, '0')}`;
    messages.push({
      ts,
      channel: fields.channel,
      text: fields.text ?? '',
      blocks: fields.blocks,
      id: fields.metadata?.event_payload.id,
      thread: fields.thread_ts,
      edits: [],
    });
    return { ok: true, channel: fields.channel, ts, message: { text: fields.text } };
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const method = (request.url ?? '').split('/').at(-1) ?? '';
      calls.push(method);
      const trouble = troubles.shift();
      if (trouble !== undefined)
        return void response.writeHead(trouble.status, trouble.headers).end(trouble.body ?? '');
      const body = JSON.stringify(answer(method, request.headers, Buffer.concat(chunks).toString()));
      if (hook?.(method) === 'drop') return void response.destroy();
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`;
  /** Called when a call has taken effect and is not answered yet; `drop` cuts the connection. */
  const onCall = (next: typeof hook): void => {
    hook = next;
  };
  return { apiUrl, messages, calls, troubles, scopes, onCall };
}
