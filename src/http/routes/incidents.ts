import { z } from '../../config/zod.ts';
import { findingKinds, severities } from '../../core/words.ts';
import { readJson } from '../body.ts';
import type { CaseNote, HttpParts } from '../parts.ts';
import { HttpError, type Reply, type Route } from '../route.ts';
import { decision } from './decisions.ts';
import { finding } from './findings.ts';
import { answerPage, idParams, listQuery, oneRoute, pageSchema, texts, time } from './list.ts';

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
  properties: {
    ...incident.properties,
    actions: { ...texts, description: 'What was decided because of it' },
    verdict: { type: 'string', description: 'The newest that stands on one of its findings; empty: none' },
  },
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
    verdicts: { type: 'array', items: { type: 'object' }, description: 'On its findings, the oldest first' },
    comments: { type: 'array', items: comment },
    timeline: { type: 'array', items: moment, description: 'The oldest first' },
  },
};

/** One line: it is shown to people in lists. */
const line = (max: number) =>
  z
    .string()
    .trim()
    .max(max)
    .regex(/^\P{Cc}*$/u, 'expected one line without control characters');
const noteBody = z
  .strictObject({
    /** Empty: to nobody. */
    assignee: line(200).optional(),
    comment: z
      .string()
      .trim()
      .min(1)
      .max(4000)
      .regex(/^(\P{Cc}|[\n\t])*$/u, 'expected text without control characters')
      .optional(),
    state: z.enum(['open', 'closed']).optional(),
    /** Why it is closed or opened again. */
    reason: line(500).min(1).optional(),
  })
  .refine(({ assignee, comment, state: to }) => [assignee, comment, to].some((each) => each !== undefined), {
    error: 'give assignee, comment or state',
  })
  .refine(({ state: to, reason }) => (to === undefined) === (reason === undefined), {
    error: 'state and reason come together',
    path: ['reason'],
  });
const bodySchema = z.toJSONSchema(noteBody, { io: 'input' });

function notesOf({ assignee, comment, state: to, reason = '' }: z.output<typeof noteBody>): readonly CaseNote[] {
  return [
    ...(assignee === undefined ? [] : [{ kind: 'assign', text: assignee } as const]),
    ...(comment === undefined ? [] : [{ kind: 'comment', text: comment } as const]),
    ...(to === undefined ? [] : [{ kind: to === 'closed' ? ('close' as const) : ('reopen' as const), text: reason }]),
  ];
}

export function incidentRoutes({ pages, note }: Pick<HttpParts, 'pages' | 'note'>): readonly Route[] {
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
    oneRoute({
      url: '/v1/incidents/:id',
      summary: 'One incident: its findings, what was decided, comments and timeline',
      found: 'The incident',
      schema: whole,
      read: (key) => pages.incident(key),
    }),
    {
      method: 'GET',
      url: '/v1/incidents/:id/report',
      summary: 'One incident as a file of its own: what happened, why it was told, what was done, what people said',
      access: ['analyst'],
      params: idParams,
      query: {
        type: 'object',
        additionalProperties: false,
        properties: { format: { type: 'string', enum: ['html', 'markdown'], default: 'html' } },
      },
      replies: {
        200: { description: 'HTML without scripts, or Markdown, as a download' },
        404: { description: 'There is none of this id' },
      },
      handle: async ({ params, query }) => reportReply(pages, params.id ?? '', query.format === 'markdown'),
    },
    {
      method: 'POST',
      url: '/v1/incidents/:id',
      summary: 'Take an incident, say something about it, close it with a reason or open it again',
      access: ['analyst'],
      params: idParams,
      body: { 'application/json': bodySchema },
      replies: {
        202: { description: 'It is durable, and is shown within a second' },
        400: { description: 'It is not valid' },
        404: { description: 'There is none of this id' },
      },
      handle: async ({ params, body, caller, from }) => {
        const notes = notesOf(readJson(body, noteBody));
        const outcome = await note(params.id ?? '', notes, { who: caller, from });
        if (outcome === 'unknown') throw new HttpError(404, 'not-found', { message: 'there is none of this id' });
        return { status: 202, body: { incident_id: params.id, noted: notes.map(({ kind }) => kind) } };
      },
    },
  ];
}

async function reportReply(pages: HttpParts['pages'], id: string, isMarkdown: boolean): Promise<Reply> {
  const report = await pages.report(id, isMarkdown ? 'markdown' : 'html');
  if (report === undefined) throw new HttpError(404, 'not-found', { message: 'there is none of this id' });
  const name = `${id.replace(/[^\w-]/g, '').slice(0, 100)}.${isMarkdown ? 'md' : 'html'}`;
  return {
    status: 200,
    body: report.text,
    type: `text/${isMarkdown ? 'markdown' : 'html'}; charset=utf-8`,
    headers: {
      'content-disposition': `attachment; filename="${name}"`,
      'content-security-policy': `${report.policy}; frame-ancestors 'none'`,
    },
  };
}
