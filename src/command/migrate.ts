import { openStore, type StoreOptions } from '../store/clickhouse.ts';
import { applyMigrations, type Retention, readMigrations } from '../store/migrate.ts';

export type MigrateCommandOptions = {
  readonly store: StoreOptions;
  readonly retention: Retention;
};

/** `gait migrate`: brings ClickHouse up to date and says what it did. */
export async function migrate({ store: target, retention }: MigrateCommandOptions): Promise<void> {
  const store = await openStore(target);
  try {
    const applied = await applyMigrations({ store, retention, migrations: await readMigrations() });
    const what = applied.length === 0 ? 'nothing to do' : `applied ${applied.join(', ')}`;
    process.stdout.write(`database ${store.database}: ${what}\n`);
  } finally {
    await store.close();
  }
}
