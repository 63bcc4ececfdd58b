import { severities } from '../../core/words.ts';
import type { PageQueries } from '../page-parts.ts';
import type { Route } from '../route.ts';
import { time } from './list.ts';

const text = { type: 'string' };
const number = { type: 'number' };
const count = { type: 'integer' };
const list = (properties: Readonly<Record<string, unknown>>) => ({
  type: 'array',
  items: { type: 'object', required: Object.keys(properties), properties },
});

export const sources = list({
  source: { ...text, description: 'As the events say it; empty: they do not' },
  events: { ...number, description: 'In the last day of data' },
  errors: number,
  events_per_second: { ...number, description: 'Over the last five minutes of data' },
  last_seen: time,
});
export const lags = {
  ...list({ topic: text, records: count }),
  description: 'Records that this process has not read yet, by topic; nothing of topics that others read',
};

const properties = {
  at: time,
  events_per_second: { ...number, description: 'Over the last five minutes of data' },
  events_total: number,
  identities: count,
  open_incidents: { type: 'object', properties: Object.fromEntries(severities.map((name) => [name, count])) },
  risk: { ...list({ from: number, to: number, identities: count }), description: 'Decayed to the newest event' },
  budget: {
    type: 'object',
    description: 'Findings per 1,000 identities and day: as configured, and of the last day of data',
    properties: { set: number, realised: number },
  },
  series: {
    ...list({ minute: time, events: number, errors: number, surprising: number }),
    description: 'The last 60 minutes of data; minutes without events are not there',
  },
  sources,
  dead_letters: { ...count, description: 'In the last day' },
  lag: lags,
  enforcement: list({ target: text, delivered: count, failed: count, ineffective: count, seen_at: time }),
  mode: { type: 'string', enum: ['shadow', 'enforce'], description: 'Of rules that do not say it themselves' },
  sample: { type: 'boolean', description: 'The bundled recording is being played' },
};

export function overviewRoute(pages: PageQueries): Route {
  return {
    method: 'GET',
    url: '/v1/overview',
    summary: 'The state of everything on one page',
    access: ['analyst'],
    replies: {
      200: {
        description: 'At most two seconds old',
        schema: { type: 'object', required: Object.keys(properties), properties },
      },
    },
    handle: async () => ({ status: 200, body: await pages.overview() }),
  };
}
