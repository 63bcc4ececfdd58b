import type { Queries } from '../parts.ts';
import type { Route } from '../route.ts';
import { answerPage, id, listQuery, pageSchema, time } from './list.ts';

const text = { type: 'string' };
const entry = {
  type: 'object',
  required: ['audit_id', 'at', 'who', 'from', 'action', 'about', 'detail'],
  properties: { audit_id: text, at: time, who: text, from: text, action: text, about: text, detail: text },
};

export function auditRoute(queries: Queries): Route {
  return {
    method: 'GET',
    url: '/v1/audit',
    summary: 'Who changed what, newest first',
    access: ['admin'],
    query: listQuery({ who: id, action: id }),
    replies: { 200: { description: 'A page of entries', schema: pageSchema('audit', entry) } },
    handle: async ({ query }) => answerPage('audit', await queries.audit(query)),
  };
}
