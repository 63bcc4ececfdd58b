import type { Config } from '../config/config.ts';
import type { PolicyConfig } from '../config/policy-file.ts';
import type { Clock } from '../core/clock.ts';
import { findingKinds } from '../core/words.ts';
import { kinds } from '../finding/kinds.ts';
import type { Metrics } from '../http/metrics.ts';
import type { PageQueries } from '../http/page-parts.ts';
import type { Store } from '../store/clickhouse.ts';
import type { IdentityRow, StoreQueries } from '../store/queries.ts';
import { createContextQuery } from '../store/queries-context.ts';
import { createHealthQueries, type DetectionRow } from '../store/queries-detections.ts';
import { createIncidentQueries } from '../store/queries-incidents.ts';
import { createOverviewQuery } from '../store/queries-overview.ts';
import { createProfileQueries, type Profile, type ProfileQueries } from '../store/queries-profile.ts';
import { incidentReport } from './incident-report.ts';
import { timelineOf } from './incident-timeline.ts';
import { wordsOf } from './profile-words.ts';
import { reportHtml, reportMarkdown, reportPolicy } from './report-formats.ts';
import { modeOfKind } from './settings.ts';

/** What the dashboard's pages ask, from what is stored. */
export type PagesOptions = {
  readonly store: Store;
  readonly queries: StoreQueries;
  readonly config: Config;
  readonly policy: PolicyConfig;
  readonly metrics: Metrics;
  readonly clock: Clock;
};

/** What everybody watches is asked for once, however many do. */
const overviewAgeMs = 2000;

export function createPages(options: PagesOptions): Omit<PageQueries, 'settings'> {
  const { store, queries } = options;
  const contextOf = createContextQuery(store);
  const incidents = createIncidentQueries(store);
  const profiles = createProfileQueries(store, options.policy.risk.halfLife);
  const health = createHealthQueries(store);
  return {
    overview: createOverview(options),
    identities: profiles.identities,
    profile: createProfile(options, profiles),
    detections: async () => detectionsOf(await health.detections(), options.policy),
    ingest: async () => {
      const [stored, lag] = await Promise.all([health.ingest(options.clock.now()), options.metrics.lags()]);
      return { ...stored, lag };
    },
    context: async (id) => {
      const finding = await queries.finding(id);
      return finding && contextOf(finding);
    },
    report: async (id, format) => {
      const parts = await incidents.incident(id);
      if (parts === undefined) return undefined;
      const report = incidentReport(parts, new Date(options.clock.now()).toISOString());
      return { text: format === 'html' ? reportHtml(report) : reportMarkdown(report), policy: reportPolicy };
    },
    incidents: incidents.incidents,
    incident: async (id) => {
      const parts = await incidents.incident(id);
      if (parts === undefined) return undefined;
      const comments = parts.notes.filter(({ kind }) => kind === 'comment');
      return {
        ...parts.incident,
        findings: parts.findings,
        decisions: parts.decisions,
        verdicts: parts.verdicts,
        comments: comments.map(({ note_id, at, who, text }) => ({ note_id, at, who, text })),
        timeline: timelineOf(parts),
      };
    },
  };
}

/** What an identity usually does, and what was found and decided about it. */
function createProfile({ queries }: PagesOptions, { profile }: ProfileQueries): PageQueries['profile'] {
  return async (identity) => {
    const known = await queries.identity(identity, 1);
    if (known === undefined) return undefined;
    const [usual, findings, decisions] = await Promise.all([
      profile(identity),
      queries.findings({ identity, limit: 50 }),
      queries.decisions({ identity, limit: 50 }),
    ]);
    const { recent: _, ...row } = known;
    const risk_series = [...usual.risk_series, ...toldSince(row)];
    const words = wordsOf(row, usual);
    return { ...row, ...usual, risk_series, findings: findings.rows, decisions: decisions.rows, words };
  };
}

/** The point of a finding that was told after the newest call, which is in no minute with calls. */
function toldSince({ risk, risk_at, last_seen }: IdentityRow): Profile['risk_series'] {
  return Date.parse(risk_at) > Date.parse(last_seen) ? [{ at: risk_at, risk, surprise: 0, calls: 0 }] : [];
}

/** Every kind there is, also those of which there is no finding. */
function detectionsOf(rows: readonly DetectionRow[], policy: PolicyConfig): readonly object[] {
  const found = new Map(rows.map((row) => [row.kind, row]));
  const none = { findings: 0, open: 0, suppressed: 0, identities: 0, true_positive: 0, false_positive: 0 };
  const all = findingKinds.map((kind) => {
    const row = found.get(kind) ?? { ...none, severity_max: null, last_seen: null };
    const judged = row.true_positive + row.false_positive;
    const noise = judged === 0 ? null : Math.round((row.false_positive / judged) * 1000) / 1000;
    return { ...row, kind, ...kinds[kind], mode: modeOfKind(kind, policy), noise };
  });
  return all.sort((a, b) => b.findings - a.findings || (a.kind < b.kind ? -1 : 1));
}

function createOverview({ store, queries, config, policy, metrics, clock }: PagesOptions): PageQueries['overview'] {
  const read = createOverviewQuery(store, policy.risk.halfLife);
  const ask = async (): Promise<object> => {
    const at = clock.now();
    const [{ realised, ...stored }, letters, lag] = await Promise.all([
      read(),
      queries.deadLetters(at - 86_400_000),
      metrics.lags(),
    ]);
    return {
      at: new Date(at).toISOString(),
      ...stored,
      budget: { set: config.detect.findingsPer1000PerDay, realised },
      dead_letters: letters.reduce((sum, { records }) => sum + records, 0),
      lag,
      mode: policy.mode,
      sample: config.sample,
    };
  };
  return shared(ask, { clock, ageMs: overviewAgeMs });
}

/** One answer for all who ask within `ageMs` of it being asked for; a failure is nobody's but theirs who waited for it. */
function shared<T>(ask: () => Promise<T>, { clock, ageMs }: { clock: Clock; ageMs: number }): () => Promise<T> {
  let last: { readonly at: number; readonly answer: Promise<T> } | undefined;
  return () => {
    const at = clock.now();
    if (last === undefined || at - last.at >= ageMs) {
      const answer = ask();
      last = { at, answer };
      answer.catch(() => (last = undefined));
    }
    return last.answer;
  };
}
