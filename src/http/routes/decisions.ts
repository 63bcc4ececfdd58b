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

const receipts = { type: 'array', items: { type: 'object' }, description: 'What became of it at each receiver' };

export function decisionRoutes(queries: Queries, lapi: Lapi): readonly Route[] {
  const single = { ...decision, properties: { ...decision.properties, receipts } };
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
      summary: 'One decision with its receipts',
      access: ['analyst', 'enforce'],
      found: 'The decision',
      schema: single,
      read: (key) => queries.decision(key),
    }),
  ];
}
