import { findingKinds, severities } from '../../core/words.ts';
import { nextCursor, pageOf, pageParameters, readPage } from '../page-cursor.ts';
import type { FindingFilter, Queries } from '../parts.ts';
import { HttpError, type Route } from '../route.ts';

const id = { type: 'string', maxLength: 300 };

const finding = {
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
    kind: { type: 'string', enum: findingKinds },
    identity: { type: 'string', description: 'kind:tenant:id' },
    identity_kind: { type: 'string' },
    tenant: { type: 'string' },
    incident_id: { type: 'string' },
    state: { type: 'string', enum: ['open', 'closed'] },
    severity: { type: 'string', enum: severities },
    confidence: { type: 'number', minimum: 0, maximum: 1 },
    first_seen: { type: 'integer', description: 'Milliseconds since 1970' },
    last_seen: { type: 'integer', description: 'Milliseconds since 1970' },
    count: { type: 'integer' },
    surprise: { type: 'number', description: '-log10 p of its most improbable event' },
    risk: { type: 'number', minimum: 0, maximum: 100 },
    title: { type: 'string' },
    reasons: { type: 'array', items: { type: 'object' } },
    event_ids: { type: 'array', maxItems: 10, items: { type: 'string' } },
    owasp: { type: 'array', items: { type: 'string' } },
    attack: { type: 'array', items: { type: 'string' } },
    shard: { type: 'integer' },
    version: { type: 'integer' },
  },
};

export function findingRoutes(queries: Queries): readonly Route[] {
  return [
    {
      method: 'GET',
      url: '/v1/findings',
      summary: 'Findings, newest first',
      access: ['analyst'],
      query: {
        type: 'object',
        additionalProperties: false,
        properties: {
          ...pageParameters,
          identity: id,
          tenant: id,
          incident_id: id,
          kind: { type: 'string', enum: findingKinds },
          severity: { type: 'string', enum: severities },
          state: { type: 'string', enum: ['open', 'closed'] },
        },
      },
      replies: { 200: { description: 'A page of findings', schema: pageOf('findings', finding) } },
      handle: async ({ query }) => {
        const page = readPage(query);
        const { limit: _, cursor: __, ...filter } = query;
        const findings = await queries.listFindings(filter as FindingFilter, page);
        const next = nextCursor(findings, page.limit, (item) => `${item.last_seen}:${item.finding_id}`);
        return { status: 200, body: { findings, next } };
      },
    },
    {
      method: 'GET',
      url: '/v1/findings/:id',
      summary: 'One finding',
      access: ['analyst'],
      params: { type: 'object', required: ['id'], properties: { id } },
      replies: {
        200: { description: 'The finding', schema: finding },
        404: { description: 'There is none of this id' },
      },
      handle: async ({ params }) => {
        const found = await queries.getFinding(params.id ?? '');
        if (found === undefined) throw new HttpError(404, 'not-found', { message: 'there is no finding of this id' });
        return { status: 200, body: found };
      },
    },
  ];
}
