import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import { GaitError } from '../../src/core/errors.ts';
import type { Store } from '../../src/store/clickhouse.ts';
import { createStoreWriter, type StoreWriter } from '../../src/store/writer.ts';
import { embeddedStores } from './embedded-store.ts';
import { attackStrings, batchOf, chunk, epoch, scoreLine, scoreLines } from './score-lines-of.ts';

describe('store writer', () => {
  const { openMigrated: open } = embeddedStores();

  function writerOf(store: Store, eventsSample = 1): StoreWriter {
    return createStoreWriter({
      store,
      clock: systemClock,
      stream: 'gait',
      eventsSample,
      lingerMs: 0,
      blockBytesMax: 90_000,
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
    assert.equal((await counts(store)).events, 52);
  });

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
    assert.equal((await counts(store)).perMinute, row!.estimate);
  });

  test('what attackers write into fields comes back unchanged and does nothing', async () => {
    const store = await open('attacked');
    const lines = attackStrings.map((text, i) =>
      scoreLine(i + 1, {
        identity: `user:acme:${text}`,
        user_agent: text,
        path: text,
        route: text,
        object_ids: [text],
      }),
    );
    await writerOf(store).scores(batchOf('scores', [lines]));
    const rows = await store.query<Record<string, unknown>>(
      'SELECT identity, user_agent, path, route, object_ids FROM attacked.events ORDER BY seq',
    );
    const expected = attackStrings.map((text) => ({
      identity: `user:acme:${text}`,
      user_agent: text,
      path: text,
      route: text,
      object_ids: [text],
    }));
    assert.deepEqual(rows, expected);
    for (const text of attackStrings) {
      const found = await store.query('SELECT seq FROM attacked.events WHERE path = {text:String}', { text });
      assert.equal(found.length, 1, JSON.stringify(text));
    }
  });

  test('half a surrogate pair is stored and stops nothing', async () => {
    const store = await open('surrogates');
    await writerOf(store).scores(batchOf('scores', [[scoreLine(1, { path: '/\ud800x' }), scoreLine(2)]]));
    assert.deepEqual(await counts(store), all(2));
  });

  test('lines that ClickHouse refuses become dead letters with their position and the rest is stored once', async () => {
    const store = await open('refused');
    const lines = scoreLines(1, 200);
    lines[57] = lines[57]!.replace('"status":200', '"status":"teapot"');
    lines[58] = '{"ts":"never","seq":59,';
    const batch = batchOf('scores', chunk(lines, 40), 1000);
    await writerOf(store).scores(batch);
    await writerOf(store).scores(batch);
    assert.deepEqual(await counts(store), all(198));
    const letters = await store.query<Record<string, unknown>>(
      "SELECT reason, source, partition, offset, index, bytes > 10 AS sized, cause != '' AS explained FROM refused.dead_letters ORDER BY index",
    );
    const letter = { reason: 'store-rejected', source: 'scores', partition: 0, offset: 1001, sized: 1, explained: 1 };
    assert.deepEqual(letters, [
      { ...letter, index: 17 },
      { ...letter, index: 18 },
    ]);
    const [row] = await store.query('SELECT sum(records) AS n FROM refused.dead_letters_per_minute');
    assert.deepEqual(row, { n: 2 });
  });

  test('a line that is no object is never run as SQL, and the lines around it are stored', async () => {
    const store = await open('injected');
    const drop = 'DROP TABLE injected.receipts_raw_v1';
    const shapes = [
      drop,
      ` ${drop}`,
      `;${drop};`,
      `\n${drop}`,
      `\n\n${drop}`,
      `\n\n\n;${drop};\n`,
      `\r\n\r\n${drop}`,
      `\n;\n\n${drop}`,
    ];
    const around = shapes.map((shape, i) => `${scoreLine(2 * i)}\n${shape}\n${scoreLine(2 * i + 1)}`);
    const records = [...shapes, ...around].map((text, offset) => ({ offset, value: Buffer.from(text) }));
    await writerOf(store).findings({ topic: 'findings', partition: 0, records: records.slice(0, shapes.length) });
    await writerOf(store).scores({ topic: 'scores', partition: 0, records: records.slice(shapes.length) });
    assert.deepEqual(await store.query('EXISTS TABLE injected.receipts_raw_v1'), [{ result: 1 }]);
    assert.deepEqual(await counts(store), all(2 * shapes.length));
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
