import { loadConfig } from '../config/config.ts';
import { storeOptions } from '../config/connections.ts';
import { GaitError } from '../core/errors.ts';
import { openStore } from '../store/clickhouse.ts';
import { applyMigrations, readMigrations } from '../store/migrate.ts';

/** `gait migrate`: brings ClickHouse up to date and says what it did. */
export async function migrate({ config: path }: { readonly config?: string | undefined }): Promise<void> {
  const config = loadConfig(path);
  const target = storeOptions(config);
  if (target === undefined) throw new GaitError('USAGE', 'there is nothing to migrate: store.kind is off');
  const store = await openStore(target);
  try {
    const applied = await applyMigrations({ store, retention: config.retention, migrations: await readMigrations() });
    const what = applied.length === 0 ? 'nothing to do' : `applied ${applied.join(', ')}`;
    process.stdout.write(`database ${store.database}: ${what}\n`);
  } finally {
    await store.close();
  }
}
