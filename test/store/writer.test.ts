import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import { createStoreWriter } from '../../src/store/writer.ts';
import { embeddedStores, writerOf } from './embedded-store.ts';
import { batchOf, chunk, epoch, scoreLines } from './score-lines-of.ts';

describe('store writer', () => {
  const { openMigrated: open } = embeddedStores();

  test('a sample keeps every surprising event and its weights add up to all events', async () => {
    const store = await open('sampled');
    const lines = scoreLines(1, 4000).map((line, i) =>
      i % 100 === 0 ? line.replace('"surprise":0.3', '"surprise":2.5') : line,
    );
    lines[1] = lines[1]!.replace('"findings":[]', '"findings":["f1"]');
    await writerOf(store, 0.25).scores(batchOf('scores', chunk(lines, 100)));
    await writerOf(store, 0.25).scores(batchOf('scores', chunk(lines, 130)));
    const [row] = await store.query<{ kept: number; surprising: number; estimate: number; inFinding: number }>(
      `SELECT count() AS kept, countIf(surprise >= 2) AS surprising, countIf(notEmpty(findings)) AS inFinding, sum(sample_weight) AS estimate
       FROM sampled.events`,
    );
    assert.equal(row!.surprising, 40);
    assert.equal(row!.inFinding, 1);
    assert.ok(row!.kept > 900 && row!.kept < 1200, `${row!.kept} kept`);
    assert.ok(Math.abs(row!.estimate - 4000) < 400, `${row!.estimate} estimated`);
    const [perMinute] = await store.query('SELECT sum(events) AS n FROM sampled.events_per_minute');
    assert.deepEqual(perMinute, { n: row!.estimate });
  });

  test('of a finding the highest version wins, whatever the order, and a tombstone is passed over', async () => {
    const store = await open('versions');
    const writer = writerOf(store);
    await writer.findings(batchOf('findings', [[findingLine(3)], [findingLine(1)]]));
    await writer.findings(batchOf('findings', [[findingLine(2)], [findingLine(3)]]));
    await writer.findings({ topic: 'findings', partition: 0, records: [{ offset: 9, value: null }] });
    const rows = await store.query<{ version: number; count: number; reasons: string }>(
      'SELECT version, count, reasons FROM versions.findings',
    );
    assert.deepEqual(
      rows.map(({ version, count }) => ({ version, count })),
      [{ version: 3, count: 30 }],
    );
    assert.deepEqual(JSON.parse(rows[0]!.reasons), [{ feature: 'rate', observed: 9, text: "it's 9" }]);
    const [perMinute] = await store.query('SELECT sum(findings) AS n FROM versions.findings_per_minute');
    assert.deepEqual(perMinute, { n: 1 });
  });

  test('small batches of one partition are inserted at most once per linger time, and at once after close', async () => {
    const store = await open('lingering');
    const writer = createStoreWriter({ store, clock: systemClock, stream: 'gait', eventsSample: 1, lingerMs: 60_000 });
    await writer.findings(batchOf('findings', [[findingLine(1)]]));
    let done = false;
    const second = writer.findings(batchOf('findings', [[findingLine(2)]])).then(() => {
      done = true;
    });
    await store.ping();
    assert.equal(done, false);
    writer.close();
    await second;
    assert.deepEqual(await store.query('SELECT version FROM lingering.findings'), [{ version: 2 }]);
  });
});

function findingLine(version: number): string {
  const reasons = [{ feature: 'rate', observed: 9, text: "it's 9" }];
  const claim = { finding_id: 'f_1', kind: 'rate_spike', identity: 'user:acme:u1', state: 'open', severity: 'high' };
  return JSON.stringify({
    ...claim,
    first_seen: epoch,
    last_seen: epoch + version,
    count: version * 10,
    reasons,
    version,
  });
}
