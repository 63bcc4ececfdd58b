import type { Logger } from '../config/logging.ts';
import type { Clock } from '../core/clock.ts';
import type { GaitError } from '../core/errors.ts';
import type { Consumption, Log } from '../log/log.ts';
import { onceAMinute, retryUntilDone } from '../log/retry.ts';
import type { Store } from '../store/clickhouse.ts';
import { applyMigrations, isUpToDate, type Retention, readMigrations } from '../store/migrate.ts';
import { createStoreWriter, type StoreWriter } from '../store/writer.ts';
import { runEvidence } from './evidence.ts';

type Copied = Exclude<keyof StoreWriter, 'close'>;

export type StoreRoleOptions = {
  readonly log: Log;
  readonly group: string;
  readonly topics: {
    readonly [name in Exclude<Copied, 'deadLetters'> | 'deadLetter']: string;
  };
  readonly store: Store;
  readonly retention: Retention;
  readonly eventsSample: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly inserted: (table: string, rows: number) => void;
};

/** Copies the log's outputs into ClickHouse. While ClickHouse is away the topics hold what it has not got; nothing else waits for it. */
export async function runStore(options: StoreRoleOptions, signal: AbortSignal): Promise<readonly Consumption[]> {
  const { log, group, topics, store, retention } = options;
  const migrations = await readMigrations();
  const migrate = async (): Promise<void> => void (await applyMigrations({ store, retention, migrations }));
  const onAway = ({ message }: GaitError): void =>
    options.logger.warn({ reason: message }, 'failed, and is tried again');
  const retry = { doing: 'bringing tables up to date', signal, onTrouble: onceAMinute(options.clock, onAway) };
  // A database that is not there yet is waited for; a migration that fails for good fails.
  if (!(await retryUntilDone(migrate, retry))) return [];
  const writer = createStoreWriter({
    store,
    clock: options.clock,
    stream: group,
    eventsSample: options.eventsSample,
    onInsert: ({ table, rows }) => options.inserted(table, rows),
  });
  signal.addEventListener('abort', () => writer.close(), { once: true });
  const pairs: [string, Copied][] = [
    [topics.scores, 'scores'],
    [topics.findings, 'findings'],
    [topics.signals, 'signals'],
    [topics.receipts, 'receipts'],
    [topics.audit, 'audit'],
    [topics.verdicts, 'verdicts'],
    [topics.suppressions, 'suppressions'],
    [topics.deadLetter, 'deadLetters'],
  ];
  const consumptions = await Promise.all(
    pairs.map(([topic, name]) =>
      log.consume({ group: `${group}-store-${name}`, topics: [topic], from: 'earliest', onBatch: writer[name] }),
    ),
  );
  const onTrouble = (reason: string): void => options.logger.warn({ reason }, 'evidence could not be kept');
  return [...consumptions, runEvidence({ store, onTrouble }, signal)];
}

/** Of `/readyz`: a database that answers is of no use before its tables are there, which once seen are not asked for again. */
export function createStoreCheck(store: Store | undefined): () => Promise<{ ok: boolean; detail: string }> {
  let isKnown = false;
  return async () => {
    if (store === undefined) return { ok: true, detail: 'not used' };
    if (!(await store.ping())) return { ok: false, detail: 'does not answer: findings wait in the log' };
    isKnown ||= await isUpToDate({ store, migrations: await readMigrations() });
    return {
      ok: isKnown,
      detail: isKnown ? 'answers' : 'its tables are not up to date: gait migrate, or the role deliver',
    };
  };
}
