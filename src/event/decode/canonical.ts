import { assign, type Draft, type Field, fieldOf, isCanonicalField, noteWrong, valueFor } from '../draft.ts';
import { emptyRow, eventOf } from '../traffic-event.ts';
import { assignCredentials } from './credentials.ts';
import { FlatJson, type FlatUse } from './flat-json.ts';
import type { Format, JsonObject } from './format.ts';

/** Our own form. Besides the canonical fields it takes `authorization` and `cookie` as received, for their claims, and keeps neither. */
export const canonical: Format = {
  name: 'canonical',
  // nginx's log_format has `ts` as well.
  detect: (record) => record.ts !== undefined && record.remote_addr === undefined,
  decode(record: JsonObject, draft: Draft): void {
    let hasCredentials = false;
    for (const key in record) {
      if (!assign(draft, key, record[key]) && isCredential(key)) hasCredentials = true;
    }
    // After the fields: what the gateway says stands, the token fills the gaps.
    if (hasCredentials) assignCredentials(draft, record);
  },
};

/** What a name is to the flat reader: a field, nothing, or a reason to look at the record as a whole. */
type FlatTag = Field | null | 'whole';

function flatTag(name: string): FlatTag {
  return fieldOf(name) ?? (isCredential(name) || name === 'remote_addr' ? 'whole' : null);
}

/** Numbers and times written as text are as good as unique; what becomes of a key is remembered by the redactor, not under its bytes. */
const uniqueKinds: ReadonlySet<string> = new Set(['time', 'number', 'seconds', 'path', 'secret']);

function useOf(tag: FlatTag): FlatUse {
  if (tag === null || tag === 'whole') return 'ignored';
  return tag.isUnique || uniqueKinds.has(tag.kind) ? 'unique' : 'repeating';
}

/**
 * As `detect` and `decode`, for what nearly all records are; false when the record needs the long way. What a text becomes follows from the
 * field and the text alone (and from what a decoder never changes), so it is asked once for each.
 */
export function flatDecoder(draft: Draft): (bytes: Buffer) => boolean {
  const make = (tag: FlatTag, value: unknown): unknown => valueFor(draft, tag as Field, value);
  const flat = new FlatJson<FlatTag>(flatTag, { use: useOf, make });
  const row = [...emptyRow];
  /** False when the record is not for this way. */
  const fill = (): boolean => {
    let isCanonical = false;
    for (let i = 0; i < flat.size; i++) {
      const { tag } = flat.keys[i]!;
      if (tag === 'whole') return false;
      if (tag === null) continue;
      const value = flat.values[i];
      if (tag.kind === 'time') {
        isCanonical = true;
        draft.hasTime = value !== null;
      }
      if (value === undefined) noteWrong(draft, tag);
      else if (value !== null) row[tag.index] = value;
    }
    return isCanonical;
  };
  return (bytes) => {
    if (!flat.read(bytes)) return false;
    draft.problem = null;
    const isFilled = fill();
    if (isFilled) draft.event = eventOf(row);
    for (let i = 0; i < flat.size; i++) {
      const { tag } = flat.keys[i]!;
      if (tag !== null && tag !== 'whole') row[tag.index] = emptyRow[tag.index];
    }
    return isFilled;
  };
}

function isCredential(key: string): boolean {
  const lower = key.length === 13 || key.length === 6 ? key.toLowerCase() : '';
  return lower === 'authorization' || lower === 'cookie';
}

/** Canonical, but without a time: enough of our names to say what is wrong instead of "unknown format". */
export function looksCanonical(record: JsonObject): boolean {
  let known = 0;
  for (const key in record) if (isCanonicalField(key) && ++known >= 2) return true;
  return false;
}
