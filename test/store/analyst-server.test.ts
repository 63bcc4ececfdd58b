import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAnalyst } from '../../src/store/analyst.ts';
import { openStore } from '../../src/store/clickhouse.ts';
import { startClickHouse } from '../integration/clickhouse-server.ts';
import { migrated, writerOf } from './embedded-store.ts';
import { batchOf, scoreLines } from './score-lines-of.ts';

test('beside a server the same questions are answered, the same refused, and its errors come back with their numbers', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'gait-server-'));
  const server = await startClickHouse({ dir, port: 0 });
  const store = await openStore({ url: server.url, askLimits: { rows: 50 } });
  t.after(async () => {
    await store.close();
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  await migrated(store);
  await writerOf(store).scores(batchOf('scores', [scoreLines(1, 70)]));
  const ask = createAnalyst(store);
  const answer = async (sql: string, parameters: Record<string, string> = {}): Promise<unknown> => {
    const got = await ask({ sql, parameters, format: 'CSV' });
    return got.kind === 'refused' ? got.code : got.body.toString('utf8');
  };
  assert.equal(await answer('SELECT count() FROM gait.events'), '70\n');
  assert.equal(await answer('SELECT {a:String} AS a FORMAT JSONEachRow', { a: "o'x\\\\y" }), '{"a":"o\'x\\\\y"}\n');
  assert.equal(await answer('SELECT * FROM system.one'), 497);
  assert.equal(await answer("SELECT file('/etc/passwd')"), 497);
  assert.equal(await answer('SELECT 1; SELECT 2'), 62);
  assert.equal(await answer('SELECT nothing FROM gait.events'), 47);
  assert.equal(await answer('SELECT event_id FROM gait.events'), 396);
});
