import { findingKinds, severities } from '../../core/words.ts';
import type { PageQueries } from '../page-parts.ts';
import type { Route } from '../route.ts';
import { texts, time } from './list.ts';
import { lags, sources } from './overview.ts';

const text = { type: 'string' };
const count = { type: 'integer' };
const mode = { type: 'string', enum: ['shadow', 'enforce'] };

const detection = {
  type: 'object',
  required: ['kind', 'claim', 'mode', 'findings', 'open', 'true_positive', 'false_positive', 'noise', 'suppressed'],
  properties: {
    kind: { type: 'string', enum: findingKinds },
    claim: { type: 'string', description: 'What a finding of it says that the identity does' },
    owasp: texts,
    attack: texts,
    mode: { ...mode, description: 'enforce: a rule that would act on it is enforced' },
    findings: count,
    open: count,
    suppressed: count,
    identities: count,
    severity_max: { type: ['string', 'null'], enum: [...severities, null] },
    last_seen: { type: ['string', 'null'], format: 'date-time' },
    true_positive: { type: 'integer', description: 'Findings whose newest verdict says so' },
    false_positive: count,
    noise: { type: ['number', 'null'], description: 'Share of false ones among those; null without any' },
  },
};

const deadLetters = {
  type: 'array',
  description: 'Of the last seven days, the most frequent first',
  items: {
    type: 'object',
    properties: {
      source: { type: 'string', description: 'Topic, file, or the way in' },
      reason: text,
      count,
      last: time,
      cause: { type: 'string', description: 'Of the newest of the last day' },
      sample: { type: 'string', description: 'How that one begins, masked' },
    },
  },
};

/** How Gait itself is doing: what its detections are worth, what comes in, what it runs with. */
export function healthRoutes(pages: PageQueries): readonly Route[] {
  return [
    {
      method: 'GET',
      url: '/v1/detections',
      summary: 'Every kind of finding: how often, and what people said of it',
      access: ['analyst'],
      replies: {
        200: {
          description: 'All kinds, the most frequent first',
          schema: {
            type: 'object',
            required: ['detections'],
            properties: { detections: { type: 'array', items: detection } },
          },
        },
      },
      handle: async () => ({ status: 200, body: { detections: await pages.detections() } }),
    },
    {
      method: 'GET',
      url: '/v1/ingest',
      summary: 'What comes in, by source, and what could not be read',
      access: ['analyst'],
      replies: {
        200: {
          description: 'Sources, dead letters and lag',
          schema: {
            type: 'object',
            required: ['sources', 'dead_letters', 'lag'],
            properties: { sources, dead_letters: deadLetters, lag: lags },
          },
        },
      },
      handle: async () => ({ status: 200, body: await pages.ingest() }),
    },
    {
      method: 'GET',
      url: '/v1/settings',
      summary: 'The configuration as it is in effect, secrets masked, and the rules with their effective modes',
      access: ['analyst'],
      replies: {
        200: {
          description: 'What this process runs with',
          schema: {
            type: 'object',
            required: ['config', 'policy'],
            properties: { config: { type: 'object' }, policy: { type: 'object' } },
          },
        },
      },
      handle: async () => ({ status: 200, body: await pages.settings() }),
    },
  ];
}
