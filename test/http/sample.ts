import type { FeedbackParts } from '../../src/http/feedback-parts.ts';
import type { Live, PageQueries } from '../../src/http/page-parts.ts';

/** Rows as the store gives them. */
export function sampleFinding(
  changes: { readonly [K in keyof typeof finding]?: (typeof finding)[K] } = {},
): typeof finding {
  return { ...finding, ...changes };
}

const finding = {
  finding_id: 'fnd_0123456789abcdef01234567',
  kind: 'rate_spike',
  identity: 'user:acme:zoe',
  identity_kind: 'user',
  tenant: 'acme',
  incident_id: 'inc_1',
  state: 'open',
  severity: 'high',
  confidence: 0.9,
  first_seen: '2026-01-01T10:00:00.000Z',
  last_seen: '2026-01-01T10:01:00.000Z',
  count: 12,
  surprise: 7.5,
  risk: 62,
  title: 'zoe calls forty times as often as usual',
  reasons: [{ feature: 'calls_per_minute', observed: 400, text: '400 calls in a minute; 5 to 18 are usual' }],
  event_ids: ['e1'],
  owasp: [],
  attack: [],
  version: 1,
};

export const sampleDecision = {
  decision_id: 'dec_1',
  identity: 'user:acme:zoe',
  action: 'step-up',
  mode: 'shadow',
  rule: 'spike',
  why: 'an unusual rate',
  finding_ids: ['fnd_1'],
  made_at: '2026-01-01T10:01:00.000Z',
  expires_at: '2026-01-01T10:16:00.000Z',
};

const noRows = async () => ({ rows: [], next: undefined });
const none = async () => undefined;

const nothing = async () => ({});

export const samplePages: PageQueries = {
  incidents: noRows,
  incident: none,
  report: none,
  context: none,
  overview: nothing,
  identities: noRows,
  profile: none,
  detections: async () => [],
  ingest: nothing,
  settings: async () => ({ config: {}, policy: { mode: 'shadow', rules: [], allowlist: [] } }),
};

export const sampleLive: Live = {
  listen: (_, { end }) => {
    end();
    return () => {};
  },
};

export const sampleFeedback: FeedbackParts = {
  giveVerdict: none,
  undoVerdict: async () => false,
  verdicts: noRows,
  suppress: async () => 'sup_1',
  liftSuppression: async () => false,
  suppressions: async () => [],
  preview: nothing,
  noise: async () => [],
};
