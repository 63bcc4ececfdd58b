import type { HttpParts } from '../parts.ts';
import type { Route } from '../route.ts';

/** What runs the service asks for: is it alive, may it have traffic, what are its numbers. And the page for people. */
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
    {
      method: 'GET',
      url: '/',
      summary: 'The status page',
      access: ['analyst'],
      browser: true,
      replies: { 200: { description: 'An HTML page that needs no script' } },
      handle: async () => ({ status: 200, body: await parts.page.html(), type: 'text/html; charset=utf-8' }),
    },
    {
      method: 'GET',
      url: '/style.css',
      summary: 'The style sheet of the status page',
      access: 'public',
      replies: { 200: { description: 'CSS' } },
      handle: async () => ({ status: 200, body: parts.page.style, type: 'text/css; charset=utf-8' }),
    },
  ];
}
