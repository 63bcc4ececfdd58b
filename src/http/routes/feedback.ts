import { duration, z } from '../../config/zod.ts';
import { isNetwork } from '../../core/network.ts';
import { findingKinds, verdictWords } from '../../core/words.ts';
import { scopes } from '../../finding/suppression.ts';
import { oneLine, readJson } from '../body.ts';
import type { HttpParts } from '../parts.ts';
import { HttpError, type Request, type Route } from '../route.ts';
import { answerPage, id, listQuery, pageSchema, texts, time } from './list.ts';

const dayMs = 86_400_000;
const expires = duration.refine((ms) => ms > 0 && ms <= 366 * dayMs, 'expected more than nothing and at most 366d');
const part = z.string().min(1).max(256).optional();

const verdictBody = z.strictObject({
  verdict: z.enum(verdictWords),
  /** How far a verdict that teaches (false-positive, benign) reaches. */
  scope: z.enum(scopes).default('identity'),
  expires: expires.prefault('90d'),
  note: z.union([z.literal(''), oneLine]).default(''),
  /** Of scope `route`; default: that of most of the finding's calls. */
  route: part,
});

const suppressionBody = z
  .strictObject({
    /** `*` stands for any characters, in the route too. */
    identity: part,
    peer_group: part,
    route: part,
    network: z.string().max(64).refine(isNetwork, 'expected an address or a network such as 192.0.2.0/24').optional(),
    kinds: z.array(z.enum(findingKinds)).max(findingKinds.length).default([]),
    owner: oneLine.optional(),
    reason: oneLine,
    expires,
  })
  .refine(
    ({ identity, peer_group, route, network, kinds }) =>
      kinds.length > 0 || [identity, peer_group, route, network].some((each) => each !== undefined),
    'give identity, peer_group, route, network or kinds',
  );

const text = { type: 'string' };
const count = { type: 'integer' };
const verdictSchema = {
  type: 'object',
  required: ['verdict_id', 'finding_id', 'identity', 'verdict', 'ocsf_id', 'by', 'at', 'state'],
  properties: {
    ...{ verdict_id: text, finding_id: text, identity: text, kind: text, verdict: text, by: text, note: text },
    ocsf_id: { ...count, description: 'verdict_id of OCSF' },
    at: time,
    suppression_id: { ...text, description: 'What it taught, empty when nothing' },
    closes: { ...count, description: 'Open findings that it closed' },
    state: { ...text, enum: ['given', 'undone'] },
    version: count,
  },
};
const suppressionSchema = {
  type: 'object',
  required: ['suppression_id', 'owner', 'reason', 'until', 'hits'],
  properties: {
    ...{ suppression_id: text, verdict_id: text, identity: text, peer_group: text, route: text, network: text },
    kinds: texts,
    cause: { type: ['object', 'null'], description: 'What a verdict made expected; null: whatever the kinds rest on' },
    ...{ owner: text, reason: text, until: time, made_by: text, made_at: time },
    hits: { ...count, description: 'Findings that it keeps from being told' },
    last_hit: { type: ['string', 'null'] },
  },
};
const givenSchema = {
  type: 'object',
  required: ['verdict_id', 'closes', 'suppression_id'],
  properties: { verdict_id: text, closes: count, suppression_id: { type: ['string', 'null'] } },
};
const previewSchema = {
  type: 'object',
  properties: {
    ...{ findings: count, open: count, true_positives: count, by_kind: { type: 'object' } },
    examples: { type: 'array', items: { type: 'object' } },
    is_cut: { type: 'boolean', description: 'There are more findings than are looked at' },
  },
};
const byId = { type: 'object', required: ['id'], properties: { id } };
const none = { 404: { description: 'There is none of this id' } };
const bodyOf = (schema: z.ZodType) => ({ 'application/json': z.toJSONSchema(schema, { io: 'input' }) });
const missing = (): HttpError => new HttpError(404, 'not-found', { message: 'there is none of this id' });

/** What people say of findings, and what is not to be told. It takes its way through the log like an event, so it is answered before it is done. */
export function feedbackRoutes({ feedback }: Pick<HttpParts, 'feedback'>): readonly Route[] {
  return [...verdictRoutes(feedback), ...suppressionRoutes(feedback)];
}

