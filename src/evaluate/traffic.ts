import type { EpochMs } from '../core/clock.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';

/**
 * Evaluate: how good detection is. In: labelled traffic and what the engine or a peer said of each event. Out: numbers and tables.
 * Labels are read here and nowhere else: never true is that a detector, Gait's or a peer's, sees one.
 *
 * An incident is one attack or one innocent look-alike, as `gait simulate` writes them to `labels.ndjson`.
 */
export type Incident = {
  readonly incident: string;
  readonly recipe: string;
  readonly family: string;
  readonly kind: 'attack' | 'look-alike';
  readonly pace: 'fast' | 'slow';
  /** Identity keys that a finding may name to count as right. */
  readonly identities: readonly string[];
  readonly first_ts: EpochMs;
  readonly last_ts: EpochMs;
  readonly ids: readonly string[];
  /** Prefixes of feature names, one of which an analyst would expect among a finding's reasons. */
  readonly expected: readonly string[];
};

export const dayMs = 86_400_000;

/** The records of a file of JSON lines. */
export function parseLines<T>(text: string): T[] {
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]));
}

/** Labelled events reduced to what is measured, numbered in the order in which they came. */
export class Traffic {
  readonly ts: EpochMs[] = [];
  /** Index into `identities`. */
  readonly identityOf: number[] = [];
  /** Index into `incidents`; -1 for none. */
  readonly incidentOf: number[] = [];
  incidents: readonly Incident[] = [];
  readonly identities: string[] = [];
  readonly #indexes = new Map<string, number>();
  readonly #identityIndexes = new Map<string, number>();
  get size(): number {
    return this.ts.length;
  }

  /** The event's number; a repeated id keeps its first. */
  add({ event_id, identity, event }: ResolvedEvent): number {
    const known = this.#indexes.get(event_id);
    if (known !== undefined) return known;
    const index = this.ts.length;
    this.#indexes.set(event_id, index);
    let who = this.#identityIndexes.get(identity);
    if (who === undefined) {
      who = this.identities.push(identity) - 1;
      this.#identityIndexes.set(identity, who);
    }
    this.ts.push(event.ts);
    this.identityOf.push(who);
    this.incidentOf.push(-1);
    return index;
  }

  /** Labels come last: simulated ones are known when the traffic has been made. A call of an attack and of a look-alike is the attack's. */
  label(incidents: readonly Incident[]): void {
    this.incidents = incidents;
    for (const kind of ['look-alike', 'attack'])
      for (const [i, incident] of incidents.entries())
        for (const id of incident.kind === kind ? incident.ids : []) {
          const index = this.#indexes.get(id);
          if (index !== undefined) this.incidentOf[index] = i;
        }
  }

  indexOf(eventId: string): number | undefined {
    return this.#indexes.get(eventId);
  }

  /** Whether the event belongs to an attack; look-alikes are ordinary. */
  isAttack(index: number): boolean {
    const incident = this.incidentOf[index]!;
    return incident >= 0 && this.incidents[incident]!.kind === 'attack';
  }

  /** Identities, as indexes, that no attack ever names. */
  innocents(): ReadonlySet<number> {
    return this.#unnamed(this.incidents.filter(({ kind }) => kind === 'attack'));
  }

  /** Nor any look-alike. */
  ordinary(): ReadonlySet<number> {
    return this.#unnamed(this.incidents);
  }

  #unnamed(incidents: readonly Incident[]): ReadonlySet<number> {
    const named = new Set(incidents.flatMap(({ identities }) => identities));
    return new Set(this.identities.flatMap((identity, i) => (named.has(identity) ? [] : [i])));
  }
}

/** What a detector said of each event, by its number. */
export type Scores = {
  readonly name: string;
  /** How odd the event is by itself. */
  readonly event: Float64Array;
  /** How suspicious its identity is with it. */
  readonly state: Float64Array;
};
