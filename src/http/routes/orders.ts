import { timeToLive, z } from '../../config/zod.ts';
import { actions } from '../../core/words.ts';
import { identityParts, keyMeantBy } from '../../identity/identity-key.ts';
import type { IdentityKey } from '../../identity/resolved-event.ts';
import { manualId } from '../../policy/answer-notice.ts';
import { canStepUp } from '../../policy/rule.ts';
import { oneLine, readJson } from '../body.ts';
import type { HttpParts } from '../parts.ts';
import { HttpError, type Route } from '../route.ts';
import { id } from './list.ts';

const identity = z
  .string()
  .max(1024)
  .refine((text) => keyMeantBy(text) !== null, 'expected kind:tenant:id, as in user:acme:alice or address:-:192.0.2.1')
  .transform((text) => keyMeantBy(text)!);

const decideBody = z
  .strictObject({
    identity,
    action: z.enum(actions).exclude(['restore']),
    /** As `15m`, `2h`, `7d`. */
    ttl: timeToLive,
    reason: oneLine,
    /** Only this session of the identity. */
    session: z.string().min(1).max(1024).optional(),
    /** Only this token of the identity, by its `jti`. */
    token: z.string().min(1).max(1024).optional(),
    mode: z.enum(['shadow', 'enforce']).default('enforce'),
  })
  .refine((order) => order.action !== 'step-up' || canStepUp(identityParts(order.identity)?.kind ?? 'user'), {
    path: ['action'],
    message: 'only a user or a session can step up; throttle or revoke this identity',
  })
  .refine((order) => order.token === undefined || (order.action === 'revoke-session' && order.session === undefined), {
    path: ['token'],
    message: 'a token can only be refused: revoke-session, without session',
  });
const restoreBody = z.strictObject({
  reason: oneLine,
  /** Whose decision it is, for one that the store has not got yet. */
  identity: identity.optional(),
});

const accepted = {
  type: 'object',
  required: ['decision_id'],
  properties: { decision_id: { type: 'string', description: 'Unless it extends an open decision of the same kind' } },
};
const bodyOf = (schema: z.ZodType) => ({ 'application/json': z.toJSONSchema(schema, { io: 'input' }) });

/** What a person orders. It takes its way through the log like an event, so it is answered before it is done. */
export function orderRoutes({ order, queries }: Pick<HttpParts, 'order' | 'queries'>): readonly Route[] {
  return [
    {
      method: 'POST',
      url: '/v1/decisions',
      summary: 'Decide about an identity yourself: above what policy decides, below the allowlist',
      access: ['admin'],
      body: bodyOf(decideBody),
      replies: { 202: { description: 'It is in the log', schema: accepted }, 400: { description: 'It is not valid' } },
      handle: async (request) => {
        const { identity, action, ttl, reason, session = null, token, mode } = readJson(request.body, decideBody);
        const said = { by: request.caller, reason, identity, session_id: session };
        const of = token === undefined ? {} : { token_id: token };
        const told = { ...said, notice: 'decide', action, mode, ttl_ms: ttl, ...of } as const;
        return { status: 202, body: { decision_id: manualId(await order(told, request.from)) } };
      },
    },
    {
      method: 'POST',
      url: '/v1/decisions/:id/restore',
      summary: 'End a decision before its time',
      access: ['admin'],
      params: { type: 'object', required: ['id'], properties: { id } },
      body: bodyOf(restoreBody),
      replies: { 202: { description: 'It is in the log' }, 404: { description: 'There is none of this id' } },
      handle: async (request) => {
        const decision_id = request.params.id ?? '';
        const { reason, identity = await identityOf(queries, decision_id) } = readJson(request.body, restoreBody);
        const said = { by: request.caller, reason, identity, session_id: null };
        await order({ ...said, notice: 'restore', decision_id }, request.from);
        return { status: 202, body: { decision_id } };
      },
    },
  ];
}

async function identityOf(queries: HttpParts['queries'], id: string): Promise<IdentityKey> {
  const found = (await queries.decision(id)) as { readonly identity: IdentityKey } | undefined;
  if (found === undefined) throw new HttpError(404, 'not-found', { message: 'there is none of this id' });
  return found.identity;
}
