import type { ResolvedEvent } from '../../identity/resolved-event.ts';

/**
 * Peers: how others find what does not belong, on the same events. In: events, without labels. Out: a score per event. They are written as their
 * papers say, with the settings these recommend; thresholds are chosen for them elsewhere, in their favour.
 *
 * A window is what most of them see: up to 20 calls of one identity within an hour, as 16 numbers. Counts and sizes as logarithms, because
 * otherwise a few giants would decide every distance.
 */
export type Window = { readonly identity: string; readonly last: number; readonly features: Float64Array };

const eventsMax = 20;
const spanMaxMs = 3_600_000;
/** What an identity does for the first time says nothing before this many calls. */
const historyMin = 20;
export const windowFeatures = [
  ...['calls', 'calls_per_second', 'routes', 'objects', 'status_4xx', 'share_4xx', 'status_401_403', 'status_5xx'],
  ...['response_bytes', 'largest_response', 'request_bytes', 'share_writes', 'deletes'],
  ...['new_routes', 'new_networks_or_clients', 'new_hours'],
] as const;

type Past = {
  calls: number;
  readonly routes: Set<string>;
  readonly contexts: Set<string>;
  readonly hours: Set<number>;
};
type Open = { readonly events: ResolvedEvent[]; readonly indexes: number[]; readonly past: Past };

/** Cuts the stream into windows; remembers of every identity all it ever did, which is more than a real system could. */
export class Windows {
  readonly closed: Window[] = [];
  /** Which window an event is in, by the event's number. */
  readonly #windowOf: number[] = [];
  readonly #open = new Map<string, Open>();

  accept(resolved: ResolvedEvent, index: number): void {
    const { identity, event } = resolved;
    let open = this.#open.get(identity);
    const first = open?.events[0];
    if (open !== undefined && first !== undefined) {
      if (open.events.length >= eventsMax || event.ts - first.event.ts >= spanMaxMs) open = this.#close(identity, open);
    }
    if (open === undefined) {
      const past = { calls: 0, routes: new Set<string>(), contexts: new Set<string>(), hours: new Set<number>() };
      open = { events: [], indexes: [], past };
      this.#open.set(identity, open);
    }
    open.events.push(resolved);
    open.indexes.push(index);
  }

  /** Closes what is open; windows are then in the order of their last event. Gives each event the number of its window. */
  end(): Int32Array {
    for (const [identity, open] of this.#open) if (open.events.length > 0) this.#close(identity, open);
    const order = this.closed.map((_, i) => i).sort((a, b) => this.closed[a]!.last - this.closed[b]!.last);
    const rank = new Int32Array(order.length);
    for (const [place, i] of order.entries()) rank[i] = place;
    this.closed.sort((a, b) => a.last - b.last);
    return Int32Array.from(this.#windowOf, (i) => rank[i]!);
  }

  #close(identity: string, { events, indexes, past }: Open): Open {
    for (const index of indexes) this.#windowOf[index] = this.closed.length;
    this.closed.push({ identity, last: indexes.at(-1)!, features: featuresOf(events, past) });
    const open = { events: [], indexes: [], past };
    this.#open.set(identity, open);
    return open;
  }
}

function featuresOf(events: readonly ResolvedEvent[], past: Past): Float64Array {
  const count = (holds: (status: number) => boolean): number =>
    events.filter(({ event }) => event.status !== null && holds(event.status)).length;
  const sum = (of: (each: ResolvedEvent) => number): number => events.reduce((total, each) => total + of(each), 0);
  const spanMs = events.at(-1)!.event.ts - events[0]!.event.ts;
  const refused = count((status) => status >= 400 && status < 500);
  const isNew = past.calls >= historyMin;
  const fresh = learn(events, past);
  return Float64Array.of(
    Math.log1p(events.length),
    // A window of one call, or of calls in the same second, has no rate: one second more keeps it finite.
    Math.log(events.length / (1 + spanMs / 1000)),
    Math.log1p(new Set(events.map(({ event, route }) => `${event.method} ${event.host} ${route}`)).size),
    Math.log1p(new Set(events.flatMap(({ object_ids }) => object_ids)).size),
    Math.log1p(refused),
    refused / events.length,
    Math.log1p(count((status) => status === 401 || status === 403)),
    Math.log1p(count((status) => status >= 500)),
    Math.log1p(sum(({ event }) => event.response_bytes ?? 0)),
    Math.log1p(Math.max(...events.map(({ event }) => event.response_bytes ?? 0))),
    Math.log1p(sum(({ event }) => event.request_bytes ?? 0)),
    sum(({ event }) => Number(event.method !== null && event.method !== 'GET' && event.method !== 'HEAD')) /
      events.length,
    Math.log1p(sum(({ event }) => Number(event.method === 'DELETE'))),
    ...fresh.map((each) => (isNew ? Math.log1p(each) : 0)),
  );
}

/** Counts what is new to the identity, and remembers it. */
function learn(events: readonly ResolvedEvent[], past: Past): readonly number[] {
  const before = [past.routes.size, past.contexts.size, past.hours.size];
  for (const { event, route } of events) {
    past.routes.add(`${event.method} ${event.host} ${route} ${event.operation}`);
    const network = event.client_ip?.replace(/[.:][^.:]*$/, '') ?? '';
    past.contexts.add(`${network}|${event.user_agent}|${event.ja4}|${event.country}|${event.tz}`);
    past.hours.add(Math.floor(event.ts / 3_600_000) % 24);
  }
  past.calls += events.length;
  return [past.routes.size - before[0]!, past.contexts.size - before[1]!, past.hours.size - before[2]!];
}