function verdictRoutes(feedback: HttpParts['feedback']): readonly Route[] {
  return [
    {
      method: 'POST',
      url: '/v1/findings/:id/verdict',
      summary: 'Say what a finding is: a false one is told no more, and what it rested on is expected from then on',
      access: ['analyst'],
      params: byId,
      body: bodyOf(verdictBody),
      replies: {
        202: { description: 'It is in the log', schema: givenSchema },
        ...none,
        422: { description: 'Of scope route, and no route is known' },
      },
      handle: async (request) => {
        const { expires: expiresMs, route = null, ...said } = readJson(request.body, verdictBody);
        const draft = { ...said, expiresMs, route };
        const given = await feedback.giveVerdict(request.params.id ?? '', draft, request);
        if (given === undefined) throw missing();
        if (given === 'no-route')
          throw new HttpError(422, 'no-route', {
            message: 'route: the calls of the finding are not stored, so name it',
          });
        return { status: 202, body: given };
      },
    },
    {
      method: 'GET',
      url: '/v1/verdicts',
      summary: 'Verdicts on findings, newest first',
      access: ['analyst'],
      query: listQuery({
        finding_id: id,
        verdict: { type: 'string', enum: verdictWords },
        state: { type: 'string', enum: ['given', 'undone'] },
      }),
      replies: { 200: { description: 'A page of verdicts', schema: pageSchema('verdicts', verdictSchema) } },
      handle: async ({ query }) => answerPage('verdicts', await feedback.verdicts(query)),
    },
    {
      method: 'DELETE',
      url: '/v1/verdicts/:id',
      summary: 'Take a verdict back, and what it taught',
      access: ['analyst'],
      params: byId,
      replies: { 202: { description: 'It is in the log' }, ...none },
      handle: async (request) => {
        const verdict_id = request.params.id ?? '';
        if (!(await feedback.undoVerdict(verdict_id, request))) throw missing();
        return { status: 202, body: { verdict_id } };
      },
    },
  ];
}

function suppressionRoutes(feedback: HttpParts['feedback']): readonly Route[] {
  return [
    {
      method: 'GET',
      url: '/v1/suppressions',
      summary: 'What is not to be told, and how often it was not',
      access: ['analyst'],
      replies: {
        200: {
          description: 'Those in force',
          schema: { type: 'object', properties: { suppressions: { type: 'array', items: suppressionSchema } } },
        },
      },
      handle: async () => ({ status: 200, body: { suppressions: await feedback.suppressions() } }),
    },
    {
      method: 'POST',
      url: '/v1/suppressions',
      summary: 'Keep findings from being told until a time',
      access: ['admin'],
      body: bodyOf(suppressionBody),
      replies: { 202: { description: 'It is in the log' } },
      handle: async (request) => {
        const suppression_id = await feedback.suppress(draftOf(request), request);
        return { status: 202, body: { suppression_id } };
      },
    },
    {
      method: 'POST',
      url: '/v1/suppressions/preview',
      summary: 'What a suppression would have hidden in the last 30 days',
      access: ['analyst'],
      body: bodyOf(suppressionBody),
      replies: { 200: { description: 'The findings in numbers, and some of them', schema: previewSchema } },
      handle: async (request) => ({ status: 200, body: await feedback.preview(draftOf(request)) }),
    },
    {
      method: 'DELETE',
      url: '/v1/suppressions/:id',
      summary: 'Tell again what a suppression kept back',
      access: ['admin'],
      params: byId,
      replies: { 202: { description: 'It is in the log' }, ...none },
      handle: async (request) => {
        const suppression_id = request.params.id ?? '';
        if (!(await feedback.liftSuppression(suppression_id, request))) throw missing();
        return { status: 202, body: { suppression_id } };
      },
    },
    {
      method: 'GET',
      url: '/v1/noise',
      summary: 'The noisiest detections of the last 30 days, and the narrowest suppression that would quiet each',
      access: ['analyst'],
      replies: { 200: { description: 'By false findings, then by findings' } },
      handle: async () => ({ status: 200, body: { detections: await feedback.noise() } }),
    },
  ];
}

function draftOf(request: Request) {
  const { expires: expiresMs, owner = request.caller, ...said } = readJson(request.body, suppressionBody);
  const { identity = null, peer_group = null, route = null, network = null, kinds, reason } = said;
  return { identity, peer_group, route, network, kinds, owner, reason, expiresMs };
}
