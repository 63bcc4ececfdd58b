import { checkTarget, type Post } from '../core/post.ts';
import { visible } from '../core/visible.ts';
import type { AlertChannel, Letter } from './channel.ts';

export type PagerDutyOptions = {
  readonly name: string;
  readonly routingKey: string;
  /** `https://events.pagerduty.com/v2/enqueue`, or that of another region. */
  readonly url: string;
  readonly post: Post;
};

const severities = { low: 'info', medium: 'warning', high: 'error', critical: 'critical' } as const;

/**
 * PagerDuty Events API v2 (developer.pagerduty.com, "Send an event"). The incident is the `dedup_key`, so a repetition changes nothing; it
 * is acknowledged by a verdict and resolved when its findings have closed. PagerDuty shows texts as they are.
 */
export function createPagerDuty({ name, routingKey, url, post }: PagerDutyOptions): AlertChannel {
  checkTarget(url);
  const headers = { 'content-type': 'application/json', 'user-agent': 'gait' };
  return {
    name,
    tells: 'ends',
    send: async (letter, signal) => {
      const body = JSON.stringify({ routing_key: routingKey, ...eventOf(letter) });
      const sent = await post({ url, headers, body }, signal);
      return letter.errand.kind === 'summary' ? sent : { ...sent, handle: letter.errand.incident.id };
    },
  };
}

function eventOf({ errand, message }: Letter): object {
  const dedup_key = (errand.kind === 'summary' ? errand.id : errand.incident.id).slice(0, 255);
  const { severity, status, headline, title, facts, reasons, notes, identity } = message;
  if (errand.kind === 'update' && status === 'closed') return { event_action: 'resolve', dedup_key };
  if (errand.kind === 'update' && status === 'acknowledged') return { event_action: 'acknowledge', dedup_key };
  return {
    event_action: 'trigger',
    dedup_key,
    client: 'Gait',
    payload: {
      summary: visible(`${headline}: ${title}`, 400).slice(0, 1024),
      source: visible(identity === '' ? 'gait' : identity, 200),
      severity: severities[severity],
      class: visible(headline, 100),
      custom_details: {
        ...Object.fromEntries(facts.map(({ label, value }) => [label, visible(value, 500)])),
        reasons: reasons.map((reason) => visible(reason, 500)),
        notes: notes.map((note) => visible(note, 500)),
      },
    },
  };
}
