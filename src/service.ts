import type { Config } from './config/config.ts';
import { kafkaOptions, storeOptions } from './config/connections.ts';
import { loadHmacKey } from './config/hmac-key.ts';
import { createLogger, type Logger } from './config/logging.ts';
import type { Audit } from './core/audit.ts';
import { type Clock, systemClock } from './core/clock.ts';
import { describeError, GaitError } from './core/errors.ts';
import { sleep } from './core/sleep.ts';
import type { Enrich } from './event/enrich.ts';
import type { Finding } from './finding/finding.ts';
import { startGrpc } from './http/grpc.ts';
import { createMetrics, type Metrics } from './http/metrics.ts';
import type { HttpParts } from './http/parts.ts';
import { type HttpServer, startServer } from './http/server.ts';
import type { Ingest } from './identity/ingest.ts';
import { openEmbeddedLog } from './log/embedded.ts';
import { openKafkaLog } from './log/kafka.ts';
import type { Consumption, Log, TopicSpec } from './log/log.ts';
import { onceAMinute } from './log/retry.ts';
import { alertTopics } from './role/alerts.ts';
import { announce } from './role/announce.ts';
import {
  assembleIngest,
  assembleModel,
  extAuthzPath,
  readPolicy,
  redactorOf,
  samplePath,
  shardOptions,
  sourceFormats,
} from './role/assemble.ts';
import { createAudit } from './role/audit.ts';
import { runDeliver } from './role/deliver.ts';
import { runDetect } from './role/detect.ts';
import { runEffect } from './role/effect.ts';
import { type Enforcer, runEnforce } from './role/enforce.ts';
import { openEnrichment } from './role/enrichment.ts';
import { Intake, runIngest } from './role/ingest.ts';
import { createTell, type Tell } from './role/notices.ts';
import { playSample } from './role/sample.ts';
import { runSeen } from './role/seen.ts';
import { httpParts, httpSource } from './role/serve.ts';
import { createSlackActions } from './role/slack-actions.ts';
import { runSsf } from './role/ssf.ts';
import { createStoreCheck, runStore } from './role/store.ts';
import { openStore, type Store } from './store/clickhouse.ts';
import { createStoreQueries } from './store/queries.ts';

export type ServiceOptions = {
  readonly config: Config;
  readonly logger?: Logger;
  /** Called for each finding when it is opened or gets worse, once in the life of the log. */
  readonly onFinding?: (finding: Finding) => void;
  readonly onSamplePlayed?: (records: number) => void;
};

export type Service = {
  /** `http://host:port`; undefined when this process does not serve. */
  readonly address: string | undefined;
  /** Resolves when the service was closed; rejects when a part failed for good. */
  readonly done: Promise<void>;
  /** Stops reading, lets what is under way end, checkpoints, and lets go of everything. */
  readonly close: () => Promise<void>;
};

/** What stops is closed in this order's reverse; each step may fail without keeping the others open. */
type Closer = () => Promise<void> | void;

