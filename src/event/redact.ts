import { createHmac } from 'node:crypto';
import { pathShapes } from './path-shape.ts';
import { isSuspiciousId, redactText } from './redact-text.ts';

export type RedactorOptions = {
  /** Secret of the deployment; with another key the digests of the same keys differ. */
  readonly hmacKey: string | Buffer;
  /** Names of query parameters whose values may be kept, lower case. */
  readonly listedQueryNames?: readonly string[];
};

/** Takes secrets out of what callers and gateways wrote, at the door, before anything is kept. */
export type Redactor = {
  /** The first 96 bits of the keyed HMAC-SHA-256 in hex: equal secrets stay equal, and nobody without the key can test a guess. */
  readonly digest: (secret: string | Buffer) => string;
  /** A path with query: values of unlisted names, user names in URLs, and segments that are secrets are taken out. */
  readonly path: (path: string) => string;
  /** Free text with tokens and `password=…` masked. */
  readonly text: (text: string) => string;
  /** An identifier; one that holds a secret becomes its digest, not a mask: masked, different callers would become one. */
  readonly id: (id: string) => string;
};

/** Together at most 2 × 4096 texts of 512 characters: 8 MB. */
const rememberedMax = 4096;
const rememberedCharsMax = 512;

export function createRedactor(options: RedactorOptions): Redactor {
  const listed = new Set((options.listedQueryNames ?? []).map((name) => name.toLowerCase()));
  const hmac = (secret: string | Buffer): string =>
    createHmac('sha256', options.hmacKey).update(secret).digest('hex').slice(0, 24);
  const rememberedHmac = remember(hmac);
  const rememberedId = remember((id) => (redactText(id) === id ? id : hmac(id)));
  return {
    digest: (secret) => (typeof secret === 'string' ? rememberedHmac(secret) : hmac(secret)),
    text: remember(redactText),
    id: (id) => (isSuspiciousId(id) ? rememberedId(id) : id),
    path: (path) => pathShapes.redact(path, listed),
  };
}

/** Keys and user agents come again and again. Two generations instead of an order of use: bounded, and a look-up moves nothing. In memory only. */
function remember(make: (text: string) => string): (text: string) => string {
  let young = new Map<string, string>();
  let old = new Map<string, string>();
  return (text) => {
    const known = young.get(text) ?? old.get(text);
    if (known !== undefined) return known;
    const made = make(text);
    if (text.length > rememberedCharsMax) return made;
    if (young.size >= rememberedMax) {
      old = young;
      young = new Map();
    }
    young.set(text, made);
    return made;
  };
}
