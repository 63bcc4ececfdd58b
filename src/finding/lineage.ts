import { KeyIndex } from '../baseline/key-index.ts';
import { hash32, hash64 } from '../core/hash.ts';
import { changesNothing } from '../feature/change.ts';
import { actorKindOf, peerGroup } from '../identity/peer-group.ts';
import type { IdentityKey, IdentityKind, ResolvedEvent } from '../identity/resolved-event.ts';
import type { Entry } from '../score/batch.ts';
import type { Finding } from './finding.ts';

const dayMs = 86_400_000;
/** Names of objects in each of two generations, and written in a frame: what more is written has no maker. */
const namesMax = 1 << 16;
/** Identities whose names somebody wrote: of more, and of more than this in a frame, those seen first are forgotten. */
const childrenMax = 1024;
const bornMax = 4096;
/** Identities of one maker that are told at a time: whoever looks at the maker's finding finds the others. */
const toldMax = 16;

/** An identity, as of its first call. Plain data. */
export type Child = {
  readonly identity: IdentityKey;
  readonly kind: IdentityKind;
  readonly tenant: string;
  readonly peers: string;
  readonly ts: number;
  readonly event_id: string;
  readonly call: {
    readonly actorKind: 'human' | 'service';
    readonly clientIp: string | null;
    readonly route: string;
    readonly sessionId: null;
    readonly tokenId: null;
    readonly host: null;
  };
  /** Hash of whoever wrote its name first; 0 until that is looked up. */
  readonly maker: number;
  /** How severe it was told to be; null when nothing is claimed. */
  readonly told: 'low' | 'medium' | null;
};

export type LineageSnapshot = {
  readonly day: number;
  readonly young: Uint32Array;
  readonly old: Uint32Array;
  readonly written: Uint32Array;
  readonly born: readonly Child[];
  readonly children: readonly Child[];
};

/** A child of whose maker something is claimed, or no longer. */
export type Descent = {
  readonly child: Child;
  readonly because: Finding | undefined;
  /** One step below its maker's; null for no longer. */
  readonly severity: Child['told'];
};

/**
 * Who made whom: whoever takes an identity over makes others, to come back with. A call that changes something names its objects; an identity that is seen for the
 * first time today or tomorrow, and has such a name, was made or changed by the caller. In: events, in order. Out, when a frame ends: the children of
 * those about whom something is claimed, if they were first seen since the evidence began. Never true: a claim about a child that outlives its maker's, or
 * one that rests on another of its kind. Names are kept as hashes for two days; a name that is only a number names many things, and none here.
 */
export class Lineage {
  #day = 0;
  #young = new KeyIndex();
  #old = new KeyIndex();
  #written = new KeyIndex();
  #born: Child[] = [];
  #children = new Map<string, Child>();

