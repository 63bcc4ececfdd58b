import { assign, type Draft, isCanonicalField } from '../draft.ts';
import { assignCredentials } from './credentials.ts';
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
