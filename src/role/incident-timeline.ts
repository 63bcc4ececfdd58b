import { noun } from '../core/noun.ts';
import type { IncidentParts } from '../store/queries-incidents.ts';

/** One moment of an incident, for people. `text` may hold what a caller wrote. */
export type Moment = {
  readonly at: string;
  readonly type: 'event' | 'finding' | 'decision' | 'receipt' | 'verdict' | 'comment' | 'case';
  readonly text: string;
  /** The id of what it tells of. */
  readonly ref: string;
};

/** The oldest first; of moments at the same time what caused the others first. */
const order: readonly Moment['type'][] = ['event', 'finding', 'decision', 'receipt', 'verdict', 'case', 'comment'];

export function timelineOf(parts: Omit<IncidentParts, 'incident'>): readonly Moment[] {
  const moments: Moment[] = [
    ...parts.events.map((event) => ({
      at: event.ts,
      type: 'event' as const,
      text: callText(event),
      ref: event.event_id,
    })),
    ...parts.findings.flatMap(findingMoments),
    ...parts.decisions.flatMap(decisionMoments),
    ...parts.receipts.map(({ at, target, state, detail, decision_id }) => ({
      at,
      type: 'receipt' as const,
      text: `${target}: ${state}${detail === '' ? '' : ` (${detail})`}`,
      ref: decision_id,
    })),
    ...parts.verdicts.map(({ at, by, verdict, note, state, finding_id }) => ({
      at,
      type: 'verdict' as const,
      text: `${by}: ${verdict}${state === 'undone' ? ' (taken back)' : ''}${note === '' ? '' : `: ${note}`}`,
      ref: finding_id,
    })),
    ...parts.notes.map(noteMoment),
  ];
  return moments.sort(
    (a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0) || order.indexOf(a.type) - order.indexOf(b.type),
  );
}

/** Method and route, without what says the same twice: some sources name an operation as the route. */
export function callName({ method, host, route, operation = '' }: CallParts): string {
  const place = route.startsWith('/') ? host + route : `${host} ${route}`;
  return [method, place, operation === route ? '' : operation].filter((part) => part !== '').join(' ');
}

type CallParts = {
  readonly method: string;
  readonly host: string;
  readonly route: string;
  readonly operation?: string;
};

function callText(event: IncidentParts['events'][number]): string {
  const what = callName(event);
  const from = [event.client_ip, event.country].filter((part) => part !== '').join(' ');
  return `${event.identity}: ${what} ${event.status === 0 ? '' : `→ ${event.status} `}${from === '' ? '' : `from ${from} `}(surprise ${event.surprise.toFixed(1)})`;
}

function findingMoments(finding: IncidentParts['findings'][number]): Moment[] {
  const { first_seen, last_seen, finding_id: ref, severity, title, state, count } = finding;
  const type = 'finding';
  const began = { at: first_seen, type, text: `${severity}: ${title}`, ref } as const;
  if (state === 'open') return [began];
  return [began, { at: last_seen, type, text: `Quiet after ${count} odd ${noun(count, 'call')}: ${title}`, ref }];
}

function decisionMoments(decision: IncidentParts['decisions'][number]): Moment[] {
  const { decision_id: ref, action, ended, mode, change, by, rule, why, identity, made_at, updated_at } = decision;
  const type = 'decision';
  const would = mode === 'shadow' ? 'would have been decided' : 'was decided';
  const what = action === 'restore' ? ended || 'a decision' : action;
  // The reason is the newest version's: of what has changed since, only that it was made is known.
  const made = `${what} ${would} about ${identity} by the rule ${rule}`;
  if (change === 'made') return [{ at: made_at, type, text: `${made}: ${why}`, ref }];
  const now = change === 'expired' ? `${what}: its time is over` : `${what} was ${change} by ${by}: ${why}`;
  return [
    { at: made_at, type, text: made, ref },
    { at: updated_at, type, text: now, ref },
  ];
}

function noteMoment({ at, who, kind, text, note_id: ref }: IncidentParts['notes'][number]): Moment {
  const told = {
    comment: `${who}: ${text}`,
    assign: text === '' ? `${who} assigned it to nobody` : `${who} assigned it to ${text}`,
    close: `${who} closed it: ${text}`,
    reopen: `${who} opened it again: ${text}`,
  };
  return { at, type: kind === 'comment' ? 'comment' : 'case', text: told[kind], ref };
}
