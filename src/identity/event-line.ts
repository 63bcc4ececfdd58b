import { canonicalFields, type FieldName } from '../event/canonical-fields.ts';
import { FlatJson } from '../event/decode/flat-json.ts';
import { emptyRow, eventOf, rowNames } from '../event/traffic-event.ts';
import { LineWriter, type Words, wordsOf } from './line-writer.ts';
import { identityKinds } from './resolve.ts';
import type { IdentityKey, IdentityKind, ResolvedEvent, SourcePosition } from './resolved-event.ts';

/**
 * One line of `gait.events`: the event without its nulls, its identity, and where it came from. `event_id`, `route` and `object_ids` are the
 * resolved ones; the event inside carries the same.
 */
const ownFields = new Set<string>(['event_id', 'route', 'object_ids', 'sample_rate', 'enforced']);
/** Of these there are too many to remember their texts. */
const manyValued = new Set(['identity', 'claimed_identity', 'path']);

function isManyValued(name: string): boolean {
  return manyValued.has(name) || canonicalFields[name as FieldName]?.isUnique === true;
}

type Label = { readonly words: Words; readonly isManyValued: boolean };

function labelOf(name: string): Label {
  return { words: wordsOf(Buffer.from(`,"${name}":`)), isManyValued: isManyValued(name) };
}

/** What stands before a field's value, in the order in which all events have their fields; null for those that are written by themselves. */
const labels = rowNames.map((name) => (ownFields.has(name) ? null : labelOf(name)));
const label = {
  start: wordsOf(Buffer.from('{"identity":')),
  kind: labelOf('identity_kind'),
  claimed: labelOf('claimed_identity'),
  eventId: labelOf('event_id'),
  route: labelOf('route'),
  objects: labelOf('object_ids'),
  sampleRate: labelOf('sample_rate'),
  topic: labelOf('src_topic'),
  partition: labelOf('src_partition'),
  offset: labelOf('src_offset'),
  index: labelOf('src_index'),
} as const;

/** All of a line but its closing brace, so that more can follow. */
export function writeLine(writer: LineWriter, resolved: ResolvedEvent): void {
  const { event, position } = resolved;
  writer.words(label.start);
  writer.string(resolved.identity);
  writeField(writer, label.kind, resolved.identity_kind);
  writeField(writer, label.claimed, resolved.claimed_identity);
  writeField(writer, label.eventId, resolved.event_id);
  writeField(writer, label.route, resolved.route);
  if (resolved.object_ids.length > 0) writeField(writer, label.objects, resolved.object_ids);
  if (event.sample_rate !== 1) writeField(writer, label.sampleRate, event.sample_rate);
  if (event.enforced) writer.plain(',"enforced":true');
  let i = 0;
  // Going through the fields in their own order is several times quicker than asking for each by its name.
  for (const name in event) {
    const field = labels[i++];
    if (field !== null && field !== undefined) writeField(writer, field, event[name as FieldName]);
  }
  if (position === null) return;
  writeField(writer, label.topic, position.topic);
  writeField(writer, label.partition, position.partition);
  writeField(writer, label.offset, position.offset);
  writeField(writer, label.index, position.index);
}

function writeField(writer: LineWriter, { words, isManyValued }: Label, value: unknown): void {
  if (value === null) return;
  writer.words(words);
  if (typeof value === 'string' && !isManyValued) writer.repeated(value);
  else writer.value(value);
}

const single = new LineWriter();

export function encodeLine(resolved: ResolvedEvent): string {
  writeLine(single, resolved);
  single.plain('}');
  return single.take().toString();
}

type Check = (value: unknown) => boolean;
const isOwn: Check = (value) => value !== undefined;
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

/** What a line holds besides the event's own fields, behind these in a row. */
const own = ['identity', 'identity_kind', 'claimed_identity', 'src_topic', 'src_partition', 'src_offset', 'src_index'];
const ownAt = rowNames.length;
const places: ReadonlyMap<string, number> = new Map([...rowNames, ...own].map((name, place) => [name, place]));
/** A line that says nothing. Its time is null, since every line must have one. */
const blankRow: readonly unknown[] = [null, ...emptyRow.slice(1), ...own.map(() => null)];
const noObjects: readonly string[] = Object.freeze([]);

