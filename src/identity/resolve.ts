import type { TrafficEvent } from '../event/traffic-event.ts';
import { atIssuer, foreignIssuerOf, identityKey } from './identity-key.ts';
import type { IdentityKey, IdentityKind } from './resolved-event.ts';

/** The links of a chain, and which kind of identity each gives. */
const links = {
  subject: 'user',
  mtls: 'mtls',
  'api-key': 'api-key',
  client: 'client',
  consumer: 'consumer',
  session: 'session',
  device: 'device',
  address: 'address',
} as const satisfies Record<string, IdentityKind>;

export type IdentityLink = keyof typeof links;
export type IdentityChain = readonly IdentityLink[];

const defaultIdentityChain: IdentityChain = [
  'subject',
  'mtls',
  'api-key',
  'client',
  'consumer',
  'session',
  'device',
  'address',
];

/** All kinds of identity there are. */
export const identityKinds: ReadonlySet<string> = new Set(Object.values(links));

export type Resolution = {
  readonly identity: IdentityKey;
  readonly identity_kind: IdentityKind;
  readonly claimed_identity: IdentityKey | null;
};

/**
 * Claimed is not proven: a call refused as unauthenticated (401, or `auth_result` failure) belongs to its source, and who it said it was is an
 * attribute. Otherwise anybody could spoil somebody's baseline, or have them revoked, by sending bad tokens in their name.
 * Null when no field of the chain is set. With `homeIssuer` the users and clients of any other issuer that the event names are told apart by it.
 */
export function resolveIdentity(
  event: TrafficEvent,
  chain: IdentityChain = defaultIdentityChain,
  homeIssuer?: string | undefined,
): Resolution | null {
  let link: IdentityLink | undefined;
  let id: string | null = null;
  for (let i = 0; i < chain.length && id === null; i++) {
    link = chain[i]!;
    id = idOf(event, link);
  }
  if (link === undefined || id === null) return null;
  const isAtIssuer = link === 'subject' || link === 'client';
  const foreignIssuer = isAtIssuer ? foreignIssuerOf(event.issuer, homeIssuer) : undefined;
  const identity = atIssuer(identityKey(links[link], event.tenant, id), foreignIssuer);
  if (event.status !== 401 && event.auth_result !== 'failure') {
    return { identity, identity_kind: links[link], claimed_identity: null };
  }
  const source = sourceOf(event);
  const proven =
    source === null
      ? identityKey('address', event.tenant, 'unknown')
      : identityKey(links[source], event.tenant, idOf(event, source)!);
  const kind = source === null ? 'address' : links[source];
  return { identity: proven, identity_kind: kind, claimed_identity: proven === identity ? null : identity };
}

/** What the caller cannot have made up: a certificate that the gateway verified, the address; failing these the device. */
function sourceOf(event: TrafficEvent): IdentityLink | null {
  if (event.mtls_subject !== null && event.client_cert_verified === true) return 'mtls';
  if (event.client_ip !== null) return 'address';
  return event.device_id === null ? null : 'device';
}

function idOf(event: TrafficEvent, link: IdentityLink): string | null {
  switch (link) {
    case 'subject':
      return event.subject;
    case 'mtls':
      return event.mtls_subject;
    case 'api-key':
      return event.api_key;
    case 'client':
      return event.client_id;
    case 'consumer':
      return event.consumer;
    case 'session':
      return event.session_id;
    case 'device':
      return event.device_id;
    case 'address':
      return event.client_ip;
  }
}
