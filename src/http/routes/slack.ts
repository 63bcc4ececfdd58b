import type { HttpParts } from '../parts.ts';
import { HttpError, type Route } from '../route.ts';

/** Slack sends the message with its blocks along. */
const bodyBytesMax = 256 * 1024;

/** Buttons of alerts. Slack has no key of ours: it signs, over the body as it was sent. */
export function slackRoute(act: NonNullable<HttpParts['slackAction']>): Route {
  return {
    method: 'POST',
    url: '/slack/actions',
    summary: 'Verdicts from buttons in Slack, signed by Slack',
    access: 'public',
    body: { 'application/x-www-form-urlencoded': { type: 'object', properties: { payload: { type: 'string' } } } },
    replies: {
      200: { description: 'Taken, or nothing that concerns us' },
      401: { description: 'Not signed by Slack, or longer than five minutes ago' },
      403: { description: 'This user may not give verdicts' },
    },
    bodyBytesMax,
    handle: async ({ headers, body, from }) => {
      const timestamp = String(headers['x-slack-request-timestamp'] ?? '');
      const signature = String(headers['x-slack-signature'] ?? '');
      const outcome = await act({ timestamp, signature, body }, from);
      if (outcome === 'unsigned') throw new HttpError(401, 'unauthenticated', { message: 'not signed by Slack' });
      if (outcome === 'forbidden')
        throw new HttpError(403, 'forbidden', { message: 'this user may not give verdicts' });
      return { status: 200, body: '', type: 'text/plain; charset=utf-8' };
    },
  };
}
