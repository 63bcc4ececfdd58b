import { createHmac, createSign, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export type Issuer = {
  readonly jwksUri: string;
  /** A token of RS256; `undefined` leaves a claim out. */
  readonly sign: (claims: object, issuer?: string) => Promise<string>;
  /** With the public key as if it were a shared secret (RFC 8725, 2.1). */
  readonly signSymmetric: (claims: object) => Promise<string>;
  /** From now on another key is used and published. */
  readonly rotate: () => Promise<void>;
  /** How often its keys were asked for. */
  readonly fetched: () => number;
};

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** An identity provider: signs, and publishes its keys on a port of loopback. */
export async function createIssuer(t: TestContext, name: string): Promise<Issuer> {
  let key = newKey();
  let fetched = 0;
  const server = createServer((_request, response) => {
    fetched++;
    response
      .setHeader('content-type', 'application/json')
      .end(
        JSON.stringify({ keys: [{ ...key.public.export({ format: 'jwk' }), kid: key.kid, use: 'sig', alg: 'RS256' }] }),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return {
    jwksUri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    sign: async (claims, issuer = name) => {
      const head = `${encode({ alg: 'RS256', kid: key.kid })}.${encode({ iss: issuer, ...claims })}`;
      return `${head}.${createSign('sha256').update(head).sign(key.private, 'base64url')}`;
    },
    signSymmetric: async (claims) => {
      const head = `${encode({ alg: 'HS256', kid: key.kid })}.${encode({ iss: name, ...claims })}`;
      const secret = key.public.export({ format: 'pem', type: 'spki' });
      return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`;
    },
    rotate: async () => {
      key = newKey();
    },
    fetched: () => fetched,
  };
}

function newKey(): { readonly kid: string; readonly private: KeyObject; readonly public: KeyObject } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { kid: randomUUID(), private: privateKey, public: publicKey };
}
