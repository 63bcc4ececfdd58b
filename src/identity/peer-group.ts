import type { ActorKind, TrafficEvent } from '../event/traffic-event.ts';
import type { IdentityKind } from './resolved-event.ts';

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
  return `${part(event.tenant ?? '-')}|${actorKindOf(event, kind)}|${part(group)}`;
}

function part(text: string): string {
  if (text.length <= partCharsMax && !text.includes('|')) return text;
  return text.slice(0, partCharsMax).replaceAll('|', '/');
}
