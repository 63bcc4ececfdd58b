import { actions, riskLevels } from '../../core/words.ts';
import { nextCursor, pageOf, pageParameters, readPage } from '../page-cursor.ts';
import type { DecisionFilter, Queries } from '../parts.ts';
import type { Route } from '../route.ts';

const id = { type: 'string', maxLength: 300 };
const modes = ['shadow', 'enforce'];

const decision = {
  type: 'object',
  required: ['decision_id', 'identity', 'action', 'mode', 'rule', 'why', 'made_at', 'expires_at'],
  properties: {
    decision_id: { type: 'string' },
    identity: { type: 'string', description: 'kind:tenant:id' },
    identity_kind: { type: 'string' },
    tenant: { type: 'string' },
    action: { type: 'string', enum: actions },
    mode: { type: 'string', enum: modes, description: 'shadow: made and shown, not sent' },
    rule: { type: 'string' },
    why: { type: 'string' },
    finding_ids: { type: 'array', items: { type: 'string' } },
    incident_id: { type: 'string' },
    risk: { type: 'number', minimum: 0, maximum: 100 },
    risk_level: { type: 'string', enum: riskLevels },
    session_id: { type: ['string', 'null'] },
    made_at: { type: 'integer', description: 'Event time, milliseconds since 1970' },
    expires_at: { type: 'integer', description: 'Milliseconds since 1970' },
    shard: { type: 'integer' },
    version: { type: 'integer' },
  },
};

export function decisionsRoute(queries: Queries): Route {
  return {
    method: 'GET',
    url: '/v1/decisions',
    summary: 'Decisions of policy, newest first',
    access: ['analyst', 'enforce'],
    query: {
      type: 'object',
      additionalProperties: false,
      properties: {
        ...pageParameters,
        identity: id,
        tenant: id,
        incident_id: id,
        action: { type: 'string', enum: actions },
        mode: { type: 'string', enum: modes },
      },
    },
    replies: { 200: { description: 'A page of decisions', schema: pageOf('decisions', decision) } },
    handle: async ({ query }) => {
      const page = readPage(query);
      const { limit: _, cursor: __, ...filter } = query;
      const decisions = await queries.listDecisions(filter as DecisionFilter, page);
      const next = nextCursor(decisions, page.limit, (item) => `${item.made_at}:${item.decision_id}`);
      return { status: 200, body: { decisions, next } };
    },
  };
}
