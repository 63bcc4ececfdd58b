import type { EpochMs } from '../core/clock.ts';
import { globMatches } from '../core/glob.ts';
import { derivedId } from '../core/hash.ts';
import { networkCheck } from '../core/network.ts';
import type { Excuse } from '../score/spare.ts';
import type { Cause, Finding, FindingKind } from './finding.ts';
import { isOfKind } from './kinds.ts';

/**
 * What is not to be told, as a person said: of whom, from where, of which calls, which kinds; until when, and why. A verdict that a finding is
 * false makes one too: then `cause` names what the finding rested on, and no more than that is expected. Never true: a suppression that changes
 * what is measured or learned, so that its end leaves everything as if it had never been.
 */
export type Suppression = {
  readonly suppression_id: string;
  /** The verdict that taught it. */
  readonly verdict_id: string | null;
  /** Of the identity's key; `*` stands for any run of characters, as in the next but one. */
  readonly identity: string | null;
  /** `tenant|actor kind|roles or client application`. */
  readonly peer_group: string | null;
  readonly route: string | null;
  /** Of the call's address. */
  readonly network: string | null;
  /** None: all. */
  readonly kinds: readonly FindingKind[];
  readonly cause: Cause | null;
  readonly owner: string;
  readonly reason: string;
  /** Event time. */
  readonly until: EpochMs;
};

/** Whom and what a suppression is asked about: a call, or the calls of a finding's case. */
export type Concerned = {
  readonly identity: string;
  readonly peers: string;
  readonly calls: readonly { readonly route: string; readonly clientIp: string | null }[];
  readonly at: EpochMs;
};

/** A little more than what was judged is still the same: the next import is never as large as the last. */
const headroom = 1.25;
/** Suppressions of a shard. Beyond it the one that ends soonest goes: what is told too often is seen, what is hidden is not. */
const suppressionsMax = 10_000;
/** And those that are neither of one identity nor of one peer group: each is asked about every event. */
const wideMax = 256;

/** How far a verdict reaches: to the one identity, to all of its peers, or to calls of one route by anybody of the tenant. */
export const scopes = ['identity', 'peer-group', 'route'] as const;
export type Scope = (typeof scopes)[number];

/** What a verdict that a finding is false teaches. */
export function taughtBy(
  verdict: { readonly verdict_id: string; readonly scope: Scope; readonly route: string | null } & Pick<
    Suppression,
    'owner' | 'reason' | 'until'
  >,
  { identity, tenant, kind, reasons, cause }: Pick<Finding, 'identity' | 'tenant' | 'kind' | 'reasons' | 'cause'>,
): Suppression {
  const { verdict_id, scope, route, owner, reason, until } = verdict;
  return {
    suppression_id: derivedId('sup', [verdict_id]),
    verdict_id,
    identity: scope === 'identity' ? identity : scope === 'route' ? `*:${tenant}:*` : null,
    peer_group: scope === 'peer-group' ? (reasons[0]?.peer_group ?? null) : null,
    route: scope === 'route' ? route : null,
    network: null,
    kinds: [kind],
    cause,
    owner,
    reason,
    until,
  };
}

type Entry = { readonly suppression: Suppression; readonly covers: (of: Concerned) => boolean };

/** All of a shard's. Deterministic in the order of its calls. */
export class Suppressions {
  readonly #all = new Map<string, Entry>();
  readonly #byIdentity = new Map<string, Entry[]>();
  readonly #byPeers = new Map<string, Entry[]>();
  #wide: Entry[] = [];

  get size(): number {
    return this.#all.size;
  }

