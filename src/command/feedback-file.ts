import { readFileSync } from 'node:fs';
import { z } from '../config/zod.ts';
import { describeError, GaitError } from '../core/errors.ts';
import { isNetwork } from '../core/network.ts';
import { findingKinds } from '../core/words.ts';
import type { Suppression } from '../finding/suppression.ts';

/** The API writes empty texts where nothing is said. */
const part = z
  .string()
  .max(1024)
  .nullish()
  .transform((text) => text || null);
const cause = z.record(
  z.string(),
  z
    .object({ nats: z.number().min(0), values: z.array(z.string()).max(100).optional() })
    .transform(({ nats, values }) => ({ nats, ...(values && { values }) })),
);

/** One of the suppressions that `GET /v1/suppressions` answers with; what else it says there (owner, hits) may be missing. */
const suppression = z.object({
  suppression_id: z.string().min(1).max(1024),
  verdict_id: part,
  identity: part,
  peer_group: part,
  route: part,
  network: part.refine((network) => network === null || isNetwork(network), 'expected an address or a network'),
  kinds: z.array(z.enum(findingKinds)).default([]),
  cause: cause.nullish().transform((value) => value ?? null),
  owner: z.string().default(''),
  reason: z.string().default(''),
  until: z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
});
const file = z.object({ suppressions: z.array(suppression).max(10_000) });

/** What people said, as `GET /v1/suppressions` gives it. A verdict that was taken back has left nothing there. */
export function readFeedback(path: string): readonly Suppression[] {
  const parsed = file.safeParse(parse(path));
  if (parsed.success) return parsed.data.suppressions;
  const [issue] = parsed.error.issues;
  throw new GaitError(
    'INPUT_UNREADABLE',
    `${path}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not readable'}`,
  );
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new GaitError('INPUT_UNREADABLE', `${path}: ${describeError(cause)}`, { cause });
  }
}
