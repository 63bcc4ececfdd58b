import type { TrafficEvent } from '../event/traffic-event.ts';
import { identityKey } from './identity-key.ts';
import type { IdentityKey, IdentityKind } from './resolved-event.ts';

/** Which field gives which kind of identity. */
const fieldOf = {
  user: 'subject',
  mtls: 'mtls_subject',
  'api-key': 'api_key',
  client: 'client_id',
  consumer: 'consumer',
  session: 'session_id',
  device: 'device_id',
  address: 'client_ip',
} as const satisfies Record<IdentityKind, keyof TrafficEvent>;

export type IdentityChain = readonly IdentityKind[];

export const defaultIdentityChain: IdentityChain = [
  'user',
  'mtls',
  'api-key',
  'client',
  'consumer',
  'session',
  'device',
  'address',
];

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
  const kind = firstKind(event, chain);
  if (kind === null) return null;
  const identity = keyOf(event, kind);
  if (event.status !== 401 && event.auth_result !== 'failure')
    return { identity, identity_kind: kind, claimed_identity: null };
  const source = sourceKind(event, kind);
  const proven = source === null ? identityKey('address', event.tenant, 'unknown') : keyOf(event, source);
  return {
    identity: proven,
    identity_kind: source ?? 'address',
    claimed_identity: proven === identity ? null : identity,
  };
}

function firstKind(event: TrafficEvent, chain: IdentityChain): IdentityKind | null {
  for (const kind of chain) if (event[fieldOf[kind]] !== null) return kind;
  return null;
}

/** What the caller cannot have made up: a certificate that the gateway verified, the address; failing these the device. */
function sourceKind(event: TrafficEvent, kind: IdentityKind): IdentityKind | null {
  if (event.mtls_subject !== null && event.client_cert_verified === true) return 'mtls';
  if (event.client_ip !== null) return 'address';
  if (event.device_id !== null) return 'device';
  // An address is all there ever was.
  return kind === 'address' ? kind : null;
}

function keyOf(event: TrafficEvent, kind: IdentityKind): IdentityKey {
  return identityKey(kind, event.tenant, event[fieldOf[kind]]!);
}
