import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { csvCell, withoutBlanks } from '../../src/command/export.ts';
import { asTable } from '../../src/command/sql.ts';
import { createAnalyst } from '../../src/store/analyst.ts';
import type { Store } from '../../src/store/clickhouse.ts';
import { storableTexts } from '../hostile/corpus.ts';
import { apiKey, sampleParts, serve } from '../http/client.ts';
import { embeddedStores, writerOf } from '../store/embedded-store.ts';
import { batchOf, epoch, scoreLine, scoreLines } from '../store/score-lines-of.ts';
import { gait } from './gait-command.ts';

const key = apiKey('the-analyst', 'analyst');
/** Half a character has no bytes in UTF-8. */
const texts = storableTexts.filter(({ text }) => !/\p{Cs}/u.test(text));

describe('gait sql and gait export', () => {
  const { openMigrated } = embeddedStores();
  const folder = mkdtempSync(join(tmpdir(), 'gait-sql-'));
  after(() => rmSync(folder, { recursive: true }));
  let store: Store;
  const count = 3100;
  before(async () => {
    store = await openMigrated('gait');
    await writerOf(store).scores(
      batchOf('scores', [
        scoreLines(1, 50),
        texts.map(({ text }, i) => scoreLine(100 + i, { user_agent: text, path: text })),
      ]),
    );
    const times = { first_seen: 1_767_600_000_000, last_seen: 1_767_600_060_000 };
    const finding = {
      kind: 'rate_spike',
      identity: 'user:acme:u1',
      state: 'open',
      severity: 'high',
      ...times,
      reasons: [],
      version: 1,
    };
    // More than a page, and all of one moment.
    const findings = Array.from({ length: count }, (_, i) => ({
      ...finding,
      finding_id: `fnd_${i}`,
      title: texts[i % texts.length]!.text,
    }));
    await writerOf(store).findings(batchOf('f', [findings.map((each) => JSON.stringify(each))]));
  });

  async function running(t: TestContext, given = key.name) {
    const server = await serve(sampleParts({ sql: { database: 'gait', ask: createAnalyst(store) } }), { keys: [key] });
    t.after(server.close);
    const env = { GAIT_URL: server.address, GAIT_KEY: given };
    return (args: readonly string[], input?: string) =>
      gait(args, { cwd: folder, env, ...(input !== undefined && { input: Buffer.from(input) }) });
  }

  test('a query from the arguments or from standard input gives lines, JSON or the format that was asked for', async (t) => {
    const run = await running(t);
    const query = "SELECT 'a' AS x, count() AS n FROM events WHERE event_id IN ('e1', 'e2')";
    assert.deepEqual(await run(['sql', query]), { code: 0, stdout: 'a\t2\n', stderr: '' });
    assert.equal((await run(['sql'], query)).stdout, 'a\t2\n');
    assert.equal((await run(['sql', '-f', 'CSVWithNames', query])).stdout, '"x","n"\n"a",2\n');
    assert.deepEqual(JSON.parse((await run(['sql', '--json', query])).stdout).data, [['a', 2]]);
  });

  test('a mistake is 2, a refusal 1, each with one sentence', async (t) => {
    const run = await running(t);
    const wrong = await run(['sql', 'SELEC 1']);
    assert.deepEqual([wrong.code, wrong.stdout], [2, '']);
    assert.match(wrong.stderr, /^Syntax error.*code 62\n$/);
    const refused = await run(['sql', "SELECT * FROM file('/etc/passwd')"]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /not allowed here: the function file .*code 497\n$/);
    const stranger = await (await running(t, 'nobody'))(['sql', 'SELECT 1']);
    assert.deepEqual([stranger.code, stranger.stderr], [1, 'the key was not accepted\n']);
  });

  test('a table on a terminal shows nothing that moves its cursor', () => {
    const hostile = texts.map(({ text }) => [text, 1]);
    const shown = asTable(JSON.stringify({ meta: [{ name: 'a\u001b[2J' }, { name: 'n' }], data: hostile }), 100);
    assert.doesNotMatch(shown.replaceAll('\n', ''), /\p{C}/u);
    assert.equal(shown.trimEnd().split('\n').length, hostile.length + 1);
    assert.doesNotMatch(asTable('plain \u001b]0;owned\u0007\n', 100).replaceAll('\n', ''), /\p{C}/u);
  });

  test('an export has every finding once, page after page, whatever was written into it', async (t) => {
    const run = await running(t);
    const records = (text: string) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { finding_info: { uid: string; title: string }; class_uid: number });
    const { code, stdout, stderr } = await run(['export', '--ocsf']);
    assert.deepEqual([code, stderr], [0, '']);
    const ocsf = records(stdout);
    assert.equal(new Set(ocsf.map(({ finding_info }) => finding_info.uid)).size, count);
    assert.equal(ocsf.length, count);
    const titles = new Map(ocsf.map(({ finding_info }) => [finding_info.uid, finding_info.title]));
    for (let i = 0; i < texts.length; i++) assert.equal(titles.get(`fnd_${i}`) ?? '', texts[i]!.text);
    assert.doesNotMatch(stdout, /:null|:""|\{\}/);
    const none = await run(['export', '--ecs', '--since', '2027-01-01T00:00:00Z']);
    assert.deepEqual([none.code, none.stdout, none.stderr], [0, '', 'there are none since 2027-01-01T00:00:00Z\n']);
    assert.equal((await run(['export', '--ecs', '--events', '-o', 'events.ndjson'])).code, 0);
    const events = readFileSync(join(folder, 'events.ndjson'), 'utf8').trimEnd().split('\n');
    assert.equal(events.length, 50 + texts.length);
    const [first] = events.map((line) => JSON.parse(line) as { readonly '@timestamp': string });
    assert.equal(first?.['@timestamp'], new Date(epoch + 250).toISOString().replace('Z', '000Z'));
    const [alert] = (await run(['export', '--ecs'])).stdout
      .split('\n', 1)
      .map((line) => JSON.parse(line) as { readonly event: { readonly start: string } });
    assert.equal(alert?.event.start, '2026-01-05T08:00:00.000000Z');
    assert.equal((await run(['export', '--ocsf', '--csv'])).code, 2);
  });

  test('no cell of a CSV is a formula to a spreadsheet, and each reads back as it was', async (t) => {
    const run = await running(t);
    const { stdout } = await run(['export', '--csv']);
    const rows = parseCsv(stdout);
    assert.equal(rows.length, count + 1);
    const title = rows[0]!.indexOf('title');
    const id = rows[0]!.indexOf('finding_id');
    for (const row of rows.slice(1)) {
      for (const cell of row) assert.doesNotMatch(cell, /^\s*[=+\-@\t\r](?![\d.]+$)/);
      const { text } = texts[Number(row[id]!.slice(4)) % texts.length]!;
      assert.ok([text, `'${text}`].includes(row[title]!), text);
    }
  });

  test('numbers stay numbers, and blanks are left out at every depth', () => {
    assert.deepEqual([-1, '-1', '-', '=1', 'a"b', ' =1', null].map(csvCell), [
      '-1',
      "'-1",
      '-',
      "'=1",
      '"a""b"',
      "' =1",
      '',
    ]);
    assert.deepEqual(withoutBlanks({ a: null, b: '', c: { d: null }, e: [{ f: '' }], g: 0, h: false }), {
      e: [{}],
      g: 0,
      h: false,
    });
  });
});

/** RFC 4180. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end !== ',') rows.push([]);
  }
  return rows.slice(0, -1);
}
