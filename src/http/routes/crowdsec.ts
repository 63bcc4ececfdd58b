import { isIP } from 'node:net';
import { hash64 } from '../../core/hash.ts';
import type { Held } from '../../policy/decision-table.ts';
import type { HeldDecisions } from '../parts.ts';
import type { Reply, Route } from '../route.ts';

/**
 * CrowdSec's local API as bouncers use it (docs.crowdsec.net, "local API"), for decisions about addresses: what a firewall or a web server
 * can enforce without asking about each call. A bouncer polls; what it was told is remembered by the name of its key.
 */
type Entry = {
  readonly id: number;
  readonly origin: 'gait';
  readonly scenario: string;
  readonly scope: 'Ip';
  readonly type: 'ban' | 'captcha' | 'throttle';
  readonly value: string;
  /** As Go writes durations. */
  readonly duration: string;
};

/** Bouncers know these remediations; what they do with a step-up for an address is theirs to configure. */
const types = {
  throttle: 'throttle',
  'step-up': 'captcha',
  'revoke-session': 'ban',
  'revoke-identity': 'ban',
} as const;

/** Bouncers told, by name; entries that ended. Beyond it the oldest is forgotten: a bouncer is then told everything once more. */
const callersMax = 1000;
const endedMax = 10_000;
/** The addresses are gathered anew at most so often. */
const gatherMs = 1000;

/** The query that marks a bouncer's question where both APIs share an address. */
export const lapiQuery = {
  ip: { type: 'string', maxLength: 64, description: "CrowdSec's local API: decisions about an address" },
  scope: { type: 'string', maxLength: 64 },
  value: { type: 'string', maxLength: 256 },
} as const;

export type Lapi = {
  /** Null when the question is none of a bouncer's. */
  readonly decisions: (query: Readonly<Record<string, string | number>>, caller: string) => Reply | null;
  readonly stream: Route;
};

export function createLapi({ table, now, handed }: HeldDecisions): Lapi {
  const told = new Map<string, Map<string, Entry>>();
  const ended = new Map<string, Entry>();
  let gathered = { at: Number.NEGATIVE_INFINITY, changes: -1, held: [] as readonly Held[] };
  const inForce = (): Map<string, Entry> => {
    const at = now();
    if (gathered.changes !== table.changes && at >= gathered.at + gatherMs) {
      const held = [...table.inForce(at)].filter(({ key }) => addressOf(key) !== null);
      gathered = { at, changes: table.changes, held };
    }
    const valid = gathered.held.filter(({ expiresAt }) => expiresAt > at);
    return new Map(valid.map((held) => [held.id, entryOf(held, at)]));
  };

  const pull = (
    caller: string,
    isStartup: boolean,
  ): { readonly new: readonly Entry[]; readonly deleted: readonly Entry[] } => {
    const current = inForce();
    const before = told.get(caller) ?? new Map<string, Entry>();
    for (const [id, entry] of before)
      if (!current.has(id)) remember(ended, endedMax, [id, { ...entry, duration: '0s' }]);
    remember(told, callersMax, [caller, current]);
    const made = [...current].filter(([id]) => isStartup || !before.has(id));
    handed(
      made.map(([id]) => id),
      caller,
    );
    const gone = isStartup ? [...ended] : [...ended].filter(([id]) => before.has(id));
    // A bouncer undoes what is deleted by its address, whoever else has decided the same about it.
    const kept = new Set([...current.values()].map(effectOf));
    return {
      new: made.map(([, entry]) => entry),
      deleted: gone.map(([, entry]) => entry).filter((entry) => !kept.has(effectOf(entry))),
    };
  };

  const stream: Route = {
    method: 'GET',
    url: '/v1/decisions/stream',
    summary: "Decisions about addresses for CrowdSec's bouncers: what is new and what is over since they asked last",
    access: ['enforce'],
    isLapi: true,
    // Bouncers send filters of their own; they are theirs to apply.
    query: { type: 'object', properties: { startup: { enum: ['true', 'false'], default: 'false' } } },
    replies: { 200: { description: 'new and deleted; with startup=true everything' } },
    handle: async ({ query, caller }) => {
      const { new: made, deleted } = pull(caller, query.startup === 'true');
      return { status: 200, body: { new: made, deleted } };
    },
  };

  return {
    stream,
    decisions: ({ ip, scope, value }, caller) => {
      if (ip === undefined && scope === undefined && value === undefined) return null;
      const address = ip ?? (String(scope).toLowerCase() === 'ip' ? value : undefined);
      const found = [...inForce()].filter(([, entry]) => entry.value === address);
      handed(
        found.map(([id]) => id),
        caller,
      );
      return { status: 200, body: found.length === 0 ? 'null' : found.map(([, entry]) => entry) };
    },
  };
}

function effectOf({ type, value }: Entry): string {
  return `${type} ${value}`;
}

/** Puts an entry at the end of a map that holds so many. */
function remember<V>(map: Map<string, V>, max: number, [key, value]: readonly [string, V]): void {
  map.delete(key);
  if (map.size >= max) map.delete(map.keys().next().value ?? '');
  map.set(key, value);
}

/** Of a key `address:tenant:address`; a bouncer knows no tenants. */
function addressOf(key: string): string | null {
  if (!key.startsWith('address:')) return null;
  const address = key.split(':').slice(2).join(':');
  return isIP(address) === 0 ? null : address;
}

function entryOf({ id, key, action, expiresAt }: Held, at: number): Entry {
  const { high, low } = hash64(id);
  return {
    // A number that JSON keeps whole.
    id: (high % 2 ** 20) * 2 ** 32 + low,
    origin: 'gait',
    scenario: `gait/${action}`,
    scope: 'Ip',
    type: types[action as keyof typeof types],
    value: addressOf(key) ?? '',
    duration: `${Math.ceil((expiresAt - at) / 1000)}s`,
  };
}
