import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { all, counts, embeddedStores, writerOf } from './embedded-store.ts';
import { attackStrings, batchOf, chunk, scoreLine, scoreLines } from './score-lines-of.ts';

describe('lines', () => {
  const { openMigrated: open } = embeddedStores();

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
});