/** Composition root: configuration -> parts -> roles -> running, and back. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { config } = options;
  const logger = options.logger ?? createLogger(config.logging.level);
  const stop = new AbortController();
  const closers: Closer[] = [];
  const close = async (): Promise<void> => {
    if (stop.signal.aborted) return done;
    stop.abort();
    for (const closer of closers.reverse()) {
      await Promise.resolve()
        .then(closer)
        .catch((error: unknown) => logger.error({ reason: describeError(error) }, 'a part did not close cleanly'));
    }
    finished();
  };
  let finished: () => void = () => {};
  let failed: (error: unknown) => void = () => {};
  const done = new Promise<void>((resolve, reject) => {
    finished = resolve;
    failed = reject;
  });
  done.catch(() => {});
  try {
    const parts: Parts = {
      ...options,
      logger,
      clock: systemClock,
      metrics: createMetrics(),
      signal: stop.signal,
      closers,
      failed,
    };
    const address = await startRoles(parts);
    return { address, done, close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Parts = ServiceOptions & {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
  readonly closers: Closer[];
  readonly failed: (error: unknown) => void;
};

async function startRoles(parts: Parts): Promise<string | undefined> {
  const { config, closers, logger, signal } = parts;
  const formats = sourceFormats(config);
  const log = await openLog(parts);
  closers.push(() => log.close());
  await log.ensureTopics(topicsOf(config));
  const store = await openStoreIfAny(parts);
  if (store !== undefined) closers.push(() => store.close());
  const key = loadHmacKey(config);
  const role = (name: Config['roles'][number]): boolean => config.roles.includes(name);
  const run = async (consumptions: readonly Consumption[]): Promise<void> => {
    // Together: with Kafka away each takes seconds to leave its group.
    closers.push(async () => void (await Promise.all(consumptions.map((consumption) => consumption.close()))));
    for (const consumption of consumptions) consumption.done.catch(parts.failed);
  };

  // The last to start is the first to stop: readers of outputs before the shards, the shards before those who feed them.
  if (role('deliver')) {
    if (store !== undefined) void startStore(parts, { log, store, run });
    const { clock, metrics } = parts;
    const onTrouble = (target: string, reason: string): void => logger.warn({ target, reason }, 'alert was not taken');
    await run(await runDeliver({ log, config, clock, delivered: metrics.delivered, onTrouble }, signal));
    const onError = (reason: string): void => logger.warn({ reason }, 'effect of decisions could not be looked at');
    await run(
      await runEffect({ log, config, store, clock, unseen: metrics.decisionsUnseen, onTrouble: onError }, signal),
    );
  }
  if (parts.onFinding !== undefined) await run([await announce({ ...config, log, tell: parts.onFinding })]);
  if (role('detect')) {
    const model = await assembleModel(config);
    const policy = readPolicy(config);
    const shards = await log.partitions(config.topics.events);
    const detect = await runDetect({
      ...config,
      ...config.detect,
      log,
      counts: parts.metrics,
      clock: parts.clock,
      shardOptions: (shard) => shardOptions({ config, policy, model }, { shard, shards }),
      onForeignLine: (at) => logger.warn(at, 'line that is no event was passed over'),
    });
    await run([detect]);
  }
  return startIntake(parts, { log, store, key, run, formats });
}

type Opened = {
  readonly log: Log;
  readonly store: Store | undefined;
  readonly key: ReturnType<typeof loadHmacKey>;
  readonly formats: ReturnType<typeof sourceFormats>;
  readonly run: (consumptions: readonly Consumption[]) => Promise<void>;
};

/** Everything that writes to `gait.events`: topics, HTTP, the sample. */
async function startIntake(parts: Parts, opened: Opened): Promise<string | undefined> {
  const { log, key, run, formats } = opened;
  const { config, clock, metrics, logger, closers, signal } = parts;
  const ingest = assembleIngest({ config, key, enrich: enrichIfNeeded(parts) }, (source) => {
    if (source.startsWith(httpSource)) return { format: source.split(':')[1]! };
    return formats.get(source) ?? { format: 'auto' };
  });
  const { reorderWindowMs } = config.detect;
  const onError = (error: unknown): void => logger.error({ reason: describeError(error) }, 'tick could not be written');
  const intake = await Intake.open({ log, topics: config.topics, reorderWindowMs, counts: metrics, ingest, onError });
  closers.push(() => intake.close());
  if (config.roles.includes('ingest') && config.sources.length > 0) {
    await run(
      await runIngest({ log, group: config.group, sources: config.sources, ingest, intake, counts: metrics, clock }),
    );
  }
  const audit = createAudit({ log, topic: config.topics.audit, clock });
  const tell = await createTell({ log, topic: config.topics.events });
  const ssf = await runSsf({ log, config, key, clock, audit, tell, delivered: metrics.delivered }, signal);
  await run(ssf.consumptions);
  const wired = { ...opened, ingest, intake, audit, tell, ssf: ssf.parts };
  const server = config.roles.includes('serve') ? await startServing(parts, wired) : undefined;
  if (config.sample) {
    const playing = playSample(
      { log, path: samplePath, topic: `${config.topics.events}.sample`, ingest, intake, clock },
      signal,
    );
    closers.push(() => playing.then(() => undefined));
    playing.then(({ played }) => signal.aborted || parts.onSamplePlayed?.(played), parts.failed);
  }
  return server?.address;
}

