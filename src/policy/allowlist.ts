import { BlockList, isIP } from 'node:net';
import type { Allowance } from '../config/policy-file.ts';
import type { EpochMs } from '../core/clock.ts';
import { globMatches } from './rule.ts';

/** The call, as far as it is known: a manual decision knows of none. */
export type Whom = { readonly identity: string; readonly clientIp: string | null; readonly route: string | null };
export type Allowlist = (whom: Whom, at: EpochMs) => Allowance | undefined;

/**
 * Who is never acted on. They are still learned, scored and shown: a decision about them is `observe` and says who vouches for them.
 * An entry ends by event time, so a replay of last month sees the list as it held then.
 */
export function createAllowlist(entries: readonly Allowance[]): Allowlist {
  const compiled = entries.map((entry) => ({ entry, covers: coverage(entry) }));
  return (whom, at) => compiled.find(({ entry, covers }) => at < entry.until && covers(whom))?.entry;
}

function coverage({ identity: glob, network, route: routeGlob }: Allowance): (whom: Whom) => boolean {
  const inNetwork = network === undefined ? () => true : networkCheck(network);
  return ({ identity, clientIp, route }) =>
    (glob === undefined || globMatches(glob, identity)) &&
    (routeGlob === undefined || (route !== null && globMatches(routeGlob, route))) &&
    inNetwork(clientIp);
}

function networkCheck(network: string): (clientIp: string | null) => boolean {
  const [address = '', bits] = network.split('/');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(address, bits === undefined ? (family === 'ipv4' ? 32 : 128) : Number(bits), family);
  // An IPv4 address inside IPv6 (::ffff:192.0.2.1) is compared as IPv4 by the block list itself.
  return (clientIp) =>
    clientIp !== null && isIP(clientIp) !== 0 && list.check(clientIp, isIP(clientIp) === 6 ? 'ipv6' : 'ipv4');
}
