import { canonicalFields, type FieldName } from '../event/canonical-fields.ts';
import { emptyEvent, type TrafficEvent } from '../event/traffic-event.ts';
import { identityKinds } from './resolve.ts';
import type { IdentityKey, IdentityKind, ResolvedEvent, SourcePosition } from './resolved-event.ts';

/**
 * One line of `gait.events`: the event without its nulls, its identity, and where it came from. `event_id`, `route` and `object_ids` are the
 * resolved ones; the event inside carries the same.
 */
const ownFields = new Set<string>(['event_id', 'route', 'object_ids', 'sample_rate', 'enforced']);
const names = (Object.keys(canonicalFields) as FieldName[]).filter((name) => !ownFields.has(name));
const plain = names.map((name) => `,"${name}":`);

export function encodeLine(resolved: ResolvedEvent): string {
  const { event, position } = resolved;
  let line = `{"identity":${quote(resolved.identity)},"identity_kind":"${resolved.identity_kind}"`;
  if (resolved.claimed_identity !== null) line += `,"claimed_identity":${quote(resolved.claimed_identity)}`;
  line += `,"event_id":${quote(resolved.event_id)},"route":${quote(resolved.route)}`;
  if (resolved.object_ids.length > 0) line += `,"object_ids":${JSON.stringify(resolved.object_ids)}`;
  if (event.sample_rate !== 1) line += `,"sample_rate":${event.sample_rate}`;
  if (event.enforced) line += ',"enforced":true';
  for (let i = 0; i < names.length; i++) {
    const value = event[names[i]!];
    if (value === null) continue;
    line +=
      plain[i]! +
      (typeof value === 'string' ? quote(value) : typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  if (position !== null) {
    line += `,"src_topic":${quote(position.topic)},"src_partition":${position.partition},"src_offset":${position.offset},"src_index":${position.index}`;
  }
  return `${line}}`;
}

/** JSON's own quoting is only needed where there is something to escape; most strings have nothing. */
function quote(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 32 || code === 34 || code === 92 || code >= 0xd800) return JSON.stringify(text);
  }
  return `"${text}"`;
}

type Check = (value: unknown) => boolean;
const isString: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isStrings: Check = (value) => Array.isArray(value) && value.every(isString);
const isCounts: Check = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isNumber);

const checks: ReadonlyMap<string, Check> = new Map(
  Object.entries(canonicalFields).map(([name, { kind }]): [string, Check] => {
    if (kind === 'time' || kind === 'number' || kind === 'seconds') return [name, isNumber];
    if (kind === 'boolean') return [name, (value) => typeof value === 'boolean'];
    if (kind === 'list') return [name, isStrings];
    if (kind === 'counts') return [name, isCounts];
    if (kind === 'actor') return [name, (value) => value === 'human' || value === 'service'];
    if (kind === 'auth-result') return [name, (value) => value === 'success' || value === 'failure'];
    return [name, isString];
  }),
);

const noObjects: readonly string[] = Object.freeze([]);

/** The event of a line made by `encodeLine`; unknown fields are ignored; null for anything that is no such line. */
export function decodeLine(line: string | Buffer): ResolvedEvent | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(typeof line === 'string' ? line : line.toString('utf8'));
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return null;
  const record = parsed as Record<string, unknown>;
  const event = readEvent(record);
  const { identity, identity_kind: kind, claimed_identity: claimed = null, event_id: id, route } = record;
  if (event === null || typeof identity !== 'string' || typeof kind !== 'string' || !identityKinds.has(kind))
    return null;
  if (typeof id !== 'string' || typeof route !== 'string' || (claimed !== null && typeof claimed !== 'string'))
    return null;
  return {
    identity: identity as IdentityKey,
    identity_kind: kind as IdentityKind,
    claimed_identity: claimed as IdentityKey | null,
    event_id: id,
    route,
    object_ids: event.object_ids ?? noObjects,
    event,
    position: readPosition(record),
  };
}

function readEvent(record: Record<string, unknown>): TrafficEvent | null {
  if (record.ts === undefined) return null;
  const event = emptyEvent();
  for (const key in record) {
    const check = checks.get(key);
    if (check === undefined) continue;
    const value = record[key];
    if (!check(value)) return null;
    (event as Record<string, unknown>)[key] = value;
  }
  return event;
}

function readPosition(record: Record<string, unknown>): SourcePosition | null {
  const { src_topic: topic, src_partition: partition, src_offset: offset, src_index: index } = record;
  if (
    typeof topic !== 'string' ||
    typeof partition !== 'number' ||
    typeof offset !== 'number' ||
    typeof index !== 'number'
  )
    return null;
  return { topic, partition, offset, index };
}
