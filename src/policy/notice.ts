import { z } from '../config/zod.ts';
import { isNetwork } from '../core/network.ts';
import { findingKinds, verdictWords } from '../core/words.ts';
import type { Cause } from '../finding/finding.ts';
import { identityParts } from '../identity/identity-key.ts';
import type { IdentityKey } from '../identity/resolved-event.ts';
import { actions } from './decision.ts';

/**
 * Notice: what a person or another system tells Gait about an identity. In: one record of `gait.events`, key `notice`, on the identity's
 * partition, so that it takes effect at one place in the order of that identity's events, after every crash at the same. Out: decisions, and
 * cases that begin anew. Never true: a notice from traffic; who appends one has checked whose word it is (a key's role, a verified token, a signed SET).
 * The same notice_id twice is one notice, so whoever appends derives it from what happened.
 */
const text = z.string().max(1024);
const base = z.object({
  notice_id: z.string().regex(/^ntc_[\w-]{8,100}$/),
  identity: text.refine((key) => identityParts(key) !== null).transform((key) => key as IdentityKey),
  session_id: text.nullable(),
  /** Milliseconds since 1970. */
  at: z.int().min(0).max(8.64e15),
  /** Whose word it is: the name of a key, an issuer, an enforcement point. */
  by: text,
  /** For people. */
  reason: text,
});

const everybody = base.extend({ identity: base.shape.identity.nullable() });

const part = text.min(1).nullable();
const suppression = z.strictObject({
  suppression_id: text,
  verdict_id: part,
  identity: part,
  peer_group: part,
  route: part,
  network: part.refine((network) => network === null || isNetwork(network)),
  kinds: z.array(z.enum(findingKinds)).readonly(),
  cause: z
    .record(text, z.strictObject({ nats: z.number().min(0), values: z.array(text).max(100).optional() }))
    .transform((cause) => cause as Cause)
    .nullable(),
  owner: text,
  reason: text,
  until: z.int().min(0).max(8.64e15),
});

const notice = z.discriminatedUnion('notice', [
  /** A person's decision. Beats what policy decides by itself; an open one of the same action and scope is extended. */
  base.extend({
    notice: z.literal('decide'),
    action: z.enum(actions).exclude(['restore']),
    mode: z.enum(['shadow', 'enforce']),
    ttl_ms: z.int().positive(),
    /** Only this token of the identity (its `jti`), where no session is named. */
    token_id: text.optional(),
  }),
  /** Ends a decision, or with null all of the identity's. */
  base.extend({ notice: z.literal('restore'), decision_id: text.nullable() }),
  /** A verified token answers the challenge of the decision: with null, of any open step-up. `session_id` is the new token's. */
  base.extend({ notice: z.literal('step-up-succeeded'), decision_id: text.nullable() }),
  /** The challenge was shown `stepUp.ignoredMax` times, and the calls went on unchanged. */
  base.extend({ notice: z.literal('step-up-ignored'), decision_id: text }),
  /** What a person says of a finding, and what that teaches. `session_id` is null. */
  base.extend({
    notice: z.literal('verdict'),
    finding_id: text,
    verdict: z.enum(verdictWords),
    suppression: suppression.nullable().default(null),
  }),
  base.extend({
    notice: z.literal('verdict-undone'),
    verdict_id: text,
    finding_id: text,
    verdict: z.enum(verdictWords),
    suppression_id: text.nullable(),
  }),
  /** Not to be told from now on, or again. `identity` only says on whose partition it stands: null for all. */
  everybody.extend({ notice: z.literal('suppress'), suppression }),
  everybody.extend({ notice: z.literal('unsuppress'), suppression_id: text }),
  /** From the identity provider: the person was there, or the session is over. */
  base.extend({ notice: z.literal('session-established') }),
  base.extend({ notice: z.literal('credential-changed') }),
  base.extend({ notice: z.literal('session-ended') }),
]);

export type AnyNotice = Readonly<z.output<typeof notice>>;
/** About what is told of anybody. */
export type SuppressionNotice = Extract<AnyNotice, { readonly notice: 'suppress' | 'unsuppress' }>;
/** About one identity. */
export type Notice = Exclude<AnyNotice, SuppressionNotice>;
export type NoticeOf<Kind extends AnyNotice['notice']> = Extract<AnyNotice, { readonly notice: Kind }>;

/** Null for what is no notice, or one that a later version knows. */
export function readNotice(bytes: Buffer): AnyNotice | null {
  try {
    return notice.safeParse(JSON.parse(bytes.toString('utf8'))).data ?? null;
  } catch {
    return null;
  }
}
