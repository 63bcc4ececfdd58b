import { type Incident, Traffic } from '../../src/evaluate/traffic.ts';
import { emptyEvent } from '../../src/event/traffic-event.ts';
import { identityKey } from '../../src/identity/identity-key.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';

export const start = Date.UTC(2026, 0, 1);

/** An event of a user, with what a test says of it. */
export function eventOf(id: string, user: string, fields: Partial<ResolvedEvent['event']>): ResolvedEvent {
  const event = { ...emptyEvent(), method: 'GET', status: 200, ...fields };
  const identity = identityKey('user', null, user);
  const route = event.route ?? event.path ?? '/';
  const objects = { route, object_ids: event.object_ids ?? [], position: null };
  return { identity, identity_kind: 'user', claimed_identity: null, event_id: id, event, ...objects };
}

export function incidentOf(fields: Partial<Incident> & { readonly ids: readonly string[] }): Incident {
  const names = { incident: 'i1', recipe: 'r', family: 'f', kind: 'attack', pace: 'fast' } as const;
  return { ...names, identities: [], first_ts: start, last_ts: start, expected: [], ...fields };
}

/** Traffic out of `[id, user, ts]`. */
export function trafficOf(
  incidents: readonly Incident[],
  rows: readonly (readonly [string, string, number])[],
): Traffic {
  const traffic = new Traffic();
  for (const [id, user, ts] of rows) traffic.add(eventOf(id, user, { ts }));
  traffic.label(incidents);
  return traffic;
}