/** What the server asks of the rest, by the names that http knows. */
type Wired = Opened & {
  readonly ingest: Ingest;
  readonly intake: Intake;
  readonly audit: Audit;
  readonly tell: Tell;
  readonly ssf: HttpParts['ssf'];
};

async function startServing(parts: Parts, wired: Wired): Promise<HttpServer> {
  const { config, clock, metrics, logger, closers, signal } = parts;
  const { log, store, key, run, tell, audit } = wired;
  const enforcer = await startEnforce(parts, { log, key });
  const onUnwritten = (reason: string): void => logger.warn({ reason }, 'receipts could not be written');
  const { counts } = enforcer;
  await run([
    enforcer.consumption,
    runSeen({ log, topic: config.topics.receipts, counts, onTrouble: onUnwritten }, signal),
  ]);
  const logAnswers = createLogCheck(log, config, signal);
  const storeAnswers = createStoreCheck(store);
  const { kind } = config.log;
  const readiness = async () => {
    const [logged, stored] = await Promise.all([logAnswers(), storeAnswers()]);
    const decisions = { ok: enforcer.isReady(), detail: enforcer.isReady() ? 'read' : 'being read' };
    return {
      ready: logged && stored.ok && decisions.ok,
      parts: {
        log: {
          ok: logged,
          detail: logged ? kind : kind === 'kafka' ? 'kafka does not answer' : 'embedded, takes nothing in',
        },
        store: stored,
        decisions,
      },
    };
  };
  const policy = readPolicy(config);
  const { ask, held } = enforcer;
  const finding = store && createStoreQueries(store).finding;
  const slackAction = createSlackActions({ config, log, tell, audit, clock, finding });
  const served = {
    ...wired,
    config,
    metrics,
    clock,
    policy,
    slackAction,
    readiness,
    ask,
    held,
    onTrouble: (reason: string): void => logger.warn({ reason }, 'a page could not be kept up to date'),
  };
  const { parts: asked, consumptions } = await httpParts(served, signal);
  await run(consumptions);
  const server = await startServer(config.http, asked, logger);
  closers.push(() => server.close());
  closers.push(enforcer.release);
  const { grpc } = config.enforce;
  if (grpc !== undefined) {
    const options = { listen: grpc, http: config.http, protoPath: extAuthzPath, ask, logger };
    closers.push((await startGrpc(options)).close);
  }
  return server;
}

/** Whether the log answers within a second; while it does not, one question waits for it, however often it is asked. */
function createLogCheck(log: Log, config: Config, signal: AbortSignal): () => Promise<boolean> {
  // The embedded log always answers; whether its disk has room it says when it is written to.
  const ask = (): Promise<unknown> =>
    config.log.kind === 'embedded' ? log.ensureTopics([]) : log.partitions(config.topics.events);
  let asked: Promise<boolean> | undefined;
  return () => {
    asked ??= ask()
      .then(
        () => !signal.aborted,
        () => false,
      )
      .finally(() => {
        asked = undefined;
      });
    return Promise.race([asked, sleep(1000, signal).then(() => false)]);
  };
}

