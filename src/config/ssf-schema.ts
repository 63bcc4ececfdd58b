import { flag, integer, secret, text, url } from './fields.ts';
import { Secret } from './secret.ts';
import { z } from './zod.ts';

const signingKey = z
  .string()
  .regex(/^-----BEGIN PRIVATE KEY-----\s/, 'must be an RSA key as PEM of PKCS#8')
  .transform((value) => new Secret(value));

/** Someone whom we send to. It is known by its API key, and sees and changes its own stream only. */
const receiver = z.strictObject({
  /** The name of its API key (`http.keys[].name`). */
  name: text,
  audience: text,
  /** `okta`: its own event for risk, with the subject inside the event. */
  profile: z.enum(['caep', 'okta']).default('caep'),
  /** How people are named: by the issuer of their tokens and their subject there, or by e-mail where the subject is one. */
  subjects: z.enum(['iss_sub', 'email']).default('iss_sub'),
  /** The `iss` of people's subjects. */
  subjectIssuer: text.optional(),
  /** Also inside the event, for receivers from before SSF 1.0. */
  legacySubject: flag.default(false),
  /** Where it may have tokens pushed to: the beginning of an address up to the first slash of its path. */
  pushOrigins: z.array(url).max(16).default([]),
  /** A stream that stands here instead of one that the receiver makes by itself: pushed to this address. */
  push: z.strictObject({ url, authorization: secret.optional() }).optional(),
});

/** Someone whose tokens we believe, about its own people. */
const transmitter = z.strictObject({
  name: text,
  issuer: text,
  jwksUri: url,
  /** One of these must be the token's audience. */
  audiences: z.array(text).min(1),
  /** The `iss` of the people it speaks of; without it its own. */
  subjectIssuer: text.optional(),
  /** The `iss` in these people's tokens, where it is another still. */
  tokenIssuer: text.optional(),
  tenant: text.optional(),
  /** What its `Authorization` header must say. */
  authorization: secret.optional(),
});

/** Shared signals (SSF 1.0): sent when `issuer` is named, taken from those under `transmitters`. */
export const ssfSchema = z.strictObject({
  /** The address of this service as receivers know it: the `iss` of every token, and where they read the configuration. */
  issuer: url.refine((value) => !/[?#]|\/$/.test(value), 'must not end in a slash or carry a query').optional(),
  /** The first signs, all are published. Without it a key is made, kept in `dataDir`, and replaced after `keyDays`. */
  signingKeys: z.array(signingKey).max(8).default([]),
  /** A key signs this long, and is published for as long again. */
  keyDays: integer(1, 3650).default(90),
  receivers: z.array(receiver).max(64).default([]),
  /** Of whom streams tell to begin with: of everybody, or of those only whom their receivers add. */
  defaultSubjects: z.enum(['ALL', 'NONE']).default('ALL'),
  transmitters: z.array(transmitter).max(64).default([]),
  /** A token that was not taken in this time is given up. */
  holdMs: integer(1000).default(86_400_000),
  /** Tokens waiting per stream; beyond it the oldest is given up. */
  outboxMax: integer(1, 1_000_000).default(10_000),
});
