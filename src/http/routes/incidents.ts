import { findingKinds, severities } from '../../core/words.ts';
import type { PageQueries } from '../page-parts.ts';
import type { Route } from '../route.ts';
import { decision } from './decisions.ts';
import { finding } from './findings.ts';
import { answerOne, answerPage, id, listQuery, pageSchema, texts, time } from './list.ts';

const text = { type: 'string' };
const state = { type: 'string', enum: ['open', 'closed'] };
const severity = { type: 'string', enum: severities, description: 'The highest of its findings' };

const incident = {
  type: 'object',
  required: ['incident_id', 'state', 'severity', 'title', 'identities', 'finding_count', 'first_seen', 'last_seen'],
  properties: {
    incident_id: text,
    state: { ...state, description: 'closed: by a person and nothing was found since, or all its findings are' },
    severity,
    title: { type: 'string', description: 'Of its worst open finding' },
    tenant: text,
    identities: { ...texts, description: 'At most 20' },
    identity_count: { type: 'integer' },
    kinds: texts,
    finding_count: { type: 'integer' },
    open_count: { type: 'integer' },
    first_seen: time,
    last_seen: time,
    risk: { type: 'number', minimum: 0, maximum: 100 },
    assignee: { type: 'string', description: 'Empty: nobody' },
  },
};
const listed = {
  ...incident,
  properties: { ...incident.properties, actions: { ...texts, description: 'What was decided because of it' } },
};
const comment = { type: 'object', properties: { note_id: text, at: time, who: text, text } };
const moment = {
  type: 'object',
  required: ['at', 'type', 'text', 'ref'],
  properties: {
    at: time,
    type: { type: 'string', enum: ['event', 'finding', 'decision', 'receipt', 'verdict', 'comment', 'case'] },
    text,
    ref: { type: 'string', description: 'The id of what it tells of' },
  },
};
const whole = {
  ...incident,
  properties: {
    ...incident.properties,
    findings: { type: 'array', items: finding, description: 'At most 200, the newest' },
    decisions: { type: 'array', items: decision, description: 'At most 200, the newest' },
    comments: { type: 'array', items: comment },
    timeline: { type: 'array', items: moment, description: 'The oldest first' },
  },
};

export function incidentRoutes(pages: PageQueries): readonly Route[] {
  const filters = {
    state,
    severity,
    kind: { type: 'string', enum: findingKinds, description: 'Of any of its findings' },
    assignee: { type: 'string', maxLength: 200, description: 'Empty: what nobody has taken' },
    q: { type: 'string', maxLength: 200, description: 'A part of a title or an identity, in any case, or an id' },
  };
  return [
    {
      method: 'GET',
      url: '/v1/incidents',
      summary: 'Findings that belong together, newest first',
      access: ['analyst'],
      query: listQuery(filters),
      replies: { 200: { description: 'A page of incidents', schema: pageSchema('incidents', listed) } },
      handle: async ({ query }) => answerPage('incidents', await pages.incidents(query)),
    },
    {
      method: 'GET',
      url: '/v1/incidents/:id',
      summary: 'One incident: its findings, what was decided, comments and timeline',
      access: ['analyst'],
      params: { type: 'object', required: ['id'], properties: { id } },
      replies: {
        200: { description: 'The incident', schema: whole },
        404: { description: 'There is none of this id' },
      },
      handle: async ({ params }) => answerOne(await pages.incident(params.id ?? '')),
    },
  ];
}
