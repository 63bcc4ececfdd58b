import { createHmac } from 'node:crypto';
import { pathShapes } from './path-shape.ts';
import { isSuspiciousId, redactText } from './redact-text.ts';

export type RedactorOptions = {
  /** Secret of the deployment; with another key the digests of the same keys differ. */
  readonly hmacKey: string | Buffer;
  /** Names of query parameters whose values may be kept, lower case. */
  readonly listedQueryNames?: readonly string[];
  /** Names of the cookies that hold a session; none: the first that sounds like one. */
  readonly sessionCookies?: readonly string[];
};

/** Takes secrets out of what callers and gateways wrote, at the door, before anything is kept. */
export type Redactor = {
  /** The first 96 bits of the keyed HMAC-SHA-256 in hex: equal secrets stay equal, and nobody without the key can test a guess. */
  readonly digest: (secret: string | Buffer) => string;
  /** The digest of the session in a Cookie header; null without one. */
  readonly session: (cookies: string) => string | null;
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
  const digest = (secret: string | Buffer): string =>
    typeof secret === 'string' ? rememberedHmac(secret) : hmac(secret);
  const names = new Set(options.sessionCookies);
  const rememberedId = remember((id) => (redactText(id) === id ? id : hmac(id)));
  return {
    digest,
    session: (cookies) => {
      const value = sessionIn(cookies, names);
      return value === null ? null : digest(value);
    },
    text: remember(redactText),
    id: (id) => (isSuspiciousId(id) ? rememberedId(id) : id),
    path: (path) => pathShapes.redact(path, listed),
  };
}

const soundsLikeSession = /sess|sid\b|auth|token|jwt|login/i;

function sessionIn(cookies: string, names: ReadonlySet<string>): string | null {
  for (const pair of cookies.split(';')) {
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals).trim();
    const value = pair.slice(equals + 1).trim();
    const isSession = names.size > 0 ? names.has(name) : value.length >= 8 && soundsLikeSession.test(name);
    if (equals > 0 && value !== '' && isSession) return asRead(value);
  }
  return null;
}

/** As most frameworks read it: without quotes, and without percent-encoding, or one session could be written in many ways. */
function asRead(value: string): string {
  const bare = /^"(.*)"$/.exec(value)?.[1] ?? value;
  try {
    return decodeURIComponent(bare);
  } catch {
    return bare;
  }
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
