import { Secret } from './secret.ts';
import { z } from './zod.ts';

/** What the sections of the configuration are made of. */

/** A number, or its decimal text: a value that came from the environment is text. */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER) {
  return z.preprocess(fromText, z.int().min(min).max(max));
}

export function fromText(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
}

export const flag = z.preprocess((value) => (value === 'true' ? true : value === 'false' ? false : value), z.boolean());
export const text = z.string().min(1);
export const url = z.url({
  protocol: /^https?$/,
  error: ({ input }) => (input === undefined ? 'is missing: an http or https URL' : 'is not an http or https URL'),
});
export const secret = text.transform((value) => new Secret(value));
/** As in Standard Webhooks. */
export const webhookSecret = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{16,}={0,2}$/, 'must be whsec_ followed by base64, as in Standard Webhooks')
  .transform((value) => new Secret(value));
