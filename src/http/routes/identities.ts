import { identityKinds } from '../../core/words.ts';
import type { HttpParts } from '../parts.ts';
import type { Route } from '../route.ts';
import { answerPage, listQuery, oneRoute, pageSchema, texts, time } from './list.ts';

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
    risk: { type: 'number', minimum: 0, maximum: 100, description: 'As of `risk_at`; not decayed since' },
    risk_at: { ...time, description: 'Its newest event, or finding that was told without one' },
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

const { recent: _, ...head } = identity.properties;
const listed = {
  type: 'object',
  required: ['identity', 'identity_kind', 'last_seen', 'events', 'risk', 'risk_now'],
  properties: {
    ...head,
    risk_now: { type: 'number', minimum: 0, maximum: 100, description: 'Decayed to the newest event of all' },
  },
};

const uses = (description: string) => ({
  type: 'array',
  description,
  items: {
    type: 'object',
    properties: { value: { type: 'string' }, calls: { type: 'number' }, first_seen: time, last_seen: time },
  },
});
const profile = {
  type: 'object',
  required: ['identity', 'risk_series', 'heat', 'routes', 'sessions', 'clients', 'devices', 'networks', 'words'],
  properties: {
    ...head,
    risk_series: {
      type: 'array',
      description: 'At most 200 points; times without calls are not there',
      items: {
        type: 'object',
        properties: { at: time, risk: { type: 'number' }, surprise: { type: 'number' }, calls: { type: 'number' } },
      },
    },
    heat: {
      type: 'array',
      description: 'Calls by day of the week (Monday first) and hour, UTC',
      items: { type: 'array', items: { type: 'number' } },
    },
    active_days: { type: 'integer' },
    route_count: { type: 'integer' },
    routes: { ...uses('At most 50, the most used'), items: { type: 'object' } },
    sessions: uses('At most 20, the most used, as the next three'),
    clients: uses('User agents'),
    devices: uses('Devices, or fingerprints of TLS clients'),
    networks: uses('Autonomous system and country, or the address where that is not known'),
    findings: { type: 'array', items: { type: 'object' } },
    decisions: { type: 'array', items: { type: 'object' } },
    words: { ...texts, description: 'What it usually does, in sentences' },
  },
};
const filters = {
  sort: { type: 'string', enum: ['risk', 'last_seen'], default: 'risk' },
  q: { type: 'string', maxLength: 200, description: 'A part of the key, in any case' },
  kind: { type: 'string', enum: identityKinds },
};

export function identityRoutes({
  queries,
  pages,
  explain,
}: Pick<HttpParts, 'queries' | 'pages' | 'explain'>): readonly Route[] {
  return [
    {
      method: 'GET',
      url: '/v1/identities',
      summary: 'Identities: the riskiest first, or those seen last',
      access: ['analyst'],
      query: listQuery(filters),
      replies: { 200: { description: 'A page of identities', schema: pageSchema('identities', listed) } },
      handle: async ({ query }) => answerPage('identities', await pages.identities(query)),
    },
    oneRoute({
      url: '/v1/identities/:id/profile',
      summary: 'How one identity moves: risk over time, hours, routes, sessions, programs, networks, in words too',
      found: 'What it usually does, and what was found',
      schema: profile,
      none: 'it was never seen',
      read: (key) => pages.profile(key),
    }),
    oneRoute({
      url: '/v1/identities/:id',
      summary: 'One identity, by its key kind:tenant:id',
      found: 'What is known of it',
      schema: identity,
      none: 'it was never seen',
      read: (key) => queries.identity(key),
    }),
    oneRoute({
      url: '/v1/identities/:id/explain-decision',
      summary: 'Which rule won and why: every rule in order with the first condition that failed',
      found: 'The explanation',
      schema: explanation,
      none: 'nothing was ever found about it, so no rule was asked',
      read: (key) => explain(key),
    }),
  ];
}
