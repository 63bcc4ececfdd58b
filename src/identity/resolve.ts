import type { TrafficEvent } from '../event/traffic-event.ts';
import { identityKey } from './identity-key.ts';
import type { IdentityKey, IdentityKind } from './resolved-event.ts';

/** The links of a chain: which field of the event, and which kind of identity it gives. */
const links = {
  subject: { field: 'subject', kind: 'user' },
  mtls: { field: 'mtls_subject', kind: 'mtls' },
  'api-key': { field: 'api_key', kind: 'api-key' },
  client: { field: 'client_id', kind: 'client' },
  consumer: { field: 'consumer', kind: 'consumer' },
  session: { field: 'session_id', kind: 'session' },
  device: { field: 'device_id', kind: 'device' },
  address: { field: 'client_ip', kind: 'address' },
} as const satisfies Record<string, { field: keyof TrafficEvent; kind: IdentityKind }>;

export type IdentityLink = keyof typeof links;
export type IdentityChain = readonly IdentityLink[];

export const defaultIdentityChain: IdentityChain = [
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
export const identityKinds: ReadonlySet<string> = new Set(Object.values(links).map((link) => link.kind));

export type Resolution = {
  readonly identity: IdentityKey;
  readonly identity_kind: IdentityKind;
  readonly claimed_identity: IdentityKey | null;
};

/**
 * Claimed is not proven: a call refused as unauthenticated (401, or `auth_result` failure) belongs to its source, and who it said it was is an
 * attribute. Otherwise anybody could spoil somebody's baseline, or have them revoked, by sending bad tokens in their name.
 * Null when no field of the chain is set.
 */
export function resolveIdentity(event: TrafficEvent, chain: IdentityChain = defaultIdentityChain): Resolution | null {
  const link = chain.find((name) => event[links[name].field] !== null);
  if (link === undefined) return null;
  const identity = keyOf(event, link);
  if (event.status !== 401 && event.auth_result !== 'failure') {
    return { identity, identity_kind: links[link].kind, claimed_identity: null };
  }
  const source = sourceOf(event);
  const proven = source === null ? identityKey('address', event.tenant, 'unknown') : keyOf(event, source);
  const kind = source === null ? 'address' : links[source].kind;
  return { identity: proven, identity_kind: kind, claimed_identity: proven === identity ? null : identity };
}

/** What the caller cannot have made up: a certificate that the gateway verified, the address; failing these the device. */
function sourceOf(event: TrafficEvent): IdentityLink | null {
  if (event.mtls_subject !== null && event.client_cert_verified === true) return 'mtls';
  if (event.client_ip !== null) return 'address';
  return event.device_id === null ? null : 'device';
}

function keyOf(event: TrafficEvent, link: IdentityLink): IdentityKey {
  return identityKey(links[link].kind, event.tenant, event[links[link].field]!);
}
