import { derivedId } from '../core/hash.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';
import type { CaseFile } from './case-file.ts';

/** Features that speak of the place a call came from, and of a token. A smaller share of the case than `shareMin` is said in passing. */
const ofPlaces = /^(context\.(network|country)|source\.\w+|token\.travel)$/;
const ofTokens = /^token\./;
const shareMin = 0.1;
const dayMs = 86_400_000;

export type FirstClaim = {
  /** The call that led to it. */
  readonly resolved: ResolvedEvent;
  readonly file: CaseFile;
};

/**
 * The incident that an identity's first claim belongs to; its further claims follow the first. Where the place speaks against it, all claims of
 * that kind from the same network (an IPv4 /24 or IPv6 /48) and UTC day are one incident, whoever they are about: one address that took three
 * accounts, a botnet's corner, or a company whose VPN moved. Where a token does, all of that token. Otherwise it is the identity's alone.
 * The id is derived from what joins them, so shards that know nothing of each other agree; what goes on over midnight becomes two.
 */
export function incidentOf({ resolved, file: { firstSeen, tallies } }: FirstClaim): string {
  const { identity, identity_kind, event } = resolved;
  const total = Object.values(tallies).reduce((sum, { nats }) => sum + nats, 0);
  const isAbout = (features: RegExp): boolean =>
    Object.entries(tallies).some(([feature, { nats }]) => nats >= shareMin * total && features.test(feature));
  const network = event.client_ip === null ? null : networkOf(event.client_ip);
  if (network !== null && (identity_kind === 'address' || isAbout(ofPlaces)))
    return derivedId('inc', ['network', event.tenant ?? '-', network, Math.floor(firstSeen / dayMs)]);
  if (event.token_id !== null && isAbout(ofTokens))
    return derivedId('inc', ['token', event.tenant ?? '-', event.token_id]);
  return derivedId('inc', [identity, firstSeen]);
}

/** Null for what is no address. Addresses have their shortest form by then. */
function networkOf(ip: string): string | null {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(ip)) return ip.slice(0, ip.lastIndexOf('.'));
  if (!/^[0-9a-f:]+$/i.test(ip) || !ip.includes(':')) return null;
  const [head = '', tail] = ip.toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  // What `::` leaves out are zeros; only the first three groups count.
  while (tail !== undefined && groups.length < 3) groups.push('0');
  return groups.slice(0, 3).join(':');
}