async function startEnforce(parts: Parts, { log, key }: Pick<Opened, 'log' | 'key'>): Promise<Enforcer> {
  const { config, clock, metrics, logger } = parts;
  const tell = await createTell({ log, topic: config.topics.events });
  return runEnforce({
    log,
    config,
    clock,
    redactor: redactorOf(config, key),
    onKeysMissing: (issuer, reason) => logger.warn({ issuer, reason }, 'keys of an issuer could not be fetched'),
    ignoredMax: readPolicy(config).stepUp.ignoredMax,
    notify: (notice) => {
      logger.info({ notice: notice.notice, decision: notice.decision_id, by: notice.by }, 'step-up was answered');
      tell([notice]).catch((error) => logger.error({ reason: describeError(error) }, 'notice could not be written'));
    },
    answered: metrics.answered,
    held: metrics.decisionsHeld,
  });
}

/** Only for a process that takes events in: the databases are some 15 MB of memory. */
function enrichIfNeeded({ config, logger }: Parts): Enrich | undefined {
  if (!config.sample && !config.roles.includes('ingest') && !config.roles.includes('serve')) return undefined;
  const { enrich, state } = openEnrichment(config);
  logger.info(state, 'address databases were opened');
  return enrich;
}

async function openLog({ config, logger, clock, signal }: Parts): Promise<Log> {
  const onTrouble = onceAMinute(clock, (error: GaitError): void =>
    logger.warn({ code: error.code, reason: error.message }, 'failed, and is tried again'),
  );
  const kafka = kafkaOptions(config);
  if (kafka !== undefined) return openKafkaLog({ ...kafka, stopping: signal, onTrouble });
  return openEmbeddedLog({ path: config.log.kind === 'embedded' ? config.log.path : '', stopping: signal, onTrouble });
}

/** Without its engine the service still detects and acts; it only has nowhere to ask. */
async function openStoreIfAny({ config, logger }: Parts): Promise<Store | undefined> {
  const options = storeOptions(config);
  if (options === undefined) return undefined;
  try {
    return await openStore(options);
  } catch (error) {
    if (config.store.kind !== 'embedded' || !(error instanceof GaitError && error.retriable)) throw error;
    logger.warn({ reason: error.message }, 'embedded ClickHouse was not available, so nothing can be queried');
    return undefined;
  }
}

async function startStore(
  parts: Parts,
  { log, store, run }: Pick<Opened, 'log' | 'run'> & { store: Store },
): Promise<void> {
  const { config, clock, logger, metrics, signal } = parts;
  const { retention, topics, group } = config;
  const options = { log, group, topics, store, retention, eventsSample: retention.eventsSample, clock, logger };
  try {
    await run(await runStore({ ...options, inserted: metrics.inserted }, signal));
  } catch (error) {
    if (!signal.aborted) parts.failed(error);
  }
}

const dayMs = 86_400_000;

function topicsOf(config: Config): TopicSpec[] {
  const { topics, log, retention, sample } = config;
  const partitions = log.kind === 'kafka' ? log.partitions : 1;
  const stream = (name: string, days: number): TopicSpec => ({
    name,
    partitions,
    cleanup: 'delete',
    retentionMs: days * dayMs,
  });
  return [
    stream(topics.events, 7),
    { name: topics.state, partitions, cleanup: 'delete' },
    stream(topics.scores, 3),
    { ...stream(topics.findings, retention.ttlDays), partitions: 1 },
    { name: topics.signals, partitions: 1, cleanup: 'compact' },
    { name: topics.receipts, partitions: 1, cleanup: 'compact' },
    { ...stream(topics.audit, retention.ttlDays), partitions: 1 },
    { name: topics.verdicts, partitions: 1, cleanup: 'compact' },
    { name: topics.suppressions, partitions: 1, cleanup: 'compact' },
    { name: topics.ssf, partitions: 1, cleanup: 'compact' },
    { name: topics.alertReceipts, partitions: 1, cleanup: 'compact' },
    ...alertTopics(config),
    { ...stream(topics.deadLetter, retention.deadLetterTtlDays), partitions: 1 },
    ...(sample ? [{ name: `${topics.events}.sample`, partitions: 1, cleanup: 'compact' } as const] : []),
  ];
}
