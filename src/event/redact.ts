import { createHmac } from 'node:crypto';
import { redactPath } from './redact-path.ts';

export type RedactorOptions = {
  /** Secret of the deployment; with another key the digests of the same keys differ. */
  readonly hmacKey: string | Buffer;
  /** Names of query parameters whose values may be kept, lower case. */
  readonly listedQueryNames?: readonly string[];
};

/** Takes secrets out of what callers and gateways wrote, at the door, before anything is kept. */
export type Redactor = {
  /** The first 96 bits of the keyed HMAC-SHA-256 in hex: equal secrets stay equal, and nobody without the key can test a guess. */
  readonly digest: (secret: string) => string;
  /** A path with query: values of unlisted names, user names in URLs, and segments that are secrets are taken out. */
  readonly path: (path: string) => string;
  /** Free text with tokens and `password=…` masked. */
  readonly text: (text: string) => string;
};

const digestsMax = 8192;

export function createRedactor(options: RedactorOptions): Redactor {
  const listed = new Set((options.listedQueryNames ?? []).map((name) => name.toLowerCase()));
  // Two generations instead of a list in order of use: bounded, and a lookup moves nothing. It holds raw keys, in memory only.
  let young = new Map<string, string>();
  let old = new Map<string, string>();
  const digest = (secret: string): string => {
    const known = young.get(secret) ?? old.get(secret);
    if (known !== undefined) return known;
    const made = createHmac('sha256', options.hmacKey).update(secret).digest('hex').slice(0, 24);
    if (secret.length > 4096) return made;
    if (young.size >= digestsMax) {
      old = young;
      young = new Map();
    }
    young.set(secret, made);
    return made;
  };
  return { digest, text: redactText, path: (path) => redactPath(path, listed) };
}

const mask = '***';

/** JSON Web Tokens (three parts, or the first two of a cut one): `eyJ` is base64url for `{"`. */
const jwt = /\beyJ[\w-]{8,}(?:\.[\w-]*){0,4}/g;
/** Keys that carry their maker's prefix. */
const prefixedKey =
  /\b(?:sk|pk|rk)_(?:live|test)_\w{8,}|\bsk-[\w-]{16,}|\bgh[pousr]_\w{16,}|\bgithub_pat_\w{16,}|\bglpat-[\w-]{16,}|\bxox[abeoprs]-[\w-]{8,}|\bAIza[\w-]{30,}|\bnpm_\w{30,}|\bkey-[0-9a-f]{16,}/g;
const scheme = /\b(bearer|basic|digest|negotiate)(\s+|%20|\+)[\w.~+/=-]{4,}/gi;
/** `name=value`, `name: value`, `"name":"value"`. Not `name:value`: that is how resource names are written (`…:secret:billing`), save for passwords. */
const assignment =
  /((?:(?:secret|token|api[-_]?key|access[-_]?key|private[-_]?key|\bkey|auth|authorization|credentials?|signature|\bsig|session(?:id)?|sid|otp|\bpin|cookie|assertion|\bcode)["']?(?:\s?=|%3d|:\s|%3a%20|\s?:\s?["'])|(?:pass(?:word|wd|phrase|code)?|pwd)["']?\s?(?:=|:|%3d|%3a))\s?["']?)([^\s"'&;,<>]{2,})/gi;
const userInfo = /(\/\/)[^/\s?#@]{1,256}@/g;

/** What all of the expressions above need at least one of: most text has none and pays one pass. */
const suspicious =
  /eyJ|=|:[\s"']|%3[ad]|\/\/|pass|pwd|_live_|_test_|sk-|gh[pousr]_|github_pat|glpat-|xox|AIza|npm_|key-|bearer|basic|digest|negotiate/i;

/** Masks what looks like a secret. Linear in the text: each expression starts at a literal and has no nested repetition. */
export function redactText(text: string): string {
  if (text.length < 8 || !suspicious.test(text)) return text;
  return text
    .replace(jwt, mask)
    .replace(prefixedKey, mask)
    .replace(scheme, `$1 ${mask}`)
    .replace(userInfo, '$1')
    .replace(assignment, (_all, name: string) => `${name}${mask}`);
}
