import { hash64 } from '../../src/core/hash.ts';
import type { Incident } from '../../src/evaluate/traffic.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { Shard, type ShardOptions } from '../../src/pipeline.ts';
import { type SwapPlan, Swaps } from './swaps.ts';

/** What fusion is learned from: identity-days as the engine itself saw them, one number per detector, labelled afterwards. */
export type LabelledDays = {
  /** Days of identities that are in nobody's incident. */
  readonly clean: readonly Float64Array[];
  readonly incidents: readonly DaysOf[];
};
export type DaysOf = { readonly recipe: string; readonly family: string; readonly days: readonly Float64Array[] };

const dayMs = 86_400_000;
const eventsPerDrain = 512;

/** Runs a stream through a shard as shipped, with swaps put into it, and keeps what each detector said of each finished day. */
export class DayCollector {
  readonly #shard: Shard;
  readonly #swaps: Swaps;
  readonly #warmUpDays: number;
  readonly #days = new Map<string, Float64Array>();
  #first = Number.NaN;
  #accepted = 0;
  #last: ResolvedEvent | undefined;

  constructor(options: ShardOptions, plan: SwapPlan) {
    this.#warmUpDays = plan.fromDay;
    this.#swaps = new Swaps(plan);
    const onDay: ShardOptions['onDay'] = (identity, day, said) => {
      if (day >= this.#first + this.#warmUpDays) this.#days.set(keyOf(identity, day), said.slice());
    };
    this.#shard = new Shard({ ...options, onDay });
  }

  accept(resolved: ResolvedEvent): void {
    if (Number.isNaN(this.#first)) this.#first = Math.floor(resolved.event.ts / dayMs);
    this.#last = resolved;
    this.#shard.accept(this.#swaps.pass(resolved));
    if (++this.#accepted % eventsPerDrain === 0) this.#shard.drain();
  }

  /** `incidents`: those that were in the stream already. */
  end(incidents: readonly Incident[]): LabelledDays {
    this.#endLastDay();
    const taken = new Set(incidents.flatMap(({ ids }) => ids));
    // A swap into which another incident's calls came would teach two things at once.
    const swaps = this.#swaps.incidents.filter(({ ids }) => ids.length > 0 && !ids.some((id) => taken.has(id)));
    const clean = new Map(this.#days);
    for (const incident of [...incidents, ...this.#swaps.incidents])
      for (const key of keysOf(incident)) clean.delete(key);
    const labelled = [...incidents.filter(({ kind }) => kind === 'attack'), ...swaps].map((incident) => ({
      recipe: incident.recipe,
      family: incident.family,
      days: keysOf(incident).flatMap((key) => this.#days.get(key) ?? []),
    }));
    return { clean: [...clean.values()], incidents: labelled.filter(({ days }) => days.length > 0) };
  }

  /** A day is over when a later one begins. */
  #endLastDay(): void {
    const last = this.#last;
    if (last === undefined) return;
    const event = { ...last.event, ts: last.event.ts + dayMs };
    this.#shard.accept({ ...last, event_id: `${last.event_id} a day later`, event, position: null });
    this.#shard.flush();
    this.#shard.drain();
  }
}

function keysOf({ identities, first_ts, last_ts }: Incident): string[] {
  const [first, last] = [Math.floor(first_ts / dayMs), Math.floor(last_ts / dayMs)];
  const days = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  return identities.flatMap((identity) => days.map((day) => keyOf(hash64(identity), day)));
}

function keyOf({ high, low }: { readonly high: number; readonly low: number }, day: number): string {
  return `${high}/${low}/${day}`;
}
