import type { Config } from '../config/config.ts';
import type { PolicyConfig } from '../config/policy-file.ts';
import type { Secret } from '../config/secret.ts';
import type { Audit } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import { GaitError } from '../core/errors.ts';
import { randomId } from '../core/random.ts';
import { pages as pagePaths } from '../dashboard/pages.ts';
import { createSite } from '../dashboard/site.ts';
import type { Metrics } from '../http/metrics.ts';
import type { PageQueries } from '../http/page-parts.ts';
import type { HttpParts, IngestBatch, IngestOutcome, Queries, Readiness, RefusedRecord } from '../http/parts.ts';
import { recordsMax } from '../http/routes/events.ts';
import type { DeadLetter } from '../identity/dead-letter.ts';
import type { Ingest } from '../identity/ingest.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';
import type { Consumption, Log } from '../log/log.ts';
import { createAnalyst } from '../store/analyst.ts';
import type { Store } from '../store/clickhouse.ts';
import { createStoreQueries, type StoreQueries } from '../store/queries.ts';
import { createFeedbackQueries } from '../store/queries-feedback.ts';
import { createIncidentQueries } from '../store/queries-incidents.ts';
import { createCases } from './cases.ts';
import { createExplain } from './explain.ts';
import { createFeedback, type FeedbackOptions } from './feedback.ts';
import type { Intake } from './ingest.ts';
import { runLive } from './live.ts';
import type { Tell } from './notices.ts';
import { createPages } from './pages.ts';
import { settingsOf } from './settings.ts';
import { createSqlDoor } from './sql.ts';

/** Begins the name of HTTP as a source; the format that the sender asked for follows, and the run. */
export const httpSource = 'http:';

export type ServeOptions = {
  readonly log: Log;
  readonly config: Config;
  readonly ingest: Ingest;
  readonly intake: Intake;
  readonly store: Store | undefined;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly policy: PolicyConfig;
  readonly readiness: () => Promise<Readiness>;
  /** Seals sessions, under a name of their own. */
  readonly key: Secret;
  readonly ask: HttpParts['ask'];
  readonly slackAction: HttpParts['slackAction'];
  readonly ssf: HttpParts['ssf'];
  readonly tell: Tell;
  readonly audit: Audit;
  readonly held: HttpParts['held'];
  readonly onTrouble: (reason: string) => void;
};

export type Served = { readonly parts: HttpParts; readonly consumptions: readonly Consumption[] };

/** What the server asks, and what runs for it until `signal`. */
export async function httpParts(options: ServeOptions, signal: AbortSignal): Promise<Served> {
  const { log, config, store, onTrouble } = options;
  const queries = store && createStoreQueries(store);
  const settings = async (): Promise<object> => settingsOf(config, options.policy);
  const stored = store === undefined || queries === undefined ? noPages : createPages({ ...options, store, queries });
  const pages = { ...stored, settings };
  const { topics } = config;
  const { live, consumptions } = await runLive({ log, topics, overview: pages.overview, onTrouble }, signal);
  return { parts: partsOf(options, { stored: queries, pages, live }), consumptions };
}

type Asked = Pick<HttpParts, 'pages' | 'live'> & { readonly stored: StoreQueries | undefined };

function partsOf(options: ServeOptions, { stored, pages, live }: Asked): HttpParts {
  const { metrics, clock, store } = options;
  return {
    ingest: createDoor(options),
    queries: stored ?? noQueries,
    pages,
    live,
    order: createOrder(options),
    note: store === undefined ? noStore : createCases(options.audit, createIncidentQueries(store)),
    feedback: createFeedback({
      ...options,
      queries: stored && store ? { ...stored, ...createFeedbackQueries(store) } : noFeedback,
    }),
    explain: stored ? createExplain(stored, options.policy) : noStore,
    sql: {
      database: store?.database ?? '',
      ask: store === undefined ? noStore : createSqlDoor(createAnalyst(store), options.audit),
    },
    ask: options.ask,
    slackAction: options.slackAction,
    held: options.held,
    ssf: options.ssf,
    metrics,
    readiness: options.readiness,
    site: { ...createSite(), paths: Object.values(pagePaths) },
    session: { secret: options.key.reveal(), now: clock.now },
  };
}

const noStore = (): Promise<never> =>
  Promise.reject(
    new GaitError('STORE_UNAVAILABLE', 'this process has no store (store.kind is off, or chdb is not installed)'),
  );
const noQueries: Queries & Partial<StoreQueries> = {
  findings: noStore,
  finding: noStore,
  decisions: noStore,
  decision: noStore,
  audit: noStore,
  identity: noStore,
};

const noFeedback: FeedbackOptions['queries'] = {
  finding: noStore,
  verdicts: noStore,
  verdict: noStore,
  suppressions: noStore,
  suppression: noStore,
  hits: noStore,
  past: noStore,
};

const noPages: Omit<PageQueries, 'settings'> = {
  incidents: noStore,
  incident: noStore,
  report: noStore,
  context: noStore,
  overview: noStore,
  identities: noStore,
  profile: noStore,
  detections: noStore,
  ingest: noStore,
};

function createOrder({ tell, audit, clock }: ServeOptions): HttpParts['order'] {
  return async (order, from) => {
    const { notice: kind, by: who, identity: about, ...detail } = order;
    const notice = { ...order, notice_id: randomId('ntc'), at: clock.now() };
    const action = kind === 'decide' ? 'decision.make' : 'decision.restore';
    await audit({ who, from, action, about, detail: JSON.stringify(detail) });
    await tell([notice]);
    return notice.notice_id;
  };
}

/** A sender that repeats a request is recognised by its events' ids, not by a position that is ours. */
function placeless(resolved: ResolvedEvent): ResolvedEvent {
  const { identity, identity_kind, claimed_identity, event_id, route, object_ids, event } = resolved;
  return { identity, identity_kind, claimed_identity, event_id, route, object_ids, event, position: null };
}

/** Decodes, redacts and resolves at the door, so that senders hear what was refused and nothing raw is ever kept. */
function createDoor({ ingest, intake, clock }: ServeOptions): (batch: IngestBatch) => Promise<IngestOutcome> {
  // Events without an id are named after their position, which must be no other process's or run's.
  const run = randomId('').slice(1, 13);
  let records = 0;
  let underWay = 0;
  const append = (batch: IngestBatch) => {
    const events: ResolvedEvent[] = [];
    const deadLetters: DeadLetter[] = [];
    const refused: RefusedRecord[] = [];
    const topic = `${httpSource}${batch.format}:${run}`;
    for (const { line, bytes } of batch.records) {
      const position = { topic, partition: 0, offset: records++, index: 0 };
      const ingested = ingest.ingest(bytes, position, clock.now());
      for (const event of ingested.events) events.push(placeless(event));
      for (const letter of ingested.deadLetters) {
        deadLetters.push(letter);
        refused.push({ line, reason: letter.reason, cause: letter.cause });
      }
    }
    return { appended: intake.append('http', events, deadLetters), accepted: events.length, refused };
  };
  return async (batch) => {
    if (underWay + batch.records.length > recordsMax) return { kind: 'busy', retryAfterSeconds: 1 };
    underWay += batch.records.length;
    try {
      const { appended, accepted, refused } = append(batch);
      await appended;
      return { kind: 'accepted', accepted, refused };
    } finally {
      underWay -= batch.records.length;
    }
  };
}
