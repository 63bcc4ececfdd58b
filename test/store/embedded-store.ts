import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import { openStore, type Store, type StoreOptions } from '../../src/store/clickhouse.ts';
import { applyMigrations, readMigrations } from '../../src/store/migrate.ts';
import { createStoreWriter, type StoreWriter } from '../../src/store/writer.ts';

export const retention = { ttlDays: 30, deadLetterTtlDays: 14 };

type OpenStore = (database: string, options?: Pick<StoreOptions, 'limits' | 'askLimits'>) => Promise<Store>;

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
  const open: OpenStore = async (database, options) => {
    const store = await openStore({ path: folder, database, ...options });
    stores.push(store);
    return store;
  };
  return { open, openMigrated: async (database) => migrated(await open(database)) };
}

export async function migrated(store: Store): Promise<Store> {
  await applyMigrations({ store, retention, migrations: await readMigrations() });
  return store;
}

/** Inserts at once, in small blocks. */
export function writerOf(store: Store, eventsSample = 1): StoreWriter {
  const quick = { lingerMs: 0, blockBytesMax: 90_000 };
  return createStoreWriter({ store, clock: systemClock, stream: 'gait', eventsSample, ...quick });
}

/** How often events were counted, in the view, in the table behind it, and in each thing that is fed from it. */
export async function counts(store: Store) {
  const db = store.database;
  const rows = await store.query(`SELECT
    (SELECT count() FROM ${db}.events) AS events,
    (SELECT count() FROM ${db}.events_raw_v1) AS raw,
    (SELECT sum(events) FROM ${db}.identities) AS identities,
    (SELECT sum(events) FROM ${db}.events_per_minute) AS perMinute,
    (SELECT sum(events) FROM ${db}.identities_per_minute) AS perIdentity`);
  return rows[0];
}

export const all = (n: number) => ({ events: n, raw: n, identities: n, perMinute: n, perIdentity: n });
