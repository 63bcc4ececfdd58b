import { activeWords } from '../baseline/active-layout.ts';
import type { ColdRows } from '../baseline/cold-rows.ts';
import { Population } from '../baseline/population.ts';
import { at } from '../baseline/row-layout.ts';
import { RowSlab } from '../baseline/row-slab.ts';
import { Shared } from '../baseline/shared.ts';
import { hash64 } from '../core/hash.ts';
import { peerGroup } from '../identity/peer-group.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';
import { type Moment, nextTurn } from './family.ts';
import { emptyObservation, observe } from './observation.ts';
import { families } from './registry.ts';
import { learnShares } from './tally-share.ts';
import { forgetTokens } from './token.ts';

const nobody = undefined as unknown as ResolvedEvent;

/** All that a shard has learned, and the walk through it: for each event the moment before it, then learning from it. */
export class Baselines {
  readonly slab: RowSlab;
  readonly active: RowSlab;
  readonly population = new Population();
  readonly shared = new Shared();
  readonly #moment: Moment;

  constructor(of: { readonly identitiesMax: number; readonly activeMax: number; readonly cold?: ColdRows }) {
    this.slab = new RowSlab(of.identitiesMax, of.cold);
    this.active = new RowSlab(of.activeMax, null, activeWords);
    const { slab, active, population, shared } = this;
    this.#moment = {
      ...{ slab, active, population, shared, resolved: nobody, observation: emptyObservation() },
      ...{ turn: 0, row: 0, activeRow: 0, group: 0, history: 0, gapMs: 0 },
    };
  }

  /**
   * The moment of the event; reused for the next one. A new identity may move another one's row out: `beforeMove` is called first, so that
   * nothing refers to it any more.
   */
  enter(resolved: ResolvedEvent, beforeMove?: () => void): Moment {
    const { slab, active, population } = this;
    const moment = this.#moment;
    const { event } = resolved;
    const { high, low } = hash64(resolved.identity);
    let row = slab.find(high, low);
    if (row < 0) {
      if (slab.size >= slab.limit) beforeMove?.();
      row = slab.create(high, low);
      if (slab.f32[row + at.events] === 0) slab.u32[row + at.firstSeen] = Math.floor(event.ts / 1000);
    }
    const activeRow = active.find(high, low);
    const last = slab.f64[(row + at.lastTs) / 2]!;
    moment.turn = nextTurn();
    moment.resolved = resolved;
    moment.row = row;
    moment.activeRow = activeRow < 0 ? active.create(high, low) : activeRow;
    moment.group = population.group(peerGroup(event, resolved.identity_kind));
    moment.history = slab.f32[row + at.events]!;
    moment.gapMs = last === 0 ? 0 : Math.max(0, event.ts - last);
    observe(resolved, moment.observation);
    return moment;
  }

  /** Learns the event that was entered last. */
  learn(weight: number): void {
    const moment = this.#moment;
    const { slab, active } = this;
    for (const family of families) family.learn(moment, weight);
    learnShares(moment, weight);
    slab.f32[moment.row + at.events] = moment.history + 1;
    const last = Math.max(slab.f64[(moment.row + at.lastTs) / 2]!, moment.observation.ts);
    slab.f64[(moment.row + at.lastTs) / 2] = last;
    slab.markDirty(moment.row);
    active.f64[(moment.activeRow + at.lastTs) / 2] = last;
    active.markDirty(moment.activeRow);
  }

  /** Where the identity's token of this session (null: any of its tokens) lives is seen anew with its next use. */
  forgetTokens(identity: string, session: string | null): void {
    const { high, low } = hash64(identity);
    const row = this.active.find(high, low);
    if (row < 0) return;
    forgetTokens({ active: this.active, activeRow: row }, session);
    this.active.markDirty(row);
  }

  /** The frame is over. */
  advance(ts: number): void {
    this.population.advance(ts);
    this.shared.advance(ts);
  }

  /** All but the rows. */
  snapshot() {
    return {
      hand: this.slab.hand,
      activeHand: this.active.hand,
      population: this.population.snapshot(),
      shared: this.shared.snapshot(),
    };
  }

  restore(saved: ReturnType<Baselines['snapshot']>): void {
    this.slab.hand = saved.hand;
    this.active.hand = saved.activeHand;
    this.population.restore(saved.population);
    this.shared.restore(saved.shared);
  }
}
