import { assign, assignField, type Draft, type Field, fieldOf, isCanonicalField } from '../draft.ts';
import { assignCredentials } from './credentials.ts';
import type { FlatJson } from './flat-json.ts';
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
export type FlatTag = Field | null | 'whole';

export function flatTag(name: string): FlatTag {
  return fieldOf(name) ?? (isCredential(name) || name === 'remote_addr' ? 'whole' : null);
}

/** As `detect` and `decode`, for a record that was read flat; false, with the draft untouched, when the record needs the long way. */
export function decodeFlat(flat: FlatJson<FlatTag>, draft: Draft): boolean {
  let hasTime = false;
  for (let i = 0; i < flat.size; i++) {
    const { tag, name } = flat.keys[i]!;
    if (tag === 'whole') return false;
    if (name === 'ts') hasTime = true;
  }
  if (!hasTime) return false;
  for (let i = 0; i < flat.size; i++) {
    const { tag } = flat.keys[i]!;
    if (tag !== null) assignField(draft, tag as Field, flat.values[i]);
  }
  return true;
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