  see({ resolved, events }: Entry): void {
    const { object_ids, identity, identity_kind, event } = resolved;
    if (object_ids.length > 0 && (event.status ?? 0) < 400 && !changesNothing(event.method)) {
      const maker = keyOf(identity);
      for (const name of object_ids) this.#write(nameKey(event.tenant, name), maker);
    }
    if (events === 1 && identity_kind !== 'address' && this.#born.length < bornMax) this.#born.push(childOf(resolved));
  }

  #write(name: number, maker: number): void {
    const before = this.#written.get(name);
    // Of two within a frame none is first: the one with the lesser hash, whatever their order.
    if (before < 0 ? this.#written.size < namesMax : maker < before) this.#written.set(name, maker);
  }

  /** The frame is over, and `ts` is where the next begins. `claimed`: what is open about whom, by hash of the identity, the most severe first, as far as it says something of those it made. */
  advance(ts: number, claimed: (maker: number) => readonly Finding[]): Descent[] {
    this.#learn(ts);
    this.#match();
    const told = new Map<number, number>();
    for (const child of this.#children.values())
      if (child.told !== null) told.set(child.maker, (told.get(child.maker) ?? 0) + 1);
    return [...this.#children.values()].flatMap((child): Descent[] => {
      const because = claimed(child.maker).find((finding) => finding.first_seen <= child.ts);
      const severity = because === undefined ? null : because.severity === 'medium' ? 'low' : 'medium';
      if (severity === child.told || (severity === 'low' && child.told === 'medium')) return [];
      const count = told.get(child.maker) ?? 0;
      if (child.told === null && count >= toldMax) return [];
      if (child.told === null) told.set(child.maker, count + 1);
      return [{ child, because, severity }];
    });
  }

  /** What became of a descent. */
  told(child: Child, severity: Child['told']): void {
    this.#children.set(child.identity, { ...child, told: severity });
  }

  /** Names that were written in the frame, into the day's. */
  #learn(ts: number): void {
    const day = Math.floor(ts / dayMs);
    if (day !== this.#day) this.#turn();
    this.#day = day;
    if (this.#written.size === 0) return;
    // In order of keys: where the generations change must not depend on who came first within the frame.
    for (const name of this.#written.keys().sort()) {
      if (this.#maker(name) < 0) this.#young.set(name, this.#written.get(name));
      if (this.#young.size >= namesMax) this.#turn();
    }
    this.#written = new KeyIndex();
  }

  #turn(): void {
    this.#old = this.#young;
    this.#young = new KeyIndex();
  }

  #maker(name: number): number {
    const young = this.#young.get(name);
    return young >= 0 ? young : this.#old.get(name);
  }

  /** Those born in the frame whose name somebody else wrote; a day later nothing new is claimed of them. */
  #match(): void {
    const now = this.#day;
    for (const child of this.#children.values())
      if (child.told === null && Math.floor(child.ts / dayMs) < now - 1) this.#children.delete(child.identity);
    if (this.#born.length === 0) return;
    for (const child of this.#born.sort((a, b) => (a.identity < b.identity ? -1 : 1))) {
      const makers = namesOf(child).map((name) => this.#maker(name));
      const maker = makers.find((each) => each >= 0 && each !== keyOf(child.identity));
      if (maker !== undefined) this.#children.set(child.identity, { ...child, maker });
    }
    this.#born = [];
    for (const first of this.#children.keys()) {
      if (this.#children.size <= childrenMax) break;
      this.#children.delete(first);
    }
  }

  snapshot(): LineageSnapshot {
    return {
      day: this.#day,
      young: this.#young.snapshot(),
      old: this.#old.snapshot(),
      written: this.#written.snapshot(),
      born: [...this.#born],
      children: [...this.#children.values()],
    };
  }

  restore(saved: LineageSnapshot): void {
    this.#day = saved.day;
    this.#young.restore(saved.young);
    this.#old.restore(saved.old);
    this.#written.restore(saved.written);
    this.#born = [...saved.born];
    this.#children = new Map(saved.children.map((child) => [child.identity, child]));
  }
}

/** An identity as lineage knows it. */
export function keyOf(identity: string): number {
  return hash64(identity).low;
}

function nameKey(tenant: string | null, name: string): number {
  return hash32(`${tenant ?? '-'} ${name}`) || 1;
}

/** The id of its key, and what comes last in it: an ARN ends with the name of the user, or of the session, which is the machine's. */
function namesOf({ identity, tenant }: Child): readonly number[] {
  const id = identity.split(':').slice(2).join(':');
  const last = id.slice(Math.max(id.lastIndexOf('/'), id.lastIndexOf(':')) + 1);
  return [id, last].filter((name) => /\D/.test(name)).map((name) => nameKey(tenant, name));
}

function childOf({ identity, identity_kind: kind, event, event_id, route }: ResolvedEvent): Child {
  return {
    ...{ identity, kind, event_id, ts: event.ts, tenant: event.tenant ?? '-', peers: peerGroup(event, kind) },
    call: {
      actorKind: actorKindOf(event, kind) === 'service' ? 'service' : 'human',
      ...{ clientIp: event.client_ip, route, sessionId: null, tokenId: null, host: null },
    },
    ...{ maker: 0, told: null },
  };
}
