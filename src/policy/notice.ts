import { z } from '../config/zod.ts';
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

const notice = z.discriminatedUnion('notice', [
  /** A person's decision. Beats what policy decides by itself; an open one of the same action and scope is extended. */
  base.extend({
    notice: z.literal('decide'),
    action: z.enum(actions).exclude(['restore']),
    mode: z.enum(['shadow', 'enforce']),
    ttl_ms: z.int().positive(),
  }),
  /** Ends a decision, or with null all of the identity's. */
  base.extend({ notice: z.literal('restore'), decision_id: text.nullable() }),
  /** A verified token answers the challenge of the decision: with null, of any open step-up. `session_id` is the new token's. */
  base.extend({ notice: z.literal('step-up-succeeded'), decision_id: text.nullable() }),
  /** The challenge was shown `stepUp.ignoredMax` times, and the calls went on unchanged. */
  base.extend({ notice: z.literal('step-up-ignored'), decision_id: text }),
  base.extend({ notice: z.literal('verdict'), finding_id: text, verdict: z.enum(['true-positive', 'false-positive']) }),
  /** From the identity provider: the person was there, or the session is over. */
  base.extend({ notice: z.literal('session-established') }),
  base.extend({ notice: z.literal('credential-changed') }),
  base.extend({ notice: z.literal('session-ended') }),
]);

export type Notice = Readonly<z.output<typeof notice>>;
export type NoticeOf<Kind extends Notice['notice']> = Extract<Notice, { readonly notice: Kind }>;

/** Null for what is no notice, or one that a later version knows. */
export function readNotice(bytes: Buffer): Notice | null {
  try {
    return notice.safeParse(JSON.parse(bytes.toString('utf8'))).data ?? null;
  } catch {
    return null;
  }
}
