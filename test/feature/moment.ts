import { activeWords } from '../../src/baseline/active-layout.ts';
import { Population } from '../../src/baseline/population.ts';
import { at } from '../../src/baseline/row-layout.ts';
import { RowSlab } from '../../src/baseline/row-slab.ts';
import { Shared } from '../../src/baseline/shared.ts';
import { emptyEvent, type TrafficEvent } from '../../src/event/traffic-event.ts';
import { type Family, type Moment, nextTurn } from '../../src/feature/family.ts';
import { emptyObservation, observe } from '../../src/feature/observation.ts';
import type { IdentityKey, ResolvedEvent } from '../../src/identity/resolved-event.ts';

/** A Monday, midnight UTC. */
export const monday = Date.UTC(2026, 5, 1);
export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

export function call(fields: Partial<TrafficEvent> = {}): ResolvedEvent {
  const event = { ...emptyEvent(), ts: monday, method: 'GET', status: 200, route: '/orders', ...fields };
  return {
    identity: 'user:-:alice' as IdentityKey,
    identity_kind: 'user',
    claimed_identity: null,
    event_id: 'e1',
    route: event.route ?? '/',
    object_ids: [],
    event,
    position: null,
  };
}

export type Seen = { readonly statistic: number; readonly deviations: Readonly<Record<string, number>> };

/** One family with identities of its own: judges calls before learning from them, as the engine does. */
export class Bench {
  readonly slab = new RowSlab(1000);
  readonly active = new RowSlab(1000, null, activeWords);
  readonly shared = new Shared();
  readonly population = new Population();
  readonly family: Family;
  /** The peer group of the next calls. */
  peers = 'peers';

  constructor(family: Family) {
    this.family = family;
  }

  moment(resolved: ResolvedEvent, who = 1): Moment {
    let row = this.slab.find(who, who);
    if (row < 0) {
      row = this.slab.create(who, who);
      this.slab.u32[row + at.firstSeen] = resolved.event.ts / 1000;
    }
    let activeRow = this.active.find(who, who);
    if (activeRow < 0) activeRow = this.active.create(who, who);
    const last = this.slab.f64[(row + at.lastTs) / 2]!;
    const observation = emptyObservation();
    observe(resolved, observation);
    return {
      turn: nextTurn(),
      slab: this.slab,
      active: this.active,
      population: this.population,
      shared: this.shared,
      resolved,
      row,
      activeRow,
      group: this.population.group(this.peers),
      observation,
      history: this.slab.f32[row + at.events]!,
      gapMs: last === 0 ? 0 : Math.max(0, resolved.event.ts - last),
    };
  }

  judge(resolved: ResolvedEvent, who = 1): Seen {
    const out = new Float32Array(this.family.features.length);
    const statistic = this.family.extract(this.moment(resolved, who), out, 0);
    return { statistic, deviations: Object.fromEntries(this.family.features.map((name, i) => [name, out[i]!])) };
  }

  learn(resolved: ResolvedEvent, options: { readonly who?: number; readonly weight?: number } = {}): void {
    const moment = this.moment(resolved, options.who);
    this.family.learn(moment, options.weight ?? 1);
    this.slab.f32[moment.row + at.events]! += 1;
    const last = (moment.row + at.lastTs) / 2;
    this.slab.f64[last] = Math.max(this.slab.f64[last]!, resolved.event.ts);
  }

  live(calls: readonly ResolvedEvent[], who = 1): readonly Seen[] {
    return calls.map((each) => {
      const seen = this.judge(each, who);
      this.learn(each, { who });
      return seen;
    });
  }

  /** What was learned becomes visible to the peers. */
  endFrame(ts = monday): void {
    this.population.advance(ts);
    this.shared.advance(ts);
  }
}
