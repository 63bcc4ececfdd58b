import { checkTarget, type Post } from '../core/post.ts';
import type { AlertChannel, Letter } from './channel.ts';

export type AlertWebhookOptions = {
  readonly name: string;
  readonly url: string;
  readonly allowInsecure: boolean;
  /** The headers of Standard Webhooks for one try. */
  readonly sign: (message: {
    readonly id: string;
    readonly body: string;
    readonly at: number;
  }) => Readonly<Record<string, string>>;
  readonly post: Post;
  readonly now: () => number;
};

/**
 * Incidents with their findings to a machine, signed as in Standard Webhooks. Every change is sent; `webhook-id` is the same over all tries
 * and restarts, for the receiver to drop repetitions by.
 */
export function createAlertWebhook(options: AlertWebhookOptions): AlertChannel {
  const { name, url, allowInsecure, sign, post, now } = options;
  checkTarget(url, allowInsecure);
  return {
    name,
    tells: 'changes',
    send: async (letter, signal) => {
      const at = now();
      const body = JSON.stringify({
        type: 'gait.incident.v1',
        timestamp: new Date(at).toISOString(),
        data: dataOf(letter),
      });
      const id = letter.errand.id;
      const headers = { 'content-type': 'application/json', 'user-agent': 'gait', ...sign({ id, body, at }) };
      // A receiver that got an earlier try dropped this one, and with it what changed since.
      return { ...(await post({ url, headers, body }, signal)), handle: id, isEarlier: letter.isRepeat };
    },
  };
}

function dataOf({ errand, message }: Letter): object {
  const { headline, title, severity, identity } = message;
  if (errand.kind === 'summary') return { headline, title, severity, incident_ids: errand.held.map(({ id }) => id) };
  const { id, tenant, status, lines, dropped, decisions, verdict } = errand.incident;
  return {
    incident_id: id,
    status,
    severity,
    headline,
    title,
    identity,
    tenant,
    findings: Object.values(lines).map(({ id: finding_id, ...line }) => ({ finding_id, ...line })),
    findings_left_out: dropped,
    decisions: Object.entries(decisions).map(([decision_id, { isEnded, ...decision }]) => ({
      decision_id,
      ...decision,
      ended: isEnded,
    })),
    verdict,
  };
}
