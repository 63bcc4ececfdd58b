import type { EpochMs } from '../core/clock.ts';
import type { Decoder } from '../event/decode/decoder.ts';
import type { Enrich } from '../event/enrich.ts';
import type { Redactor } from '../event/redact.ts';
import type { RouteTemplater } from '../event/route-template.ts';
import type { TrafficEvent } from '../event/traffic-event.ts';
import { type DeadLetter, newDeadLetter, type RefusedRecord } from './dead-letter.ts';
import { type IdentityChain, resolveIdentity } from './resolve.ts';
import type { ResolvedEvent, SourcePosition } from './resolved-event.ts';

/** How the records of one topic or file are read. */
export type IngestSource = {
  /** Its own: a decoder remembers the format of its source. */
  readonly decoder: Decoder;
  readonly chain?: IdentityChain | undefined;
  /** For events that name no tenant. */
  readonly tenant?: string | undefined;
  readonly homeIssuer?: string | undefined;
};

export type IngestOptions = {
  /** Asked once per topic or file. */
  readonly sourceFor: (topic: string) => IngestSource;
  readonly redactor: Redactor;
  readonly templater: RouteTemplater;
  /** Fills in what the address says; without it, only what the source said is known. */
  readonly enrich?: Enrich | undefined;
};

export type Ingested = { readonly events: readonly ResolvedEvent[]; readonly deadLetters: readonly DeadLetter[] };

export type Ingest = {
  /** Events so far whose route went to `{other}`, because their host had as many routes as it may. */
  readonly otherRoutes: () => number;
  /** The events of one record, resolved, and a dead letter for each part that is none. `position.index` is the record's; parts count on from it. */
  readonly ingest: (record: Buffer | string, position: SourcePosition, nowMs: EpochMs) => Ingested;
  /** The dead letter of a record that could not even be read, for one (a line beyond the limit). */
  readonly refuse: (refused: RefusedRecord, position: SourcePosition, nowMs: EpochMs) => DeadLetter;
};

/** Sources whose format is remembered; the topic's name is ours or the operator's, so this is a bound against mistakes. */
const sourcesMax = 1000;

/** From a record to resolved events: decode, redact, resolve, enrich, template. No state that a result depends on but the format and the known routes. */
export function createIngest(options: IngestOptions): Ingest {
  const { templater, enrich } = options;
  const sources = new Map<string, IngestSource>();
  const sourceOf = (topic: string): IngestSource => {
    let source = sources.get(topic);
    if (source === undefined) {
      if (sources.size >= sourcesMax) sources.clear();
      source = options.sourceFor(topic);
      sources.set(topic, source);
    }
    return source;
  };
  const refuse: Ingest['refuse'] = (refused, position, nowMs) =>
    newDeadLetter(refused, position, { redactor: options.redactor, nowMs });

  return {
    otherRoutes: templater.overflowed,
    refuse,
    ingest(record, position, nowMs) {
      const events: ResolvedEvent[] = [];
      const deadLetters: DeadLetter[] = [];
      const source = sourceOf(position.topic);
      const outcomes = source.decoder.decode(record, nowMs);
      for (let i = 0; i < outcomes.length; i++) {
        const outcome = outcomes[i]!;
        const at = i === 0 ? position : partOf(position, i);
        const resolved = outcome.kind === 'ok' ? resolveEvent(outcome.value, at, { source, templater, enrich }) : null;
        if (resolved !== null) {
          events.push(resolved);
          continue;
        }
        const { reason, cause } =
          outcome.kind === 'dead-letter'
            ? outcome
            : ({ reason: 'missing-identity', cause: 'no field of the identity chain is set' } as const);
        const size = typeof record === 'string' ? Buffer.byteLength(record) : record.length;
        deadLetters.push(refuse({ reason, cause, bytes: record, size }, at, nowMs));
      }
      return { events, deadLetters };
    },
  };
}

function partOf({ topic, partition, offset, index }: SourcePosition, part: number): SourcePosition {
  return { topic, partition, offset, index: index + part };
}

type ResolveOptions = Pick<IngestOptions, 'templater' | 'enrich'> & { readonly source: IngestSource };

/** Takes the event over: its `event_id`, `route` and `object_ids` become the resolved ones. */
function resolveEvent(
  event: TrafficEvent,
  position: SourcePosition,
  { source, templater, enrich }: ResolveOptions,
): ResolvedEvent | null {
  event.tenant ??= source.tenant ?? null;
  const resolution = resolveIdentity(event, source.chain, source.homeIssuer);
  if (resolution === null) return null;
  enrich?.(event);
  const { route, objects } = templater.template(event);
  event.event_id ??= derivedEventId(position);
  event.route = route;
  event.object_ids = mergeObjects(event.object_ids, objects);
  return {
    identity: resolution.identity,
    identity_kind: resolution.identity_kind,
    claimed_identity: resolution.claimed_identity,
    event_id: event.event_id,
    route,
    object_ids: event.object_ids ?? [],
    event,
    position,
  };
}

/** The id of an event that has none. Its numbers are padded, so that ids of one partition sort as their events came. */
export function derivedEventId({ topic, partition, offset, index }: SourcePosition): string {
  return `${topic}-${partition}-${String(offset).padStart(12, '0')}-${String(index).padStart(4, '0')}`;
}

function mergeObjects(own: readonly string[] | null, found: readonly string[]): readonly string[] | null {
  if (found.length === 0) return own;
  return own === null ? found : [...new Set([...own, ...found])];
}
