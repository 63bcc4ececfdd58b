import { actions, riskLevels } from '../../core/words.ts';
import { decisionChanges } from '../../policy/decision.ts';
import type { Queries } from '../parts.ts';
import type { Route } from '../route.ts';
import { type Lapi, lapiQuery } from './crowdsec.ts';
import { answerPage, listQuery, oneRoute, pageSchema, texts, time } from './list.ts';

const filters = {
  action: { type: 'string', enum: actions },
  mode: { type: 'string', enum: ['shadow', 'enforce'], description: 'shadow: made and shown, not sent' },
};

export const decision = {
  type: 'object',
  required: ['decision_id', 'identity', 'action', 'mode', 'rule', 'why', 'made_at', 'expires_at'],
  properties: {
    decision_id: { type: 'string' },
    identity: { type: 'string', description: 'kind:tenant:id' },
    identity_kind: { type: 'string' },
    tenant: { type: 'string' },
    ...filters,
    ended: { type: 'string', description: 'With action restore what has ended, else empty' },
    scope: { type: 'string', enum: ['identity', 'session'], description: 'session: about session_id only' },
    by: { type: 'string', description: 'policy, or whoever decided' },
    rule: { type: 'string' },
    why: { type: 'string' },
    finding_ids: texts,
    incident_id: { type: 'string' },
    risk: { type: 'number', minimum: 0, maximum: 100 },
    risk_level: { type: 'string', enum: riskLevels },
    session_risk: { type: ['number', 'null'], minimum: 0, maximum: 100 },
    session_id: { type: 'string', description: 'Of the odd call, empty when unknown' },
    token_id: { type: 'string', description: 'Of the odd call (jti), empty when unknown' },
    client_ip: { type: 'string', description: 'Of the odd call, empty when unknown' },
    acr_values: texts,
    max_age: { type: ['integer', 'null'], description: 'Seconds, of a step-up' },
    issued_before: { type: ['string', 'null'], format: 'date-time', description: 'Later tokens are not meant' },
    made_at: { ...time, description: 'Event time' },
    updated_at: time,
    expires_at: time,
    version: { type: 'integer', description: 'Grows with every change' },
    change: { type: 'string', enum: decisionChanges, description: 'What this version did' },
  },
};

const step = { type: ['string', 'null'], format: 'date-time' };
const points = {
  type: 'array',
  description: 'How far it came at each enforcement point and receiver, and at `traffic`: what all calls together say',
  items: {
    type: 'object',
    properties: {
      point: { type: 'string', description: 'Name of the API key, of the receiver, or `source` of the events' },
      sent: { type: 'string', description: 'delivered, rejected, failed, skipped-stale; empty: it was not sent there' },
      sent_at: step,
      seen_at: { ...step, description: 'First answered with it, or fetched it' },
      acknowledged_at: { ...step, description: 'Its log names the decision' },
      effect: { type: 'string', description: 'effective, ineffective, unseen; empty: no call told' },
      effect_at: step,
      detail: { type: 'string', description: 'Of its newest step' },
    },
  },
};
const receipts = { type: 'array', items: { type: 'object' }, description: 'The single steps' };

export function decisionRoutes(queries: Queries, lapi: Lapi): readonly Route[] {
  const single = { ...decision, properties: { ...decision.properties, points, receipts } };
  return [
    {
      method: 'GET',
      url: '/v1/decisions',
      summary: 'Decisions of policy, newest first',
      access: ['analyst', 'enforce'],
      query: listQuery({ ...filters, ...lapiQuery }),
      replies: { 200: { description: 'A page of decisions', schema: pageSchema('decisions', decision) } },
      handle: async ({ query, caller }) =>
        lapi.decisions(query, caller) ?? answerPage('decisions', await queries.decisions(query)),
    },
    oneRoute({
      url: '/v1/decisions/:id',
      summary: 'One decision, how far it came at each enforcement point, and its receipts',
      access: ['analyst', 'enforce'],
      found: 'The decision',
      schema: single,
      read: (key) => queries.decision(key),
    }),
  ];
}
