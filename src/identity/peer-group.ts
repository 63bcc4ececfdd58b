import type { ActorKind, TrafficEvent } from '../event/traffic-event.ts';
import type { IdentityKind, ResolvedEvent } from './resolved-event.ts';

const partCharsMax = 80;

/** Machines have neither log-ins nor office hours: keys, certificates and clients are machines unless the event says otherwise. */
export function actorKindOf(event: TrafficEvent, kind: IdentityKind): ActorKind | 'unknown' {
  if (event.actor_kind !== null) return event.actor_kind;
  switch (kind) {
    case 'user':
      return 'human';
    case 'mtls':
    case 'api-key':
    case 'client':
    case 'consumer':
      return 'service';
    case 'session':
    case 'device':
    case 'address':
      return 'unknown';
  }
}

/**
 * `tenant|actor kind|roles or client application`: those who may be expected to behave alike. Roles come first, because one client application
 * often serves administrators and customers alike. It is a name only, bounded in length; how much a group says is the baseline's business.
 */
export function peerGroup(event: TrafficEvent, kind: IdentityKind): string {
  return namesOf(event, kind).group;
}

/** Those with the same role, or the same application where nobody has roles; whatever their tenant. */
export function roleCircle({ event, identity_kind }: ResolvedEvent): string {
  return namesOf(event, identity_kind).circle;
}

type Names = {
  readonly tenant: string | null;
  readonly actor: string;
  readonly group: string;
  readonly circle: string;
};

function namesOf(event: TrafficEvent, kind: IdentityKind): Names {
  const roles = event.roles;
  const role =
    roles === null || roles.length === 0 ? null : roles.length === 1 ? roles[0]! : [...roles].sort().join(',');
  // A client's own id would make a group of one.
  const group = role ?? (kind === 'client' ? null : event.client_id) ?? '-';
  const actor = actorKindOf(event, kind);
  const known = newest.get(group);
  if (known !== undefined && known.tenant === event.tenant && known.actor === actor) return known;
  const circle = `|${actor}|${part(group)}`;
  const names = { tenant: event.tenant, actor, group: `${part(event.tenant ?? '-')}${circle}`, circle };
  if (newest.size >= namesMax) newest.clear();
  newest.set(group, names);
  return names;
}

/** The newest names by role or client, forgotten all at once at the limit: only a shortcut. */
const newest = new Map<string, Names>();
const namesMax = 4096;

function part(text: string): string {
  if (text.length <= partCharsMax && !text.includes('|')) return text;
  return text.slice(0, partCharsMax).replaceAll('|', '/');
}
