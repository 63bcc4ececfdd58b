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
  const roles = event.roles;
  const role =
    roles === null || roles.length === 0 ? null : roles.length === 1 ? roles[0]! : [...roles].sort().join(',');
  // A client's own id would make a group of one.
  const group = role ?? (kind === 'client' ? null : event.client_id) ?? '-';
  const actor = actorKindOf(event, kind);
  const known = names.get(group);
  if (known !== undefined && known.tenant === event.tenant && known.actor === actor) return known.name;
  const name = `${part(event.tenant ?? '-')}|${actor}|${part(group)}`;
  if (names.size >= namesMax) names.clear();
  names.set(group, { tenant: event.tenant, actor, name });
  return name;
}

/** Those with the same role, or the same application where nobody has roles; whatever their tenant. */
export function roleCircle({ event, identity_kind }: ResolvedEvent): string {
  const group = peerGroup(event, identity_kind);
  return group.slice(group.indexOf('|'));
}

/** The newest name by role or client, forgotten all at once at the limit: only a shortcut. */
const names = new Map<string, { readonly tenant: string | null; readonly actor: string; readonly name: string }>();
const namesMax = 4096;

function part(text: string): string {
  if (text.length <= partCharsMax && !text.includes('|')) return text;
  return text.slice(0, partCharsMax).replaceAll('|', '/');
}
