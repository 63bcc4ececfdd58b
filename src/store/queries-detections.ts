import type { FindingKind, Severity } from '../core/words.ts';
import type { Store } from './clickhouse.ts';
import { readSources, type SourceRow } from './queries-overview.ts';

/** What became of the findings of one kind. */
export type DetectionRow = {
  readonly kind: FindingKind;
  readonly findings: number;
  readonly open: number;
  readonly suppressed: number;
  readonly identities: number;
  readonly severity_max: Severity;
  readonly last_seen: string;
  /** Findings whose newest verdict says so; the others have none, or one that says neither. */
  readonly true_positive: number;
  readonly false_positive: number;
};

export type DeadLetterRow = {
  readonly source: string;
  readonly reason: string;
  readonly count: number;
  readonly last: string;
  /** Of one of the last day: what was wrong, and how the record begins, masked. Empty when there was none. */
  readonly cause: string;
  readonly sample: string;
};

export type HealthQueries = {
  readonly detections: () => Promise<readonly DetectionRow[]>;
  readonly ingest: (now: number) => Promise<{
    readonly sources: readonly SourceRow[];
    readonly dead_letters: readonly DeadLetterRow[];
  }>;
};

const dayMs = 86_400_000;
const deadLettersMax = 200;
/** Records that came over HTTP name the run of the process that took them. */
const plainSource = `replaceRegexpOne(toString(d.source), '^(http:[^:]*):.*$', '\\\\1')`;

export function createHealthQueries(store: Store): HealthQueries {
  const db = store.database;
  return {
    detections: () =>
      store.query<DetectionRow>(
        `SELECT kind, count() AS findings, countIf(f.state = 'open') AS open, countIf(f.state = 'suppressed') AS suppressed,
           uniqExact(f.identity) AS identities,
           ['low', 'medium', 'high', 'critical'][max(indexOf(['low', 'medium', 'high', 'critical'], f.severity))] AS severity_max,
           max(f.last_seen) AS last_seen, countIf(v.verdict = 'true-positive') AS true_positive, countIf(v.verdict = 'false-positive') AS false_positive
         FROM ${db}.findings AS f
         LEFT JOIN (SELECT finding_id, argMax(toString(verdict), at) AS verdict FROM ${db}.verdicts WHERE state = 'given' GROUP BY finding_id) AS v
           ON v.finding_id = f.finding_id
         GROUP BY kind ORDER BY findings DESC, kind`,
      ),
    ingest: async (now) => {
      const [sources, letters, samples] = await Promise.all([
        readSources(store),
        store.query<Omit<DeadLetterRow, 'sample' | 'cause'>>(
          `SELECT ${plainSource} AS source, reason, sum(d.records) AS count, max(d.minute) AS last FROM ${db}.dead_letters_per_minute AS d
           WHERE minute >= toDateTime({since:UInt32}, 'UTC') GROUP BY source, reason ORDER BY count DESC, source, reason LIMIT ${deadLettersMax}`,
          { since: Math.floor((now - 7 * dayMs) / 1000) },
        ),
        store.query<Pick<DeadLetterRow, 'source' | 'reason' | 'sample' | 'cause'>>(
          `SELECT ${plainSource} AS source, reason, argMax(d.cause, d.at) AS cause, argMax(d.sample, d.at) AS sample
           FROM ${db}.dead_letters_raw_v1 AS d
           WHERE at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') GROUP BY source, reason LIMIT 1000`,
          { since: Math.floor(now - dayMs) },
        ),
      ]);
      const sampleOf = new Map(samples.map((row) => [`${row.reason} ${row.source}`, row]));
      const dead_letters = letters.map((row) => {
        const { cause = '', sample = '' } = sampleOf.get(`${row.reason} ${row.source}`) ?? {};
        return { ...row, cause, sample };
      });
      return { sources, dead_letters };
    },
  };
}
