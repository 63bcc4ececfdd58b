import { createHash } from 'node:crypto';
import { isIP, SocketAddress } from 'node:net';
import { identityKinds } from '../core/words.ts';
import { toAddress } from '../event/decode/coerce.ts';
import type { IdentityKey, IdentityKind } from './resolved-event.ts';

/** Ids of more characters end in a hash of the whole: the key stays bounded, and longer than any key that was not cut. */
const idCharsMax = 200;

const escaped = /[%:\p{Cc}\p{Cs}\s]/gu;
/** The id is the last part, so a colon in it (an ARN, an IPv6 address) is not ambiguous and stays readable. */
const escapedInId = /[%\p{Cc}\p{Cs}\s]/gu;

/**
 * `kind:tenant:id`, with `-` for no tenant. Two different (kind, tenant, id) never share a key: separators, percent signs, blanks and control
 * characters are percent-encoded, as `%20` or, above U+00FF, as `%u2003`.
 */
export function identityKey(kind: IdentityKind, tenant: string | null, id: string): IdentityKey {
  const tenantPart = tenant === null ? '-' : encodePart(tenant, escaped);
  return `${kind}:${tenantPart}:${encodePart(id, escapedInId)}` as IdentityKey;
}

/** No id holds it: a percent sign in one is encoded, so that hexadecimal digits follow. */
const issuerMark = '%@';

/** The same for somebody of another issuer than the configured home; undefined for one of home. */
export function atIssuer(key: IdentityKey, foreignIssuer: string | undefined): IdentityKey {
  if (foreignIssuer === undefined) return key;
  return `${key}${issuerMark}${encodePart(foreignIssuer, escapedInId)}` as IdentityKey;
}

/** Names at an issuer: equal ones of two issuers are two. */
export function foreignIssuerOf(issuer: string | null, homeIssuer: string | undefined): string | undefined {
  return homeIssuer === undefined || issuer === null || issuer === homeIssuer ? undefined : issuer;
}

/** The kind and the tenant (as it stands in the key) of a text that has the form of a key; null when it has not. */
export function identityParts(text: string): { readonly kind: IdentityKind; readonly tenant: string } | null {
  const [, kind, tenant] = /^([a-z-]+):([^:\p{Cc}\s]+):[^\p{Cc}\s]+$/u.exec(text) ?? [];
  const known = identityKinds.find((each) => each === kind);
  return known === undefined || tenant === undefined ? null : { kind: known, tenant };
}

/** The key that the calls of whom a person means have, however he wrote it; null for a text that is none. */
export function keyMeantBy(text: string): IdentityKey | null {
  const parts = identityParts(text);
  if (parts === null) return null;
  const { kind, tenant } = parts;
  const id = identityId(text);
  if (kind === 'address') {
    if (id === undefined || isIP(id) === 0) return null;
    const { address } = new SocketAddress({ address: id, family: isIP(id) === 6 ? 'ipv6' : 'ipv4' });
    return `${kind}:${tenant}:${toAddress(address)}` as IdentityKey;
  }
  // Of one that was cut nothing else is known.
  if (id === undefined) return text as IdentityKey;
  const key = `${kind}:${tenant}:${encodePart(id, escapedInId)}` as IdentityKey;
  return atIssuer(key, identityIssuer(text));
}

/** The id of a key, as it came. Undefined for one that was so long that only a hash of it is left. */
export function identityId(key: string): string | undefined {
  return decode(idPartsOf(key)[0] ?? '');
}

/** The issuer of whom a key names, where it is not the home; of one that was cut its shortened form, which is nobody's. */
export function identityIssuer(key: string): string | undefined {
  const part = idPartsOf(key)[1];
  return part === undefined ? undefined : (decode(part) ?? part);
}

function idPartsOf(key: string): readonly string[] {
  return key.split(':').slice(2).join(':').split(issuerMark);
}

function decode(id: string): string | undefined {
  if (id === '' || (id.length > idCharsMax && /~[0-9a-f]{24}$/.test(id))) return undefined;
  return id.replace(/%(?:u([0-9A-F]{4})|([0-9A-F]{2}))/g, (_, wide: string | undefined, narrow: string) =>
    String.fromCharCode(Number.parseInt(wide ?? narrow, 16)),
  );
}

/** Of a fixed length each, so that what follows is not taken for a part of it: all that is encoded lies below U+10000. */
function encode(character: string): string {
  const code = character.charCodeAt(0);
  const digits = code.toString(16).toUpperCase();
  return code > 0xff ? `%u${digits.padStart(4, '0')}` : `%${digits.padStart(2, '0')}`;
}

function encodePart(text: string, pattern: RegExp): string {
  if (text.length <= idCharsMax && isSimple(text)) return text;
  const encoded = text.replace(pattern, encode);
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
