import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { openStore, type Store } from '../../src/store/clickhouse.ts';
import { applyMigrations, readMigrations } from '../../src/store/migrate.ts';

export const retention = { ttlDays: 30, deadLetterTtlDays: 14 };

type OpenStore = (database: string) => Promise<Store>;

/** Inside a suite: stores in the one engine that a process can have, each test with a database of its own; closed and removed afterwards. */
export function embeddedStores(): { open: OpenStore; openMigrated: OpenStore } {
  let folder: string;
  const stores: Store[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gait-store-'));
  });
  after(async () => {
    for (const store of stores) await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  const open = async (database: string): Promise<Store> => {
    const store = await openStore({ path: folder, database });
    stores.push(store);
    return store;
  };
  return { open, openMigrated: async (database) => migrated(await open(database)) };
}

export async function migrated(store: Store): Promise<Store> {
  await applyMigrations({ store, retention, migrations: await readMigrations() });
  return store;
}
