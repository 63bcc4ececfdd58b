import type { Config } from '../config/config.ts';
import type { PolicyConfig } from '../config/policy-file.ts';
import type { Clock } from '../core/clock.ts';
import type { Metrics } from '../http/metrics.ts';
import type { PageQueries } from '../http/page-parts.ts';
import type { Store } from '../store/clickhouse.ts';
import type { StoreQueries } from '../store/queries.ts';
import { createContextQuery } from '../store/queries-context.ts';
import { createIncidentQueries } from '../store/queries-incidents.ts';
import { createOverviewQuery } from '../store/queries-overview.ts';
import { timelineOf } from './incident-timeline.ts';

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

export function createPages(options: PagesOptions): PageQueries {
  const { store, queries } = options;
  const contextOf = createContextQuery(store);
  const incidents = createIncidentQueries(store);
  return {
    overview: createOverview(options),
    context: async (id) => {
      const finding = await queries.finding(id);
      return finding && contextOf(finding);
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
        comments: comments.map(({ note_id, at, who, text }) => ({ note_id, at, who, text })),
        timeline: timelineOf(parts),
      };
    },
  };
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
