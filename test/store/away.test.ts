import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import { GaitError } from '../../src/core/errors.ts';
import { sleep } from '../../src/core/sleep.ts';
import { openStore, type Store } from '../../src/store/clickhouse.ts';
import { createStoreWriter, type StoreBatch } from '../../src/store/writer.ts';
import { type ClickHouseServer, startClickHouse } from '../integration/clickhouse-server.ts';
import { migrated } from './embedded-store.ts';
import { attackStrings, batchOf, chunk, scoreLine, scoreLines } from './score-lines-of.ts';

describe('a ClickHouse server', () => {
  let dir: string;
  let server: ClickHouseServer;
  let store: Store;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gait-clickhouse-'));
    server = await startClickHouse({ dir, port: 0 });
    store = await migrated(await openStore({ url: server.url, database: 'gait', limits: { seconds: 1 } }));
  });
  after(async () => {
    await store.close();
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  });

  /** As the log does: the position moves on when the promise resolves, a rejection is delivered again. */
  async function deliver(batches: readonly StoreBatch[]): Promise<number> {
    let rejections = 0;
    for (const batch of batches) {
      for (;;) {
        try {
          await createStoreWriter({ store, clock: systemClock, stream: 'gait', eventsSample: 1, lingerMs: 0 }).scores(
            batch,
          );
          break;
        } catch (error) {
          assert.ok(error instanceof GaitError && error.code === 'STORE_UNAVAILABLE', String(error));
          rejections++;
          await sleep(20);
        }
      }
    }
    return rejections;
  }

  test('answers over HTTP as the engine in the process does, bound strings included', async () => {
    assert.equal(await store.ping(), true);
    for (const text of attackStrings.slice(0, -1)) {
      assert.deepEqual(await store.query('SELECT {text:String} AS text', { text }), [{ text }]);
    }
    await assert.rejects(store.query('CREATE TABLE gait.x (a Int8) ENGINE = Memory'), GaitError);
    await assert.rejects(store.query('SELECT sleepEachRow(1) FROM numbers(60) SETTINGS max_block_size = 1'), GaitError);
    await store.insert('findings_raw_v1', Buffer.from('{"finding_id":"f","version":1}'));
    assert.deepEqual(await server.query('SELECT version FROM gait.findings'), [{ version: 1 }]);
  });

  test('a server that is killed in the middle of inserts and comes back loses and repeats nothing', async () => {
    const lines = scoreLines(1, 6000);
    lines[10] = scoreLine(11, { path: attackStrings[0] });
    const batches = chunk(chunk(lines, 100), 3).map((records, i) => batchOf('scores', records, i * 3));
    const delivered = deliver(batches);
    for (const signal of ['SIGKILL', 'SIGTERM', 'SIGKILL'] as const) {
      await sleep(250);
      await server.stop(signal);
      await sleep(100);
      assert.equal(await store.ping(), false);
      await server.start();
    }
    assert.ok((await delivered) > 0);
    const [row] =
      await server.query(`SELECT (SELECT count() FROM gait.events) AS events, (SELECT count() FROM gait.events_raw_v1) AS raw,
      (SELECT sum(events) FROM gait.events_per_minute) AS perMinute, (SELECT sum(events) FROM gait.identities) AS identities,
      (SELECT sum(events) FROM gait.identities_per_minute) AS perIdentity`);
    const expected = { events: 6000, raw: 6000, perMinute: 6000, identities: 6000, perIdentity: 6000 };
    assert.deepEqual(row, expected);
  });
});
