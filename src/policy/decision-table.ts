import type { EpochMs } from '../core/clock.ts';
import { identityKey } from '../identity/identity-key.ts';
import type { IdentityKey } from '../identity/resolved-event.ts';
import type { Action, Decision, RiskLevel } from './decision.ts';
import { isRevocation, strength } from './rule.ts';

/**
 * The decisions that are in force, for those who ask before every call. In: decisions as `gait.signals` has them, in its order, repeated or
 * not. Out: the strongest one that concerns a call. Never true: a shadow decision in here, or one that is published after its end.
 *
 * One look-up key per decision: the identity's, or the session's, token's or address's when the decision names one. Times are the
 * caller's clock. At `decisionsMax` those that have ended or outlive their time go first, then the hundredth that would end soonest; `dropped` counts them.
 */
export type Held = {
  readonly id: string;
  readonly key: string;
  readonly identity: IdentityKey;
  readonly action: Action;
  readonly level: RiskLevel;
  readonly version: number;
  readonly madeAt: EpochMs;
  readonly expiresAt: EpochMs;
  /** Of a step-up: what would satisfy it (RFC 9470), by preference and parted by blanks. */
  readonly acrValues: string | null;
  readonly maxAgeSeconds: number | null;
  /** Tokens that were issued, of a step-up log-ins that were made, later than this are not meant; null: all are. */
  readonly issuedBefore: EpochMs | null;
  /** A step-up that its owner satisfied: only tokens that are known to be older are still challenged. */
  isCleared: boolean;
  /** Calls challenged by this step-up that came from the identity's own, verified token; negative once that was told. */
  ignored: number;
  /** Whether those who publish the table were told that its time is over. */
  isEnded: boolean;
  next: Held | undefined;
};

/** A token lives no longer, as far as anybody's word goes. */
const tokenLifetimeMaxMs = 86_400_000;

/**
 * A token that a revocation means must not become good again before it ends itself: neither when the decision's time is over nor in a process that
 * never saw it. So revocations are held for as long as such a token may live.
 */
export function heldUntil({ action, issuedBefore, madeAt, expiresAt }: Held): EpochMs {
  return isRevocation(action) ? Math.max(expiresAt, (issuedBefore ?? madeAt) + tokenLifetimeMaxMs) : expiresAt;
}

/** Who calls, by all the names that a decision may have for him. */
export type CallerNames = {
  readonly identity: IdentityKey;
  readonly tenant: string | null;
  readonly sessionId: string | null;
  readonly tokenId: string | null;
  readonly clientIp: string | null;
  /** What else the call shows to be let in by: a key, a certificate, a session. Refused, it does not become good beside a name that anybody can claim. */
  readonly shown?: readonly IdentityKey[] | undefined;
};

/** What a call is looked up by; made once where the same caller comes again and again. */
export type Caller = CallerNames & { readonly keys: readonly string[] };

export function callerNamed(names: CallerNames): Caller {
  const { identity, tenant, sessionId, tokenId, clientIp, shown } = names;
  const keys: string[] = [identity];
  if (sessionId !== null) keys.push(identityKey('session', tenant, sessionId));
  if (tokenId !== null) keys.push(tokenKey(tenant, tokenId));
  if (clientIp !== null) keys.push(identityKey('address', tenant, clientIp));
  if (clientIp !== null && tenant !== null) keys.push(identityKey('address', null, clientIp));
  return { identity, tenant, sessionId, tokenId, clientIp, shown, keys };
}

const acting: readonly Action[] = ['throttle', 'step-up', 'revoke-session', 'revoke-identity'];
/** Ends that are remembered, so that a decision which a restarted shard makes again does not come back to life. */
const endedMax = 10_000;
/** Changes that can be told one by one; whoever knows only older ones is told everything. */
const changesMax = 10_000;

export class DecisionTable {
  readonly #max: number;
  readonly #byKey = new Map<string, Held>();
  readonly #byId = new Map<string, Held>();
  readonly #ended = new Map<string, number>();
  /** Words that most decisions share. */
  readonly #words = new Map<string, string>();
  /** The keys that changed last, the newest at the end. */
  #changed: string[] = [];
  #changes = 0;
  #dropped = 0;

