import type { HttpParts } from '../parts.ts';
import type { Route } from '../route.ts';

/** What runs the service asks for: is it alive, may it have traffic, what are its numbers. */
export function operationRoutes(parts: HttpParts): readonly Route[] {
  return [
    {
      method: 'GET',
      url: '/healthz',
      summary: 'Alive: the process answers',
      access: 'public',
      replies: { 200: { description: 'It does' } },
      handle: async () => ({ status: 200, body: { status: 'ok' } }),
    },
    {
      method: 'GET',
      url: '/readyz',
      summary: 'Ready: each part and its state',
      access: 'public',
      replies: { 200: { description: 'All parts work' }, 503: { description: 'At least one does not' } },
      handle: async () => {
        const readiness = await parts.readiness();
        return { status: readiness.ready ? 200 : 503, body: readiness };
      },
    },
    {
      method: 'GET',
      url: '/metrics',
      summary: 'Metrics in the text format of Prometheus',
      access: ['analyst', 'ingest', 'enforce'],
      replies: { 200: { description: 'All names begin with gait_' } },
      handle: async () => {
        const { type, text } = await parts.metrics.expose();
        return { status: 200, body: text, type };
      },
    },
  ];
}
