import type { Queries } from '../parts.ts';
import { HttpError, type Route } from '../route.ts';

export function identityRoute(queries: Queries): Route {
  return {
    method: 'GET',
    url: '/v1/identities/:id',
    summary: 'One identity, by its key kind:tenant:id',
    access: ['analyst'],
    params: { type: 'object', required: ['id'], properties: { id: { type: 'string', maxLength: 1024 } } },
    replies: {
      200: {
        description: 'What is known of it',
        schema: {
          type: 'object',
          required: ['identity', 'identity_kind', 'first_seen', 'last_seen', 'events', 'risk'],
          properties: {
            identity: { type: 'string' },
            identity_kind: { type: 'string' },
            tenant: { type: 'string' },
            first_seen: { type: 'integer', description: 'Milliseconds since 1970' },
            last_seen: { type: 'integer', description: 'Milliseconds since 1970' },
            events: { type: 'number', description: 'Estimated when only a sample is stored' },
            errors: { type: 'number', description: 'Events with status 400 or more' },
            risk: {
              type: 'number',
              minimum: 0,
              maximum: 100,
              description: 'After its newest event; not decayed since',
            },
          },
        },
      },
      404: { description: 'It was never seen' },
    },
    handle: async ({ params }) => {
      const found = await queries.getIdentity(params.id ?? '');
      if (found === undefined) throw new HttpError(404, 'not-found', { message: 'this identity was never seen' });
      return { status: 200, body: found };
    },
  };
}
