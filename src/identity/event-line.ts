import { canonicalFields, type FieldName } from '../event/canonical-fields.ts';
import { FlatJson } from '../event/decode/flat-json.ts';
import { emptyEvent, type TrafficEvent } from '../event/traffic-event.ts';
import { identityKinds } from './resolve.ts';
import type { IdentityKey, IdentityKind, ResolvedEvent } from './resolved-event.ts';

/**
 * One line of `gait.events`: the event without its nulls, its identity, and where it came from. `event_id`, `route` and `object_ids` are the
 * resolved ones; the event inside carries the same.
 */
const ownFields = new Set<string>(['event_id', 'route', 'object_ids', 'sample_rate', 'enforced']);
const names = (Object.keys(canonicalFields) as FieldName[]).filter((name) => !ownFields.has(name));
const parts = names.map((name) => ({ label: `,"${name}":`, name }));

export function encodeLine(resolved: ResolvedEvent): string {
  const { event, position } = resolved;
  let line = `{"identity":${quote(resolved.identity)},"identity_kind":"${resolved.identity_kind}"`;
  if (resolved.claimed_identity !== null) line += `,"claimed_identity":${quote(resolved.claimed_identity)}`;
  line += `,"event_id":${quote(resolved.event_id)},"route":${quote(resolved.route)}`;
  if (resolved.object_ids.length > 0) line += `,"object_ids":${JSON.stringify(resolved.object_ids)}`;
  if (event.sample_rate !== 1) line += `,"sample_rate":${event.sample_rate}`;
  if (event.enforced) line += ',"enforced":true';
  for (let i = 0; i < parts.length; i++) {
    const { name, label } = parts[i]!;
    const value = event[name];
    if (value === null) continue;
    line +=
      label +
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

/** What a line holds besides the event's own fields, by its place in `Line.own`. */
const own = ['identity', 'identity_kind', 'claimed_identity', 'src_topic', 'src_partition', 'src_offset', 'src_index'];

/** What a name on a line is: a field of the event, a place among `own`, or unknown (null). */
type Tag = { readonly name: FieldName; readonly check: Check } | number | null;

function tagOf(name: string): Tag {
  const check = checks.get(name);
  if (check !== undefined) return { name: name as FieldName, check };
  const place = own.indexOf(name);
  return place < 0 ? null : place;
}

type Line = { readonly event: TrafficEvent; readonly own: unknown[]; hasTime: boolean };

/** False for a field of the wrong type. */
function take(line: Line, tag: Tag, value: unknown): boolean {
  if (tag === null) return true;
  if (typeof tag === 'number') {
    line.own[tag] = value;
    return true;
  }
  if (!tag.check(value)) return false;
  (line.event as Record<string, unknown>)[tag.name] = value;
  return true;
}

const flat = new FlatJson(tagOf);

/** The event of a line made by `encodeLine`; unknown fields are ignored; null for anything that is no such line. */
export function decodeLine(bytes: string | Buffer): ResolvedEvent | null {
  const line: Line = { event: emptyEvent(), own: new Array<unknown>(own.length).fill(undefined), hasTime: false };
  if (typeof bytes !== 'string' && flat.read(bytes)) {
    for (let i = 0; i < flat.size; i++) {
      const { tag, name } = flat.keys[i]!;
      if (name === 'ts') line.hasTime = true;
      if (!take(line, tag, flat.values[i])) return null;
    }
    return resolvedOf(line);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(typeof bytes === 'string' ? bytes : bytes.toString('utf8'));
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return null;
  for (const [name, value] of Object.entries(parsed)) {
    if (name === 'ts') line.hasTime = true;
    if (!take(line, tagOf(name), value)) return null;
  }
  return resolvedOf(line);
}

function resolvedOf({ event, own, hasTime }: Line): ResolvedEvent | null {
  const [identity, kind, claimed = null, topic, partition, offset, index] = own;
  const { event_id, route } = event;
  if (!hasTime || typeof identity !== 'string' || typeof kind !== 'string' || !identityKinds.has(kind)) return null;
  if (event_id === null || route === null || (claimed !== null && typeof claimed !== 'string')) return null;
  const isPlaced =
    typeof topic === 'string' &&
    typeof partition === 'number' &&
    typeof offset === 'number' &&
    typeof index === 'number';
  return {
    identity: identity as IdentityKey,
    identity_kind: kind as IdentityKind,
    claimed_identity: claimed as IdentityKey | null,
    event_id,
    route,
    object_ids: event.object_ids ?? noObjects,
    event,
    position: isPlaced ? { topic, partition, offset, index } : null,
  };
}
