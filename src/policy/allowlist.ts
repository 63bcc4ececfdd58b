import { BlockList, isIP } from 'node:net';
import type { Allowance } from '../config/policy-file.ts';
import type { EpochMs } from '../core/clock.ts';
import { globMatches } from './rule.ts';

export type Allowlist = (identity: string, clientIp: string | null, at: EpochMs) => Allowance | undefined;

/**
 * Who is never acted on. They are still learned, scored and shown: a decision about them is `observe` and says who vouches for them.
 * An entry ends by event time, so a replay of last month sees the list as it held then.
 */
export function createAllowlist(entries: readonly Allowance[]): Allowlist {
  const compiled = entries.map((entry) => ({ entry, covers: coverage(entry) }));
  return (identity, clientIp, at) =>
    compiled.find(({ entry, covers }) => at < entry.until && covers(identity, clientIp))?.entry;
}

function coverage({ identity: glob, network }: Allowance): (identity: string, clientIp: string | null) => boolean {
  if (glob !== undefined) return (identity) => globMatches(glob, identity);
  const [address = '', bits] = (network ?? '').split('/');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(address, bits === undefined ? (family === 'ipv4' ? 32 : 128) : Number(bits), family);
  // An IPv4 address inside IPv6 (::ffff:192.0.2.1) is compared as IPv4 by the block list itself.
  return (_, clientIp) =>
    clientIp !== null && isIP(clientIp) !== 0 && list.check(clientIp, isIP(clientIp) === 6 ? 'ipv6' : 'ipv4');
}