  constructor(decisionsMax: number) {
    this.#max = decisionsMax;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Grows with every change, so that whoever publishes the table knows whether there is news. */
  get changes(): number {
    return this.#changes;
  }

  /** Decisions in force that were forgotten for want of room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a decision over; a version that is not newer than the one that is known changes nothing. */
  apply(decision: Decision, now: EpochMs): void {
    const { decision_id: id, version } = decision;
    const known = this.#byId.get(id);
    // It goes by the clock here; a process that starts later hears of nothing else.
    if (decision.change === 'expired' && known !== undefined) return;
    if (version <= Math.max(known?.version ?? 0, this.#ended.get(id) ?? 0)) return;
    if (known !== undefined) this.#remove(known);
    const held = this.#holdOf(decision, known);
    if (decision.mode !== 'enforce' || heldUntil(held) <= now || !acting.includes(held.action)) {
      this.#end(id, version);
    } else {
      if (this.#byId.size >= this.#max) this.#makeRoom(now);
      this.#add(held);
    }
  }

  /** A record that was taken out of the topic. */
  forget(id: string): void {
    const known = this.#byId.get(id);
    if (known !== undefined) this.#remove(known);
  }

  /** The strongest decision about a call that `counts`, else of those in force: about its identity, its session, its token or its address. */
  find(caller: Caller, now: EpochMs, counts = (held: Held): boolean => held.expiresAt > now): Held | undefined {
    let found: Held | undefined;
    const look = (key: string, least: Action): void => {
      for (let held = this.#byKey.get(key); held !== undefined; held = held.next) {
        if (strength(held.action) < strength(least) || !counts(held)) continue;
        if (found === undefined || strength(held.action) > strength(found.action)) found = held;
      }
    };
    for (const key of caller.keys) look(key, 'observe');
    for (const key of caller.shown ?? []) look(key, 'revoke-session');
    return found;
  }

  /** The strongest decision under one key. */
  at(key: string, now: EpochMs): Held | undefined {
    let found: Held | undefined;
    for (let held = this.#byKey.get(key); held !== undefined; held = held.next) {
      if (held.expiresAt <= now) continue;
      if (found === undefined || strength(held.action) > strength(found.action)) found = held;
    }
    return found;
  }

  /** Keys under which something changed after `changes` was that number; undefined when that is too long ago. */
  changedSince(changes: number): ReadonlySet<string> | undefined {
    const count = this.#changes - changes;
    if (count < 0 || count > this.#changed.length) return undefined;
    return new Set(count === 0 ? [] : this.#changed.slice(-count));
  }

  /** Everything in force, strongest or not, in no order; for those who publish it. */
  *inForce(now: EpochMs): Generator<Held> {
    for (const held of this.#byId.values()) if (held.expiresAt > now) yield held;
  }

  /** Frees what has ended, and tells of what outlives its time; answers do not depend on it. */
  sweep(now: EpochMs): void {
    for (const held of this.#byId.values()) {
      if (heldUntil(held) <= now) this.#remove(held);
      else if (held.expiresAt <= now && !held.isEnded) {
        held.isEnded = true;
        this.#note(held.key);
      }
    }
  }

  #holdOf(decision: Decision, known: Held | undefined): Held {
    const { acr_values: acrValues } = decision;
    const isSame = decision.change === 'extended';
    // About the odd call's session it goes on for all that comes from there.
    const isAnswered = decision.change === 'narrowed' && decision.scope === 'identity';
    return {
      id: decision.decision_id,
      key: keyOf(decision),
      identity: decision.identity,
      action: this.#word(decision.action),
      level: this.#word(decision.risk_level),
      version: decision.version,
      madeAt: decision.made_at,
      expiresAt: decision.expires_at,
      acrValues: acrValues.length === 0 ? null : this.#word(acrValues.join(' ')),
      maxAgeSeconds: decision.max_age,
      issuedBefore: decision.issued_before,
      isCleared: isAnswered || (isSame && known?.isCleared === true),
      ignored: isSame ? (known?.ignored ?? 0) : 0,
      isEnded: false,
      next: undefined,
    };
  }

  /** One copy of a text that comes again and again; forgotten all at once at the limit. */
  #word<T extends string>(text: T): T {
    const known = this.#words.get(text);
    if (known !== undefined) return known as T;
    if (this.#words.size >= 1000) this.#words.clear();
    this.#words.set(text, text);
    return text;
  }

  #add(held: Held): void {
    held.next = this.#byKey.get(held.key);
    this.#byKey.set(held.key, held);
    this.#byId.set(held.id, held);
    this.#note(held.key);
  }

  #remove(held: Held): void {
    this.#byId.delete(held.id);
    this.#note(held.key);
    const first = this.#byKey.get(held.key);
    if (first === held) {
      if (held.next === undefined) this.#byKey.delete(held.key);
      else this.#byKey.set(held.key, held.next);
      return;
    }
    for (let before = first; before !== undefined; before = before.next) {
      if (before.next === held) before.next = held.next;
    }
  }

  #note(key: string): void {
    this.#changes++;
    this.#changed.push(key);
    if (this.#changed.length >= 2 * changesMax) this.#changed = this.#changed.slice(-changesMax);
  }

  #end(id: string, version: number): void {
    this.#ended.delete(id);
    this.#ended.set(id, version);
    if (this.#ended.size > endedMax) this.#ended.delete(this.#ended.keys().next().value ?? '');
  }

  #makeRoom(now: EpochMs): void {
    this.sweep(now);
    if (this.#byId.size < this.#max) return;
    const soonest = [...this.#byId.values()].sort((a, b) => a.expiresAt - b.expiresAt);
    for (const held of soonest.slice(0, Math.max(1, Math.floor(this.#max / 100)))) {
      this.#remove(held);
      this.#dropped++;
    }
  }
}

/** What a decision is looked up by. A session without an id of its own is its token. */
function keyOf({ identity, scope, tenant, session_id: session, token_id: token }: Decision): string {
  if (scope === 'identity') return identity;
  const tenantOrNone = tenant === '-' ? null : tenant;
  if (session !== null) return identityKey('session', tenantOrNone, session);
  return token === null ? identity : tokenKey(tenantOrNone, token);
}

function tokenKey(tenant: string | null, token: string): string {
  return `token${identityKey('session', tenant, token).slice('session'.length)}`;
}
