import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import { GaitError } from '../../src/core/errors.ts';
import type { Store } from '../../src/store/clickhouse.ts';
import { createStoreWriter } from '../../src/store/writer.ts';
import { all, counts, embeddedStores, writerOf } from './embedded-store.ts';
import { batchOf, chunk, epoch, scoreLine, scoreLines } from './score-lines-of.ts';

describe('events are counted exactly once', () => {
  const { openMigrated: open } = embeddedStores();

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

  test('an insert whose answer got lost, and one that never arrived, count once when the log delivers again', async () => {
    const store = await open('lost_answer');
    let failures = 0;
    const flaky: Store = {
      ...store,
      insert: async (table, lines, token) => {
        failures++;
        if (failures % 3 === 1) throw new GaitError('STORE_UNAVAILABLE', 'the connection was refused');
        await store.insert(table, lines, token);
        if (failures % 3 === 2) throw new GaitError('STORE_UNAVAILABLE', 'the connection was reset');
      },
    };
    const records = chunk(scoreLines(1, 200), 20);
    for (let from = 0; from < records.length; ) {
      // Every delivery takes another number of records, as a broker does after a rebalance.
      const size = 1 + ((failures * 7) % 4);
      try {
        await writerOf(flaky).scores(batchOf('scores', records.slice(from, from + size), from));
        from += size;
      } catch (error) {
        assert.ok(error instanceof GaitError && error.retriable);
      }
    }
    assert.ok(failures > 10);
    assert.deepEqual(await counts(store), all(200));
  });

  test('a pipeline whose state was thrown away begins at 0 again under another stream name and is stored', async () => {
    const store = await open('streams');
    await writerOf(store).scores(batchOf('scores', [scoreLines(1, 50)]));
    const again = createStoreWriter({ store, clock: systemClock, stream: 'second', eventsSample: 1, lingerMs: 0 });
    await again.scores(batchOf('scores', [[scoreLine(1, { ts: epoch + 1e6 }), scoreLine(2, { ts: epoch + 1e6 })]]));
    assert.deepEqual(await counts(store), all(52));
  });
});
