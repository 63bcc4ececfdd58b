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

const suspiciousId = /eyJ|[= %]|\/\/|_(?:live|test)_|^(?:sk-|key-|gh[pousr]_|github_pat|glpat-|xox|AIza|npm_)/;

/** Whether an identifier is worth `redactText`: cheap, because there are many different ones and hardly any holds a secret. */
export function isSuspiciousId(id: string): boolean {
  return id.length >= 16 && suspiciousId.test(id);
}
