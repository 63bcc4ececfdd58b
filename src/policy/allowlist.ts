import type { Allowance } from '../config/policy-file.ts';
import type { EpochMs } from '../core/clock.ts';
import { globMatches } from '../core/glob.ts';
import { networkCheck } from '../core/network.ts';

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
