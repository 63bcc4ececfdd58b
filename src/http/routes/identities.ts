import type { Queries } from '../parts.ts';
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

export function identityRoute(queries: Queries): Route {
  return {
    method: 'GET',
    url: '/v1/identities/:id',
    summary: 'One identity, by its key kind:tenant:id',
    access: ['analyst'],
    params: { type: 'object', required: ['id'], properties: { id } },
    replies: {
      200: { description: 'What is known of it', schema: identity },
      404: { description: 'It was never seen' },
    },
    handle: async ({ params }) => answerOne(await queries.identity(params.id ?? '')),
  };
}
