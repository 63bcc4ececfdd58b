import { createHash } from 'node:crypto';
import { identityKinds } from '../core/words.ts';
import type { IdentityKey, IdentityKind } from './resolved-event.ts';

/** Ids of more characters end in a hash of the whole: the key stays bounded, and longer than any key that was not cut. */
const idCharsMax = 200;

const escaped = /[%:\p{Cc}\p{Cs}\s]/gu;
/** The id is the last part, so a colon in it (an ARN, an IPv6 address) is not ambiguous and stays readable. */
const escapedInId = /[%\p{Cc}\p{Cs}\s]/gu;

/**
 * `kind:tenant:id`, with `-` for no tenant. Two different (kind, tenant, id) never share a key: separators, percent signs, blanks and control
 * characters are percent-encoded.
 */
export function identityKey(kind: IdentityKind, tenant: string | null, id: string): IdentityKey {
  const tenantPart = tenant === null ? '-' : encodePart(tenant, escaped);
  return `${kind}:${tenantPart}:${encodePart(id, escapedInId)}` as IdentityKey;
}

/** The kind and the tenant (as it stands in the key) of a text that has the form of a key; null when it has not. */
export function identityParts(text: string): { readonly kind: IdentityKind; readonly tenant: string } | null {
  const [, kind, tenant] = /^([a-z-]+):([^:\p{Cc}\s]+):[^\p{Cc}\s]+$/u.exec(text) ?? [];
  const known = identityKinds.find((each) => each === kind);
  return known === undefined || tenant === undefined ? null : { kind: known, tenant };
}

function encodePart(text: string, pattern: RegExp): string {
  if (text.length <= idCharsMax && isSimple(text)) return text;
  const encoded = text.replace(
    pattern,
    (character) => `%${character.codePointAt(0)!.toString(16).toUpperCase().padStart(2, '0')}`,
  );
  if (encoded.length <= idCharsMax) return encoded;
  // Over UTF-16 units, so that lone surrogates, which UTF-8 would all turn into U+FFFD, stay apart.
  return `${encoded.slice(0, idCharsMax)}~${createHash('sha256').update(text, 'utf16le').digest('hex').slice(0, 24)}`;
}

/** Letters, digits and what ids are usually made of. Most are: one pass, no allocation. */
function isSimple(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= 36 || code === 37 || code === 58 || code >= 127) return false;
  }
  return true;
}
