import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import { openStore, type Store } from '../../src/store/clickhouse.ts';
import { applyMigrations, readMigrations } from '../../src/store/migrate.ts';
import { createStoreWriter, type StoreWriter } from '../../src/store/writer.ts';
import { batchOf, chunk, scoreLine, scoreLines } from './score-lines-of.ts';

describe('store writer', () => {
  let folder: string;
  let stores: Store[];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gait-store-'));
    stores = [];
  });
  after(async () => {
    for (const store of stores) await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Each test has a database of its own in the one engine that a process can have. */
  async function open(database: string): Promise<Store> {
    const store = await openStore({ path: folder, database });
    stores.push(store);
    await applyMigrations({
      store,
      retention: { eventsDays: 30, aggregateDays: 400 },
      migrations: await readMigrations(),
    });
    return store;
  }

  function writerOf(store: Store, eventsSample = 1): StoreWriter {
    return createStoreWriter({
      store,
      clock: systemClock,
      stream: 'gait',
      eventsSample,
      lingerMs: 0,
      blockBytesMax: 30_000,
    });
  }

  async function counts(store: Store) {
    const one = async (sql: string) => (await store.query<{ n: number }>(sql))[0]!.n;
    const from = `FROM ${store.database}`;
    return {
      events: await one(`SELECT count() AS n ${from}.events`),
      raw: await one(`SELECT count() AS n ${from}.events_raw_v1`),
      identities: await one(`SELECT sum(events) AS n ${from}.identities`),
      perMinute: await one(`SELECT sum(events) AS n ${from}.events_per_minute`),
      perIdentity: await one(`SELECT sum(events) AS n ${from}.identities_per_minute`),
    };
  }
  const all = (n: number) => ({ events: n, raw: n, identities: n, perMinute: n, perIdentity: n });

  test('scores that are delivered again, batched differently and to another writer, count once everywhere', async () => {
    const store = await open('replayed');
    const lines = scoreLines(1, 600);
    await writerOf(store).scores(batchOf('scores', chunk(lines, 50)));
    assert.deepEqual(await counts(store), all(600));
    await writerOf(store).scores(batchOf('scores', chunk(lines, 70)));
    await writerOf(store).scores(batchOf('scores', chunk(lines.slice(0, 333), 10)));
    assert.deepEqual(await counts(store), all(600));
    const writer = writerOf(store);
    await writer.scores(batchOf('scores', [scoreLines(590, 640), scoreLines(620, 700)]));
    assert.deepEqual(await counts(store), all(700));
  });
  void scoreLine;
});
