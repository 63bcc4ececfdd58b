import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describeError, GaitError } from '../core/errors.ts';
import { clickHouseCode, type Store } from './clickhouse.ts';

export type Retention = {
  /** Days that events and volumes per identity are kept after storing. */
  readonly ttlDays: number;
  readonly deadLetterTtlDays: number;
};

export type Migration = { readonly name: string; readonly sha256: string; readonly statements: readonly string[] };

/** The migrations that come with the package. */
const migrationsDirectory = fileURLToPath(new URL('../../../pipelines/clickhouse/', import.meta.url));

/** Migrations in the order of their numbers, placeholders not yet filled in. */
export async function readMigrations(directory = migrationsDirectory): Promise<readonly Migration[]> {
  const names = (await readdir(directory)).filter((name) => /^\d{4}_\w+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(new URL(name, `file://${directory.replace(/\/?$/, '/')}`), 'utf8');
      const sql = text.replace(/^--.*$/gm, '');
      const statements = sql.split(/;[ \t]*(?:\r?\n|$)/).map((statement) => statement.trim());
      return {
        name,
        sha256: createHash('sha256').update(text).digest('hex'),
        statements: statements.filter((statement) => statement !== ''),
      };
    }),
  );
}

export type MigrateOptions = {
  readonly store: Store;
  readonly retention: Retention;
  readonly migrations: readonly Migration[];
};

/**
 * Brings the database up to date and returns the names of the files it applied. Several processes may do this at once: every statement may run twice.
 * MIGRATION_FAILED names the file that failed, or that was changed after it had been applied.
 */
export async function applyMigrations(options: MigrateOptions): Promise<readonly string[]> {
  const { store, migrations } = options;
  await store.command(`CREATE DATABASE IF NOT EXISTS ${store.database}`);
  await store.command(`CREATE TABLE IF NOT EXISTS ${store.database}.migrations
    (name String COMMENT 'File', sha256 String COMMENT 'Of the file as applied', applied_at DateTime('UTC') DEFAULT now() COMMENT 'When, UTC')
    ENGINE = ReplacingMergeTree ORDER BY (name, sha256) COMMENT 'Migrations that were applied'`);
  const rows = await store.query<{ name: string; sha256: string }>(
    `SELECT name, sha256 FROM ${store.database}.migrations`,
  );
  const applied = new Map(rows.map((row) => [row.name, row.sha256]));
  for (const { name, sha256 } of migrations) {
    if ((applied.get(name) ?? sha256) !== sha256) {
      throw new GaitError(
        'MIGRATION_FAILED',
        `${name} was changed after it had been applied; put the change in a new file`,
      );
    }
  }
  const pending = migrations.filter(({ name }) => !applied.has(name));
  for (const migration of pending) await apply(migration, options);
  await applyRetention(options);
  return pending.map(({ name }) => name);
}

/** Whether everything that this version asks for is there: at a first start, and before an upgrade's migration, an answering database is not enough. */
export async function isUpToDate({ store, migrations }: Omit<MigrateOptions, 'retention'>): Promise<boolean> {
  const rows = await store
    .query<{ name: string }>(`SELECT name FROM ${store.database}.migrations`)
    .catch((): { name: string }[] => []);
  const applied = new Set(rows.map((row) => row.name));
  return migrations.every(({ name }) => applied.has(name));
}

async function apply({ name, sha256, statements }: Migration, { store, retention }: MigrateOptions): Promise<void> {
  for (const statement of statements) {
    try {
      await store.command(fillIn(statement, store.database, retention));
    } catch (cause) {
      if (clickHouseCode(cause) === 0) throw cause;
      throw new GaitError('MIGRATION_FAILED', `${name}: ${describeError(cause)}`, { cause });
    }
  }
  await store.insert('migrations', Buffer.from(JSON.stringify({ name, sha256 })));
}

/** The days are part of the tables: when the configuration changed, the tables follow. Rows go at the next merges, not at once. */
async function applyRetention({ store, retention }: MigrateOptions): Promise<void> {
  const wanted: Readonly<Record<string, number>> = {
    events_raw_v1: retention.ttlDays,
    identities_per_minute_v1: retention.ttlDays,
    dead_letters_raw_v1: retention.deadLetterTtlDays,
  };
  const tables = await store.query<{ name: string; kept: string }>(
    `SELECT name, extract(create_table_query, 'TTL stored_at \\\\+ toIntervalDay\\\\((\\\\d+)\\\\)') AS kept
     FROM system.tables WHERE database = {database:String} AND kept != ''`,
    { database: store.database },
  );
  for (const { name, kept } of tables) {
    const ttl = wanted[name];
    if (ttl === undefined || days(ttl) === kept) continue;
    await store.command(`ALTER TABLE ${store.database}.${name} MODIFY TTL stored_at + INTERVAL ${days(ttl)} DAY
      SETTINGS materialize_ttl_after_modify = 0`);
  }
}

function fillIn(statement: string, database: string, retention: Retention): string {
  const values: Readonly<Record<string, string>> = {
    database,
    ttl_days: days(retention.ttlDays),
    dead_letter_ttl_days: days(retention.deadLetterTtlDays),
  };
  return statement.replace(/\{\{(\w+)\}\}/g, (placeholder, name: string) => values[name] ?? placeholder);
}

function days(value: number): string {
  if (Number.isInteger(value) && value > 0) return String(value);
  throw new GaitError('CONFIG_INVALID', `a retention of ${value} days is not a whole number above 0`);
}
