import type { HttpParts } from '../parts.ts';
import type { Route } from '../route.ts';
import { answerOne, id, time } from './list.ts';

const identity = {
  type: 'object',
  required: ['identity', 'identity_kind', 'first_seen', 'last_seen', 'events', 'risk', 'recent'],
  properties: {
    identity: { type: 'string', description: 'kind:tenant:id' },
    identity_kind: { type: 'string' },
    tenant: { type: 'string' },
    first_seen: time,
    last_seen: time,
    events: { type: 'number', description: 'Estimated when only a sample is stored' },
    errors: { type: 'number', description: 'Events with status 400 or more' },
    surprise_max: { type: 'number' },
    risk_max: { type: 'number' },
    risk: { type: 'number', minimum: 0, maximum: 100, description: 'After its newest event; not decayed since' },
    recent: { type: 'array', items: { type: 'object' }, description: 'Its newest events' },
  },
};

const explanation = {
  type: 'object',
  required: ['identity', 'at', 'finding', 'risk', 'risk_level', 'rules', 'rule', 'outcome'],
  properties: {
    identity: { type: 'string' },
    at: { type: 'integer', description: 'When the finding last changed, ms: everything is told as of then' },
    finding: { type: 'object', description: 'The newest about it' },
    risk: { type: 'number', minimum: 0, maximum: 100 },
    risk_level: { type: 'string' },
    rules: {
      type: 'array',
      description: 'Every rule in order',
      items: {
        type: 'object',
        properties: {
          rule: { type: 'string' },
          failed: { type: ['string', 'null'], description: 'The first condition that does not hold; null: all do' },
        },
      },
    },
    rule: { type: ['string', 'null'], description: 'The one that wins' },
    outcome: { type: 'string', description: 'One sentence' },
  },
};

export function identityRoutes({ queries, explain }: Pick<HttpParts, 'queries' | 'explain'>): readonly Route[] {
  const params = { type: 'object', required: ['id'], properties: { id } };
  return [
    {
      method: 'GET',
      url: '/v1/identities/:id',
      summary: 'One identity, by its key kind:tenant:id',
      access: ['analyst'],
      params,
      replies: {
        200: { description: 'What is known of it', schema: identity },
        404: { description: 'It was never seen' },
      },
      handle: async ({ params }) => answerOne(await queries.identity(params.id ?? '')),
    },
    {
      method: 'GET',
      url: '/v1/identities/:id/explain-decision',
      summary: 'Which rule won and why: every rule in order with the first condition that failed',
      access: ['analyst'],
      params,
      replies: {
        200: { description: 'The explanation', schema: explanation },
        404: { description: 'Nothing was ever found about it' },
      },
      handle: async ({ params }) =>
        answerOne(await explain(params.id ?? ''), 'nothing was ever found about it, so no rule was asked'),
    },
  ];
}