  add(suppression: Suppression): void {
    const { suppression_id: id } = suppression;
    if (this.#all.has(id)) return;
    if (this.#all.size >= suppressionsMax) this.remove(soonest([...this.#all.values()]));
    if (isWide(suppression) && this.#wide.length >= wideMax) this.remove(soonest(this.#wide));
    this.#all.set(id, { suppression, covers: coverage(suppression) });
    this.#index();
  }

  get(id: string): Suppression | undefined {
    return this.#all.get(id)?.suppression;
  }

  remove(id: string): Suppression | undefined {
    const entry = this.#all.get(id);
    if (this.#all.delete(id)) this.#index();
    return entry?.suppression;
  }

  /** Those whose time was over at `ts`, taken out. */
  expire(ts: EpochMs): readonly Suppression[] {
    const over = [...this.#all.values()].filter(({ suppression }) => suppression.until <= ts);
    return over.map(({ suppression }) => this.remove(suppression.suppression_id)!);
  }

  /** What is expected of whom it is asked about; undefined when nothing is. */
  excuseFor(of: Concerned): Excuse | undefined {
    if (this.#all.size === 0) return undefined;
    const some = [this.#byIdentity.get(of.identity) ?? [], this.#byPeers.get(of.peers) ?? [], this.#wide];
    const found = some.flatMap((entries) => entries.filter(({ covers }) => covers(of)));
    if (found.length === 0) return undefined;
    return {
      by: found[0]!.suppression.suppression_id,
      allowed: (feature, observed) =>
        found.reduce((most, { suppression }) => Math.max(most, allowedBy(suppression, feature, observed)), 0),
    };
  }

  save(): readonly Suppression[] {
    return [...this.#all.values()].map(({ suppression }) => suppression);
  }

  #index(): void {
    this.#byIdentity.clear();
    this.#byPeers.clear();
    this.#wide = [];
    for (const entry of this.#all.values()) {
      const { identity, peer_group: peers } = entry.suppression;
      if (isWide(entry.suppression)) this.#wide.push(entry);
      else if (isExact(identity)) push(this.#byIdentity, identity, entry);
      else push(this.#byPeers, peers!, entry);
    }
  }
}

/** Nats of a feature that a suppression expects. */
export function allowedBy({ cause, kinds }: Suppression, feature: string, observed: () => string): number {
  if (cause === null)
    return kinds.length === 0 || kinds.some((kind) => isOfKind(kind, feature)) ? Number.POSITIVE_INFINITY : 0;
  const expected = Object.hasOwn(cause, feature) ? cause[feature]! : undefined;
  if (expected === undefined) return asMuchAs(cause, feature);
  return expected.values && !expected.values.includes(observed()) ? 0 : expected.nats * headroom;
}

/** Features of these are the same number over a minute, an hour, a day; a reason is the one that said most, and the others said less. */
const ofOneNumber: ReadonlySet<string> = new Set(['rate', 'volume']);

function asMuchAs(cause: Cause, feature: string): number {
  const family = feature.slice(0, feature.indexOf('.'));
  if (!ofOneNumber.has(family)) return 0;
  const told = Object.entries(cause).filter(([name]) => name.startsWith(`${family}.`));
  return Math.max(0, ...told.map(([, { nats }]) => nats * headroom));
}

/** Whom and what it is about. Every call has to be meant: a case that reaches beyond the route is not of the route. */
export function coverage(suppression: Suppression): (of: Concerned) => boolean {
  const { identity, peer_group, route, network, until } = suppression;
  const inNetwork = network === null ? () => true : networkCheck(network);
  return ({ identity: who, peers, calls, at }) =>
    at < until &&
    (identity === null || globMatches(identity, who)) &&
    (peer_group === null || peer_group === peers) &&
    (route === null || calls.every((call) => globMatches(route, call.route))) &&
    (network === null || calls.every((call) => inNetwork(call.clientIp)));
}

function isExact(identity: string | null): identity is string {
  return identity !== null && !identity.includes('*');
}

function isWide({ identity, peer_group }: Suppression): boolean {
  return !isExact(identity) && peer_group === null;
}

function soonest(entries: readonly Entry[]): string {
  return entries.reduce((a, b) => (b.suppression.until < a.suppression.until ? b : a)).suppression.suppression_id;
}

function push(into: Map<string, Entry[]>, key: string, entry: Entry): void {
  const some = into.get(key);
  if (some === undefined) into.set(key, [entry]);
  else some.push(entry);
}

/** A finding that is stored, as far as a suppression asks about it. `calls`: of its examples, where they are known. */
export type Past = Concerned & { readonly kind: FindingKind; readonly cause: Cause };

/** What of the cause may be left for the finding not to have been made: an estimate, as evidence does not simply add up. */
const leftMax = 0.25;

/** Whether a suppression would have kept the finding from being told. */
export function wouldHide(suppression: Suppression): (past: Past) => boolean {
  const covers = coverage(suppression);
  const needsCalls = suppression.route !== null || suppression.network !== null;
  return (past) => {
    if ((needsCalls && past.calls.length === 0) || !covers(past)) return false;
    const features = Object.entries(past.cause);
    // As written before findings told what they rest on.
    if (features.length === 0) return suppression.kinds.length === 0 || suppression.kinds.includes(past.kind);
    const sum = (of: (nats: number, feature: string, values: readonly string[]) => number): number =>
      features.reduce((total, [feature, { nats, values = [''] }]) => total + of(nats, feature, values), 0);
    const left = sum((nats, feature, values) =>
      Math.max(0, ...values.map((value) => nats - allowedBy(suppression, feature, () => value))),
    );
    return left <= leftMax * sum((nats) => nats);
  };
}
