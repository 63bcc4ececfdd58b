import { type Random, seededRandom } from '../../src/core/random.ts';
import type { Incident } from '../../src/evaluate/traffic.ts';
import type { TrafficEvent } from '../../src/event/traffic-event.ts';
import type { IdentityKey, ResolvedEvent } from '../../src/identity/resolved-event.ts';

/**
 * Takeovers by behaviour alone, put into any traffic: from time to time a run of one identity's calls is made under the name of another
 * (the protocol by which CLUE-LDS is evaluated: Landauer et al., 2022). Only what is done is the donor's. Name, device and place are the
 * victim's, and neither an object nor a token is named, so no other detector can tell.
 */
export type SwapPlan = {
  readonly seed: number;
  readonly fromDay: number;
  readonly everyMs: number;
  readonly calls: number;
};

type Known = { readonly identity: IdentityKey; last: ResolvedEvent; events: number };
type Swap = {
  readonly victim: Known;
  left: number;
  readonly incident: Incident & { readonly ids: string[]; last_ts: number };
};

const dayMs = 86_400_000;
/** Victims have a past to be compared with, and donors come often enough to be somebody else for a while. */
const pastCalls = 60;
/** Tries to find a pair before the moment is let pass. */
const triesMax = 20;

export class Swaps {
  readonly #plan: SwapPlan;
  readonly #random: Random;
  readonly #known = new Map<IdentityKey, Known>();
  /** Those with a past, by what makes two of them comparable. */
  readonly #groups = new Map<string, Known[]>();
  readonly #members: Known[] = [];
  readonly #running = new Map<IdentityKey, Swap>();
  readonly incidents: Incident[] = [];
  #next = Number.NaN;

  constructor(plan: SwapPlan) {
    this.#plan = plan;
    this.#random = seededRandom(plan.seed);
  }

  /** The event, or what becomes of it. Events come in order of time. */
  pass(resolved: ResolvedEvent): ResolvedEvent {
    const { ts } = resolved.event;
    if (Number.isNaN(this.#next)) this.#next = (Math.floor(ts / dayMs) + this.#plan.fromDay) * dayMs;
    this.#remember(resolved);
    if (ts >= this.#next) {
      this.#begin(ts);
      this.#next += this.#plan.everyMs;
    }
    const swap = this.#running.get(resolved.identity);
    if (swap === undefined) return resolved;
    if (--swap.left === 0) this.#running.delete(resolved.identity);
    swap.incident.ids.push(resolved.event_id);
    swap.incident.last_ts = ts;
    return inTheNameOf(swap.victim.last, resolved);
  }

  #remember(resolved: ResolvedEvent): void {
    const { identity } = resolved;
    const known = this.#known.get(identity);
    if (known === undefined) {
      this.#known.set(identity, { identity, last: resolved, events: 1 });
      return;
    }
    known.last = resolved;
    if (++known.events !== pastCalls || resolved.identity_kind === 'address') return;
    this.#members.push(known);
    const group = this.#groups.get(groupOf(resolved));
    if (group === undefined) this.#groups.set(groupOf(resolved), [known]);
    else group.push(known);
  }

  #begin(ts: number): void {
    for (let tries = 0; tries < triesMax && this.#members.length > 0; tries++) {
      const donor = this.#pick(this.#members);
      const victim = this.#pick(this.#groups.get(groupOf(donor.last)) ?? [donor]);
      if (victim === donor || this.#running.has(donor.identity)) continue;
      const incident = {
        incident: `swap-${this.incidents.length}`,
        recipe: 'identity-swap',
        family: 'identity',
        kind: 'attack' as const,
        pace: 'slow' as const,
        identities: [victim.identity],
        first_ts: ts,
        last_ts: ts,
        ids: [],
        expected: ['novelty.', 'context.', 'calendar.'],
      };
      this.incidents.push(incident);
      this.#running.set(donor.identity, { victim, left: this.#plan.calls, incident });
      return;
    }
  }

  #pick(from: readonly Known[]): Known {
    return from[Math.floor(this.#random.next() * from.length)]!;
  }
}

function groupOf({ identity_kind, event }: ResolvedEvent): string {
  return JSON.stringify([identity_kind, event.tenant, event.host]);
}

/** The donor's call as the victim would have made it. */
function inTheNameOf(victim: ResolvedEvent, donor: ResolvedEvent): ResolvedEvent {
  const { ts, event_id, method, host, route, operation, service, status, error_code } = donor.event;
  const { request_bytes, response_bytes, duration_ms, upstream_ms, rows, sensitive } = donor.event;
  const done = { ts, event_id, method, host, route, path: route, operation, service, status, error_code };
  const sizes = { request_bytes, response_bytes, duration_ms, upstream_ms, rows, sensitive };
  const event: TrafficEvent = { ...victim.event, ...done, ...sizes, ...nameless };
  return { ...donor, identity: victim.identity, identity_kind: victim.identity_kind, object_ids: [], event };
}

/** Those of the victim's last call may have run out long ago. */
const nameless = {
  object_ids: null,
  session_id: null,
  token_id: null,
  token_iat: null,
  token_exp: null,
  auth_time: null,
  auth_result: null,
} as const;
