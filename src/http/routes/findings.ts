import { findingKinds, severities } from '../../core/words.ts';
import type { HttpParts } from '../parts.ts';
import type { Route } from '../route.ts';
import { answerPage, listQuery, oneRoute, pageSchema, texts, time } from './list.ts';

const filters = {
  kind: { type: 'string', enum: findingKinds },
  severity: { type: 'string', enum: severities },
  state: { type: 'string', enum: ['open', 'closed', 'suppressed'] },
};

export const finding = {
  type: 'object',
  required: [
    'finding_id',
    'kind',
    'identity',
    'state',
    'severity',
    'first_seen',
    'last_seen',
    'count',
    'title',
    'reasons',
  ],
  properties: {
    finding_id: { type: 'string' },
    identity: { type: 'string', description: 'kind:tenant:id' },
    identity_kind: { type: 'string' },
    tenant: { type: 'string' },
    incident_id: { type: 'string' },
    ...filters,
    confidence: { type: 'number', minimum: 0, maximum: 1 },
    first_seen: time,
    last_seen: time,
    count: { type: 'integer' },
    surprise: { type: 'number', description: '-log10 p of its most improbable event' },
    risk: { type: 'number', minimum: 0, maximum: 100 },
    title: { type: 'string' },
    reasons: { type: 'array', items: { type: 'object' } },
    suppressed_by: { type: 'string', description: 'The suppression or verdict behind the state suppressed' },
    cause: { type: 'object', description: 'All that the claim rests on, by feature' },
    event_ids: texts,
    owasp: texts,
    attack: texts,
    version: { type: 'integer', description: 'Grows with every update' },
  },
};

const context = {
  type: 'object',
  required: ['finding', 'events', 'similar', 'decisions', 'peers', 'verdicts'],
  properties: {
    finding,
    events: {
      type: 'array',
      description:
        'Calls of the identity, the oldest first: those of the finding (in_finding), and the most surprising around it',
      items: {
        type: 'object',
        properties: { ts: time, event_id: { type: 'string' }, in_finding: { type: 'boolean' } },
      },
    },
    similar: { type: 'array', items: finding, description: 'Of the same kind: its own first, then others’' },
    decisions: { type: 'array', items: { type: 'object' } },
    verdicts: { type: 'array', items: { type: 'object' }, description: 'The oldest first' },
    peers: {
      type: 'object',
      properties: {
        group: { type: 'string' },
        size: { type: ['integer', 'null'], description: 'Identities seen in it; null when it is not known' },
      },
    },
  },
};

export function findingRoutes({ queries, pages }: Pick<HttpParts, 'queries' | 'pages'>): readonly Route[] {
  return [
    {
      method: 'GET',
      url: '/v1/findings',
      summary: 'Findings, newest first',
      access: ['analyst'],
      query: listQuery(filters),
      replies: { 200: { description: 'A page of findings', schema: pageSchema('findings', finding) } },
      handle: async ({ query }) => answerPage('findings', await queries.findings(query)),
    },
    oneRoute({
      url: '/v1/findings/:id',
      summary: 'One finding',
      found: 'The finding',
      schema: finding,
      read: (key) => queries.finding(key),
    }),
    oneRoute({
      url: '/v1/findings/:id/context',
      summary: 'One finding and what stands around it: calls, similar findings, decisions, peers',
      found: 'The finding in its context',
      schema: context,
      read: (key) => pages.context(key),
    }),
  ];
}
