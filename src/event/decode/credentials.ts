import { assign, assignIfEmpty, type Draft } from '../draft.ts';
import { header, isJsonObject, type JsonObject } from './format.ts';

/** As the verifier of tokens. Of what stands around a credential nobody counts the characters: whoever pads it is read all the same. */
const credentialsCharsMax = 65_536;

/** Takes what `authorization` and `cookie` say about the caller; the headers themselves go no further. */
export function assignCredentials(draft: Draft, headers: JsonObject): void {
  const authorization = header(headers, 'authorization');
  if (typeof authorization === 'string') assignAuthorization(draft, authorization);
  const cookie = header(headers, 'cookie');
  if (typeof cookie === 'string' && draft.event.session_id === null)
    assign(draft, 'session_id', draft.redactor.session(cookie));
}

/**
 * The scheme, in small letters, and what follows it; empty where there is nothing. RFC 9110 has one blank between them, but to many an API any
 * will do, and what is no UTF-8 (a blank of Latin-1) comes through Envoy as an exclamation mark: nobody hides from us behind either.
 */
export function readAuthorization(value: string): readonly [scheme: string, credentials: string] {
  const [, scheme = '', credentials = ''] = /^([^\s!\ufffd]+)[\s!\ufffd]+(.+)$/s.exec(value.trim()) ?? [];
  return [scheme.toLowerCase(), credentials];
}

function assignAuthorization(draft: Draft, value: string): void {
  const [scheme, credentials] = readAuthorization(value);
  if (credentials.length === 0 || credentials.length > credentialsCharsMax) return;
  if (credentials === '***' || credentials === 'REDACTED') return;
  if (scheme === 'bearer' || scheme === 'dpop') assignBearer(draft, credentials);
  else if (scheme === 'basic') assignBasic(draft, credentials);
  else if (scheme === 'apikey' || scheme === 'token') assignIfEmpty(draft, 'api_key', credentials);
  assignIfEmpty(draft, 'auth_method', scheme.slice(0, 32));
}

/** The claims of a JSON Web Token (RFC 7519), not verified: the gateway did that, or answered 401. An opaque token becomes its HMAC. */
function assignBearer(draft: Draft, token: string): void {
  const claims = readClaims(token);
  if (claims === null) {
    assignIfEmpty(draft, 'token_id', draft.redactor.digest(token));
    return;
  }
  const realmAccess = isJsonObject(claims.realm_access) ? claims.realm_access : {};
  assignClaim(draft, 'subject', claims.sub);
  assignClaim(draft, 'issuer', claims.iss);
  assignClaim(draft, 'client_id', claims.azp ?? claims.client_id);
  assignClaim(draft, 'session_id', claims.sid);
  // Without a `jti` the token is named by its HMAC, so that its use in two places can still be seen.
  assignIfEmpty(draft, 'token_id', typeof claims.jti === 'string' ? claims.jti : draft.redactor.digest(token));
  assignClaim(draft, 'scopes', claims.scope ?? claims.scp);
  assignClaim(draft, 'roles', claims.roles ?? realmAccess.roles);
  assignClaim(draft, 'acr', claims.acr);
  assignClaim(draft, 'amr', claims.amr);
  assignClaim(draft, 'auth_time', claims.auth_time);
  assignClaim(draft, 'token_iat', claims.iat);
  assignClaim(draft, 'token_exp', claims.exp);
}

/** A caller can send a token with claims of any type: a wrong one is left out, and must not get the event refused. */
function assignClaim(draft: Draft, name: Parameters<typeof assignIfEmpty>[1], value: unknown): void {
  const before = draft.problem;
  assignIfEmpty(draft, name, value);
  draft.problem = before;
}

function readClaims(token: string): JsonObject | null {
  const [head, payload] = token.split('.', 3);
  if (payload === undefined || !head?.startsWith('eyJ')) return null;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return isJsonObject(claims) ? claims : null;
  } catch {
    return null;
  }
}

/** RFC 7617: the user name is kept, the password is not. */
function assignBasic(draft: Draft, credentials: string): void {
  const text = Buffer.from(credentials, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon > 0 && !text.includes('\ufffd')) assignClaim(draft, 'subject', text.slice(0, colon));
}
