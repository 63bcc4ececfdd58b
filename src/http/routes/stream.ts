import { Readable } from 'node:stream';
import type { Live, LiveMessage } from '../page-parts.ts';
import { HttpError, type Route } from '../route.ts';

/** Clients at once; beyond it one is asked to come back. */
const clientsMax = 100;
/** What a client has not read yet; beyond it, it is too slow and is cut off. It comes back with the id of what it read last. */
const unreadBytesMax = 256 * 1024;
/** Less than what proxies wait for. */
const heartbeatMs = 15_000;
/** What the client waits for before it comes back. */
const retryMs = 3000;

/** Server-sent events (HTML, 9.2): what is new, as it comes. */
export function streamRoute(live: Live): Route {
  let clients = 0;
  return {
    method: 'GET',
    url: '/v1/stream',
    summary: 'What is new, as server-sent events: finding, decision, overview; reset when too much was missed',
    access: ['analyst'],
    replies: {
      200: { description: 'text/event-stream; goes on with Last-Event-ID where that is still known' },
      503: { description: `More than ${clientsMax} are listening` },
    },
    handle: async ({ headers }) => {
      if (clients >= clientsMax) {
        const message = 'too many are listening';
        throw new HttpError(503, 'too-many-clients', { message, headers: { 'retry-after': '10' } });
      }
      clients++;
      const last = headers['last-event-id'];
      const body = streamOf(live, typeof last === 'string' ? last : undefined);
      body.once('close', () => clients--);
      return { status: 200, body, type: 'text/event-stream; charset=utf-8', headers: { 'x-accel-buffering': 'no' } };
    },
  };
}

function streamOf(live: Live, lastId: string | undefined): Readable {
  const body = new Readable({ read: () => {} });
  const write = (text: string): void => {
    body.push(text);
    if (body.readableLength > unreadBytesMax) body.destroy();
  };
  write(`retry: ${retryMs}\n\n`);
  const beat = setInterval(() => write(': beat\n\n'), heartbeatMs);
  const leave = live.listen(lastId, {
    tell: (message) => write(frameOf(message)),
    end: () => body.push(null),
  });
  body.once('close', () => {
    clearInterval(beat);
    leave();
  });
  return body;
}

/** JSON has no line ends, so the data is one line whatever is in it. */
function frameOf({ id, event, data }: LiveMessage): string {
  const named = id === undefined ? '' : `id: ${id}\n`;
  return `${named}event: ${event}\ndata: ${data}\n\n`;
}