/** What a name on a line is: a place in the row and what may stand there, or unknown (null). */
type Tag = { readonly place: number; readonly check: Check; readonly isUnique: boolean } | null;

function tagOf(name: string): Tag {
  const place = places.get(name);
  if (place === undefined) return null;
  const isUnique = isManyValued(name);
  return { place, check: checks.get(name) ?? isOwn, isUnique };
}

/** Undefined for a value of the wrong type. */
function checkedValue(tag: Tag, value: unknown): unknown {
  return tag?.check(value) ? value : undefined;
}

const flat = new FlatJson<Tag>(tagOf, {
  use: (tag) => (tag === null ? 'ignored' : tag.isUnique ? 'unique' : 'repeating'),
  make: checkedValue,
});
const row = [...blankRow];

/** The event of the line that the flat reader has just read. */
function flatEvent(): ResolvedEvent | null {
  let isRight = true;
  for (let i = 0; i < flat.size; i++) {
    const { tag } = flat.keys[i]!;
    if (tag === null) continue;
    const value = flat.values[i];
    if (value === undefined) isRight = false;
    row[tag.place] = value;
  }
  const resolved = isRight ? resolvedOf(row) : null;
  for (let i = 0; i < flat.size; i++) {
    const { tag } = flat.keys[i]!;
    if (tag !== null) row[tag.place] = blankRow[tag.place];
  }
  return resolved;
}

function parsedEvent(text: string): ResolvedEvent | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return null;
  const line = [...blankRow];
  for (const [name, value] of Object.entries(parsed)) {
    const tag = tagOf(name);
    if (tag === null) continue;
    const checked = checkedValue(tag, value);
    if (checked === undefined) return null;
    line[tag.place] = checked;
  }
  return resolvedOf(line);
}

/** The event of a line made by `encodeLine`; unknown fields are ignored; null for anything that is no such line. */
export function decodeLine(bytes: string | Buffer): ResolvedEvent | null {
  if (typeof bytes === 'string') return parsedEvent(bytes);
  return flat.read(bytes) ? flatEvent() : parsedEvent(bytes.toString('utf8'));
}

const newline = 0x0a;

/** As `decodeLine`, for all lines of a record of `gait.events`, in order. */
export function decodeLines(bytes: Buffer): readonly (ResolvedEvent | null)[] {
  const events: (ResolvedEvent | null)[] = [];
  const isLoaded = flat.load(bytes);
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(newline, start);
    const end = found < 0 ? bytes.length : found;
    const isFlat = isLoaded && flat.readAt(start, end);
    events.push(isFlat ? flatEvent() : parsedEvent(bytes.toString('utf8', start, end)));
    start = end + 1;
  }
  return events;
}

function resolvedOf(line: readonly unknown[]): ResolvedEvent | null {
  const identity = line[ownAt];
  const kind = line[ownAt + 1];
  const claimed = line[ownAt + 2];
  if (typeof line[0] !== 'number' || typeof identity !== 'string' || typeof kind !== 'string') return null;
  if (!identityKinds.has(kind) || (claimed !== null && typeof claimed !== 'string')) return null;
  const event = eventOf(line);
  const { event_id, route } = event;
  if (event_id === null || route === null) return null;
  return {
    identity: identity as IdentityKey,
    identity_kind: kind as IdentityKind,
    claimed_identity: claimed as IdentityKey | null,
    event_id,
    route,
    object_ids: event.object_ids ?? noObjects,
    event,
    position: positionOf(line),
  };
}

function positionOf(line: readonly unknown[]): SourcePosition | null {
  const topic = line[ownAt + 3];
  const partition = line[ownAt + 4];
  const offset = line[ownAt + 5];
  const index = line[ownAt + 6];
  const isPlaced =
    typeof topic === 'string' &&
    typeof partition === 'number' &&
    typeof offset === 'number' &&
    typeof index === 'number';
  return isPlaced ? { topic, partition, offset, index } : null;
}
