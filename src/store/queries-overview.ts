import { type Severity, severities } from '../core/words.ts';
import type { Store } from './clickhouse.ts';

/** The state of everything on one page. Spans end at the newest event, not now: a recording of last year has an overview too. */
export type StoredOverview = {
  /** Over the last five minutes of data. */
  readonly events_per_second: number;
  readonly events_total: number;
  readonly identities: number;
  readonly open_incidents: Readonly<Record<Severity, number>>;
  /** Ten buckets of risk, decayed to the newest event. */
  readonly risk: readonly { readonly from: number; readonly to: number; readonly identities: number }[];
  /** Findings of the last day of data per 1,000 identities that were active in it. */
  readonly realised: number;
  /** The last 60 minutes of data; minutes without events are not there. */
  readonly series: readonly {
    readonly minute: string;
    readonly events: number;
    readonly errors: number;
    readonly surprising: number;
  }[];
  /** Of the last day of data. */
  readonly sources: readonly SourceRow[];
  readonly enforcement: readonly {
    readonly target: string;
    readonly delivered: number;
    readonly failed: number;
    /** Decisions after which calls through it still passed, at some time. */
    readonly ineffective: number;
    readonly seen_at: string;
  }[];
};

export type SourceRow = {
  readonly source: string;
  readonly events: number;
  readonly errors: number;
  readonly events_per_second: number;
  readonly last_seen: string;
};

const sourcesMax = 200;

export function createOverviewQuery(store: Store, riskHalfLifeMs: number): () => Promise<StoredOverview> {
  const db = store.database;
  return async () => {
    const [series, sources, risk, [findings], open, [totals], enforcement] = await Promise.all([
      store.query<StoredOverview['series'][number]>(
        `SELECT minute, sum(s.events) AS events, sum(s.errors) AS errors, sum(s.surprising) AS surprising
         FROM ${db}.sources_per_minute_v1 AS s
         WHERE minute > (SELECT max(minute) FROM ${db}.sources_per_minute_v1) - INTERVAL 60 MINUTE GROUP BY minute ORDER BY minute`,
      ),
      readSources(store),
      store.query<{ bucket: number; identities: number; active: number }>(
        `WITH (SELECT max(last_seen) FROM ${db}.identities_raw_v1) AS end
         SELECT toUInt8(least(9, floor(i.risk * pow(2, -greatest(0, dateDiff('millisecond', greatest(i.last, i.told), end)) / {halfLife:Float64}) / 10))) AS bucket,
           count() AS identities, countIf(i.last >= end - INTERVAL 1 DAY) AS active
         FROM (SELECT max(last_seen) AS last, max(told_at) AS told, argMaxMerge(risk_state) AS risk FROM ${db}.identities_raw_v1 GROUP BY identity) AS i
         GROUP BY bucket`,
        { halfLife: riskHalfLifeMs },
      ),
      store.query<{ recent: number }>(
        `SELECT countIf(state != 'suppressed' AND first_seen >= (SELECT max(last_seen) FROM ${db}.identities_raw_v1) - INTERVAL 1 DAY) AS recent
         FROM ${db}.findings`,
      ),
      store.query<{ severity: Severity; incidents: number }>(
        `SELECT severity, count() AS incidents FROM ${db}.incidents WHERE state = 'open' GROUP BY severity`,
      ),
      store.query<{ events: number }>(`SELECT sum(s.events) AS events FROM ${db}.sources_per_minute_v1 AS s`),
      store.query<StoredOverview['enforcement'][number]>(
        `SELECT target, uniqExactIf(decision_id, state IN ('delivered', 'seen', 'acknowledged')) AS delivered,
           uniqExactIf(decision_id, state IN ('failed', 'rejected')) AS failed, countIf(state = 'ineffective') AS ineffective, max(at) AS seen_at
         FROM ${db}.receipts WHERE target != 'traffic' GROUP BY target ORDER BY target LIMIT ${sourcesMax}`,
      ),
    ]);
    const sum = (of: 'identities' | 'active'): number => risk.reduce((total, row) => total + row[of], 0);
    return {
      events_per_second: sources.reduce((total, row) => total + row.events_per_second, 0),
      events_total: totals!.events,
      identities: sum('identities'),
      open_incidents: Object.fromEntries(
        severities.map((severity) => [severity, open.find((row) => row.severity === severity)?.incidents ?? 0]),
      ) as Record<Severity, number>,
      risk: Array.from({ length: 10 }, (_, i) => ({
        from: i * 10,
        to: i * 10 + 10,
        identities: risk.find(({ bucket }) => bucket === i)?.identities ?? 0,
      })),
      realised: sum('active') === 0 ? 0 : (findings!.recent * 1000) / sum('active'),
      series,
      sources,
      enforcement,
    };
  };
}

/** Who reported events in the last day of data, the busiest first. */
export function readSources(store: Store): Promise<readonly SourceRow[]> {
  return store.query<SourceRow>(
    `WITH (SELECT max(minute) FROM ${store.database}.sources_per_minute_v1) AS end
     SELECT source, sum(s.events) AS events, sum(s.errors) AS errors,
       round(sumIf(s.events, minute > end - INTERVAL 5 MINUTE) / 300, 3) AS events_per_second, max(s.last_seen) AS last_seen
     FROM ${store.database}.sources_per_minute_v1 AS s WHERE minute > end - INTERVAL 1 DAY
     GROUP BY source ORDER BY events DESC, source LIMIT ${sourcesMax}`,
  );
}
