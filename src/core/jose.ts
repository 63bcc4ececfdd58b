import {
  CompactSign,
  calculateJwkThumbprint,
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  errors,
  exportJWK,
  exportPKCS8,
  generateKeyPair,
  importPKCS8,
  jwtVerify,
} from 'jose';
import type { Clock } from './clock.ts';
import { GaitError } from './errors.ts';

/** What an RSA key says of itself to those who verify: no private part can be in it. */
export type PublicJwk = {
  readonly kty: string;
  readonly n: string;
  readonly e: string;
  readonly kid: string;
  readonly alg: 'RS256';
  readonly use: 'sig';
};

export type Claims = Readonly<Record<string, unknown>>;

export type Signer = {
  readonly jwk: PublicJwk;
  /** A compact JWS of RS256; `typ` stands in its header, so that one kind of token never passes for another (RFC 8725, 3.11). */
  readonly sign: (claims: Claims, typ: string) => Promise<string>;
};

/** 2048 bits are the least that the CAEP interoperability profile allows. */
const modulusBits = 2048;

/** A new private key, as PEM of PKCS#8. */
export async function makeSigningKey(): Promise<string> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true, modulusLength: modulusBits });
  return exportPKCS8(privateKey);
}

/** The key's id is its RFC 7638 thumbprint: the same key has the same name in every process. Fails with CONFIG_INVALID, without the key. */
export async function createSigner(pem: string): Promise<Signer> {
  try {
    const key = await importPKCS8(pem, 'RS256', { extractable: true });
    const { kty = '', n = '', e = '' } = await exportJWK(key);
    const kid = await calculateJwkThumbprint({ kty, n, e });
    if (Buffer.from(n, 'base64url').length * 8 < modulusBits) throw new Error('too short');
    return {
      jwk: { kty, n, e, kid, alg: 'RS256', use: 'sig' },
      sign: (claims, typ) =>
        new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader({ alg: 'RS256', kid, typ }).sign(key),
    };
  } catch {
    throw new GaitError(
      'CONFIG_INVALID',
      `a signing key must be an RSA key of ${modulusBits} bits or more, as PEM of PKCS#8`,
    );
  }
}

/** Why a token is not believed; `unavailable` is the only one that may pass: the keys could not be fetched. */
export type TokenFault =
  | 'malformed'
  | 'unknown-key'
  | 'signature'
  | 'type'
  | 'issuer'
  | 'audience'
  | 'time'
  | 'unavailable';

export type VerifiedToken =
  | { readonly kind: 'ok'; readonly claims: Claims }
  | { readonly kind: 'refused'; readonly fault: TokenFault };

export type VerifierOptions = {
  readonly issuer: string;
  /** One of these must be among the token's audiences; empty: any audience will do. */
  readonly audiences: readonly string[];
  /** Where the issuer publishes its keys. */
  readonly jwksUri: string;
  readonly clock: Clock;
  /** The header's `typ`, without `application/`; without it any will do. */
  readonly typ?: string;
  /** Clocks differ. */
  readonly toleranceSeconds?: number;
};

export type TokenVerifier = {
  readonly issuer: string;
  readonly verify: (token: string) => Promise<VerifiedToken>;
  /** Fetches the keys, so that no token has to wait for them; fails where they cannot be had. */
  readonly refresh: () => Promise<void>;
};

/** Never a symmetric one and never `none`: a public key must not be taken for a shared secret (RFC 8725, 3.1). */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** A key set of more bytes is none. */
const jwksBytesMax = 256 * 1024;
/** Before anything is decoded. Tokens with many groups come near to 16 KB, headers of gateways end there. */
const tokenCharsMax = 64 * 1024;

/**
 * Verifies tokens of one issuer by its published keys. The keys are kept for ten minutes; a key id that is not among them fetches the set
 * anew, at most once in two seconds, so that rotation is noticed at once and forged key ids cost the issuer little.
 */
export function createTokenVerifier(options: VerifierOptions): TokenVerifier {
  const { issuer, audiences, jwksUri, clock, typ, toleranceSeconds = 30 } = options;
  const keys = createRemoteJWKSet(new URL(jwksUri), {
    timeoutDuration: 3000,
    cooldownDuration: 2000,
    [customFetch]: fetchBounded,
  });
  const verify = async (token: string): Promise<VerifiedToken> => {
    if (token.length > tokenCharsMax) return { kind: 'refused', fault: 'malformed' };
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms,
        issuer,
        clockTolerance: toleranceSeconds,
        currentDate: new Date(clock.now()),
        ...(audiences.length === 0 ? {} : { audience: [...audiences] }),
        ...(typ === undefined ? {} : { typ }),
      });
      return { kind: 'ok', claims: payload };
    } catch (error) {
      return { kind: 'refused', fault: faultOf(error) };
    }
  };
  return { issuer, verify, refresh: () => keys.reload() };
}

/** The claims of a token that nobody has verified: only to choose whom to ask. */
export function readUnverified(token: string): Claims | undefined {
  if (token.length > tokenCharsMax) return undefined;
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}

function faultOf(error: unknown): TokenFault {
  if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired) {
    if (error.claim === 'iss') return 'issuer';
    if (error.claim === 'aud') return 'audience';
    return error.claim === 'typ' ? 'type' : 'time';
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature';
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return 'unknown-key';
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) return 'unknown-key';
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return 'malformed';
  return 'unavailable';
}

/** jose reads the whole answer before it looks at it, so the limit must stand before. */
async function fetchBounded(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > jwksBytesMax) throw new GaitError('DELIVERY_FAILED', 'the key set is too large');
    chunks.push(chunk);
  }
  return new Response(Buffer.concat(chunks), { status: response.status });
}
