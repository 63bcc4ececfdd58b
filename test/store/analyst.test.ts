import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import { type Analyst, createAnalyst, type SqlQuestion } from '../../src/store/analyst.ts';
import type { Store } from '../../src/store/clickhouse.ts';
import { documentedViews } from '../../src/store/views.ts';
import { createStoreWriter } from '../../src/store/writer.ts';
import { embeddedStores } from './embedded-store.ts';
import { batchOf, scoreLines } from './score-lines-of.ts';

const outfile = join(tmpdir(), `gait-analyst-outfile-${process.pid}`);

/** Each would read or write something that is not for analysts, hold the engine up, or change what the next one may do. `URL` is a server that must never be asked. */
const attacks: readonly string[] = [
  "SELECT * FROM file('/etc/passwd', 'LineAsString')",
  "SELECT file('/etc/passwd')",
  "WITH file('/etc/passwd') AS f SELECT f",
  "SELECT * APPLY(file) FROM (SELECT '/etc/passwd')",
  "SELECT * APPLY(x -> file(x)) FROM (SELECT '/etc/passwd')",
  "SELECT COLUMNS('.') APPLY(file) FROM (SELECT '/etc/passwd' AS x)",
  "SELECT arrayMap(x -> file(x), ['/etc/passwd'])",
  "SELECT 1 ORDER BY file('/etc/passwd')",
  "SELECT count() OVER (ORDER BY file('/etc/passwd'))",
  "SELECT 1 LIMIT length(file('/etc/passwd'))",
  "SELECT number FROM numbers(3) ORDER BY number WITH FILL STEP length(file('/etc/passwd'))",
  "SELECT FILE('/etc/passwd')",
  "SELECT `file`('/etc/passwd')",
  "SELECT * FROM `file`('/etc/passwd', 'LineAsString')",
  "SELECT 1 IN file('/etc/passwd', 'LineAsString')",
  "SELECT * FROM url('URL', 'LineAsString')",
  "SELECT * FROM (SELECT * FROM url('URL', 'LineAsString'))",
  "WITH x AS (SELECT * FROM url('URL')) SELECT * FROM x",
  "SELECT (SELECT count() FROM url('URL', 'LineAsString'))",
  "DESCRIBE TABLE url('URL')",
  "DESCRIBE (SELECT * FROM url('URL'))",
  "EXPLAIN SELECT * FROM url('URL')",
  "EXPLAIN QUERY TREE SELECT * FROM url('URL')",
  "EXPLAIN TABLE OVERRIDE mysql('127.0.0.1', 'a', 'b', 'c', 'd') PARTITION BY a",
  "SELECT * FROM urlCluster('default', 'URL', 'CSV')",
  "SELECT * FROM s3('URL')",
  "SELECT * FROM gcs('URL')",
  "SELECT * FROM hdfs('hdfs://127.0.0.1/x', 'CSV')",
  "SELECT * FROM azureBlobStorage('URL', 'c', 'p')",
  "SELECT * FROM iceberg('URL')",
  "SELECT * FROM deltaLake('URL')",
  "SELECT * FROM remote('127.0.0.1', 'system.one')",
  "SELECT * FROM remoteSecure('127.0.0.1', 'system.one')",
  "SELECT * FROM cluster('default', 'system.one')",
  "SELECT * FROM clusterAllReplicas('default', system.one)",
  "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
  "SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
  "SELECT * FROM mongodb('127.0.0.1:1', 'a', 'b', 'c', 'd', 'e String')",
  "SELECT * FROM redis('127.0.0.1:1', 'k', 'k String')",
  "SELECT * FROM sqlite('/etc/passwd', 'x')",
  "SELECT * FROM odbc('DSN=x', 'a', 'b')",
  "SELECT * FROM jdbc('x', 'a', 'b')",
  "SELECT * FROM executable('id', 'TSV', 'a String')",
  "SELECT * FROM merge('system', '.*')",
  "SELECT * FROM merge('gait', '.*')",
  "SELECT * FROM dictionary('x')",
  "SELECT dictGet('x', 'y', 1)",
  "SELECT joinGet('gait.x', 'y', 1)",
  'SELECT * FROM loop(system.one)',
  'SELECT * FROM view(SELECT 1)',
  "SELECT * FROM input('a String')",
  "SELECT * FROM generateRandom('a String') LIMIT 1",
  "SELECT * FROM fuzzQuery('SELECT 1')",
  'SELECT * FROM mergeTreeIndex(gait, events_raw_v1)',
  "SELECT * FROM Python('x')",
  'SELECT * FROM system.tables',
  'SELECT * FROM system.one',
  'SELECT name FROM `system`.`users`',
  'SELECT * FROM "system"."settings"',
  'SELECT * FROM INFORMATION_SCHEMA.TABLES',
  'SELECT * FROM information_schema.columns',
  'SELECT 1 IN system.one',
  'SELECT 1 WHERE 1 NOT IN (system.one)',
  'SELECT in(1, system.one)',
  'SELECT 1 IN (SELECT * FROM system.one)',
  'SELECT 1 GLOBAL IN system.one',
  'SELECT * FROM events JOIN system.one ON 1',
  'SELECT 1 UNION ALL SELECT dummy FROM system.one',
  'SELECT 1 EXCEPT SELECT dummy FROM system.one',
  'SELECT exists(SELECT * FROM system.one)',
  'SELECT * FROM gait.events_raw_v1',
  'SELECT * FROM events_raw_v1',
  'SELECT * FROM migrations',
  'SELECT 1 IN migrations',
  'SELECT * FROM gait.`.inner_id.x`',
  'SELECT * FROM other.events',
  'SELECT * FROM default.events',
  'SELECT * FROM {t:Identifier}',
  'SELECT * FROM system.{t:Identifier}',
  'SELECT {t:Identifier} FROM events',
  'SHOW TABLES',
  'SHOW TABLES FROM system',
  'SHOW DATABASES',
  'SHOW CREATE TABLE gait.events',
  'SHOW GRANTS',
  'SHOW PROCESSLIST',
  'EXISTS TABLE gait.events',
  'CHECK TABLE gait.events_raw_v1',
  `SELECT 1 INTO OUTFILE '${outfile}'`,
  `SELECT 1 UNION ALL SELECT 2 INTO OUTFILE '${outfile}' FORMAT CSV`,
  `EXPLAIN SELECT 1 INTO OUTFILE '${outfile}'`,
  `DESCRIBE TABLE gait.events INTO OUTFILE '${outfile}'`,
  `SELECT 1 INTO OUTFILE '${outfile}' TRUNCATE COMPRESSION 'gzip'`,
  "INSERT INTO gait.events_raw_v1 (identity) VALUES ('x')",
  `INSERT INTO FUNCTION file('${outfile}', 'CSV') SELECT 1`,
  'CREATE TABLE gait.x (a Int8) ENGINE = Memory',
  'CREATE TEMPORARY TABLE x (a Int8)',
  'CREATE VIEW gait.x AS SELECT 1',
  'CREATE FUNCTION x AS a -> file(a)',
  "CREATE USER x IDENTIFIED BY 'y'",
  'DROP TABLE gait.events_raw_v1',
  'TRUNCATE TABLE gait.events_raw_v1',
  'ALTER TABLE gait.events_raw_v1 DELETE WHERE 1',
  'DELETE FROM gait.events_raw_v1 WHERE 1',
  'OPTIMIZE TABLE gait.events_raw_v1 FINAL',
  'RENAME TABLE gait.events TO gait.x',
  'EXCHANGE TABLES gait.events AND gait.findings',
  'ATTACH TABLE gait.x (a Int8) ENGINE = Memory',
  'DETACH TABLE gait.events',
  'SYSTEM SHUTDOWN',
  'SYSTEM DROP MARK CACHE',
  'KILL QUERY WHERE 1',
  'GRANT ALL ON *.* TO default',
  'SET ROLE gait_owner',
  'SET ROLE ALL',
  'SET readonly = 0',
  'USE system',
  'EXECUTE AS default SELECT 1',
  `BACKUP TABLE gait.events TO File('${outfile}')`,
  'BEGIN TRANSACTION',
  'SELECT 1 PARALLEL WITH SELECT 2',
  'SELECT 1 SETTINGS readonly = 0',
  'SELECT 1 SETTINGS max_execution_time = 0',
  'SELECT * FROM (SELECT 1 SETTINGS max_memory_usage = 0)',
  "SELECT 1 FORMAT Template SETTINGS format_template_resultset = '/etc/passwd'",
  'SELECT 1 FORMAT Protobuf',
  'SELECT 1 FORMAT CapnProto',
  'SELECT 1; SELECT 2',
  'SELECT 1; DROP TABLE gait.events_raw_v1',
  'SELECT 1;; SET ROLE gait_owner',
  'SELECT 1 AS `a;b`; DROP TABLE gait.events',
  'SELECT 1 AS `x\n Function count`',
  'SELECT 1 AS `x\\n Function count`',
  'SELECT sleep(3)',
  'SELECT sleepEachRow(1) FROM numbers(100)',
  'SELECT hostName()',
  'SELECT displayName()',
  "SELECT getSetting('max_threads')",
  "SELECT getServerSetting('max_connections')",
  "SELECT getMacro('x')",
  "SELECT hasColumnInTable('system', 'users', 'name')",
  "SELECT showCertificate('127.0.0.1:1')",
  'SELECT addressToLine(1)',
  "SELECT logTrace('x')",
  "SELECT encrypt('aes-128-ecb', 'x', 'y')",
  "SELECT catboostEvaluate('/etc/passwd', 1)",
  "SELECT aiGenerate('x', 'y')",
  'SELECT chdb()',
  'SELECT throwIf(1)',
  "SELECT generateSerialID('x')",
];

/** What people do ask, in all the shapes that SQL has. */
const questions: readonly string[] = [
  'SELECT 1',
  'select count() from events',
  'SELECT count() FROM gait.events -- a comment; with a semicolon\n',
  'SELECT count() FROM `gait`.`events`;',
  "SELECT ';', 'it''s', '\\'; DROP TABLE x; --', $$a;b$$, 'INTO OUTFILE'",
  'SELECT identity, countIf(status >= 400) AS errors FROM events GROUP BY identity HAVING errors >= 0 ORDER BY errors DESC LIMIT 3',
  'WITH busy AS (SELECT identity, count() AS n FROM events GROUP BY identity) SELECT * FROM busy AS b JOIN identities AS i ON i.identity = b.identity',
  'WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT max(n) FROM r',
  'SELECT * EXCEPT (user_agent) REPLACE (upper(method) AS method) FROM events LIMIT 1',
  "SELECT COLUMNS('^risk') FROM identities",
  'SELECT route, quantilesTDigest(0.5, 0.9)(duration_ms), uniqExactIf(identity, status = 200) FROM events GROUP BY ROLLUP(route)',
  'SELECT identity, ts, row_number() OVER (PARTITION BY identity ORDER BY ts) AS n, lagInFrame(ts) OVER w FROM events WINDOW w AS (PARTITION BY identity ORDER BY ts) LIMIT 2',
  "SELECT count() FROM events WHERE identity IN (SELECT identity FROM identities) AND status IN (200, 404) AND method NOT IN ('PUT')",
  'SELECT toStartOfInterval(ts, INTERVAL 5 MINUTE) AS t, count() FROM events GROUP BY t ORDER BY t WITH FILL STEP INTERVAL 5 MINUTE',
  "SELECT arrayJoin(object_ids) AS o, arrayMap(x -> x || '!', object_ids) FROM events LIMIT 2",
  'SELECT object, count() FROM events ARRAY JOIN object_ids AS object GROUP BY object LIMIT 2',
  "SELECT CASE WHEN status < 400 THEN 'ok' ELSE 'bad' END AS s, CAST(count() AS String), count()::Float64 FROM events GROUP BY s",
  'SELECT 1 UNION ALL SELECT 2 UNION DISTINCT SELECT 3',
  'SELECT number FROM numbers(10) WHERE number > (SELECT avg(number) FROM numbers(10))',
  "SELECT * FROM values('a UInt8, b String', (1, 'x'))",
  'DESCRIBE TABLE events',
  'DESC gait.findings',
  'EXPLAIN SELECT count() FROM events',
  "EXPLAIN indexes = 1 SELECT count() FROM events WHERE identity = 'x'",
  'SELECT currentDatabase(), version(), timezone()',
];

describe('SQL of people', () => {
  const { open, openMigrated } = embeddedStores();
  let store: Store;
  let ask: Analyst;
  let asked = 0;
  const server = createServer((_request, response) => {
    asked++;
    response.end('x');
  });
  const answer = (sql: string, more: Partial<SqlQuestion> = {}) =>
    ask({ sql, parameters: {}, format: undefined, ...more });
  const text = async (sql: string, more: Partial<SqlQuestion> = {}): Promise<string> => {
    const got = await answer(sql, more);
    assert.equal(got.kind, 'answered', `${sql}: ${got.kind === 'refused' ? got.message : ''}`);
    return got.kind === 'answered' ? got.body.toString('utf8') : '';
  };

  before(async () => {
    store = await openMigrated('gait');
    const writer = createStoreWriter({ store, clock: systemClock, stream: 'gait', eventsSample: 1, lingerMs: 0 });
    await writer.scores(batchOf('scores', [scoreLines(1, 100)]));
    ask = createAnalyst(store);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(() => server.close());

  test('every way out of the views is refused, reaches no other host, writes no file, and changes nothing for those who ask next', async () => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
    const before = await store.query(
      'SELECT name, total_rows FROM system.tables WHERE database = {db:String} ORDER BY name',
      { db: 'gait' },
    );
    for (const attack of attacks) {
      const got = await answer(attack.replaceAll('URL', url), { parameters: { t: 'users' } });
      assert.equal(got.kind, 'refused', attack);
    }
    assert.equal(asked, 0);
    assert.equal(existsSync(outfile), false);
    assert.deepEqual(
      await store.query('SELECT name, total_rows FROM system.tables WHERE database = {db:String} ORDER BY name', {
        db: 'gait',
      }),
      before,
    );
    assert.equal(await text('SELECT count() FROM events'), '100\n');
  });

  test('without the lists of the gate the engine itself still refuses files, hosts, other databases and writes', async () => {
    const raw = (sql: string) => store.ask(sql, { parameters: {}, format: 'TSV' });
    const denied = [
      "SELECT * FROM file('/etc/passwd', 'LineAsString')",
      "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
      "SELECT * FROM remote('127.0.0.1', 'system.one')",
      'SELECT * FROM system.users',
      "INSERT INTO gait.migrations (name) VALUES ('x')",
      'CREATE TABLE gait.x (a Int8) ENGINE = Memory',
      'DROP TABLE gait.events_raw_v1',
      'SET max_execution_time = 0',
      'SET readonly = 0',
    ];
    for (const sql of denied) await assert.rejects(raw(sql), /ACCESS_DENIED|READONLY/, sql);
  });

  test('ordinary questions of every shape are answered', async () => {
    for (const question of questions) assert.notEqual(await text(question), undefined, question);
  });

  test('every documented view can be asked, and every other table of the database cannot', async () => {
    const tables = await store.query<{ name: string }>("SELECT name FROM system.tables WHERE database = 'gait'");
    for (const view of documentedViews)
      assert.ok(
        tables.some(({ name }) => name === view),
        view,
      );
    for (const { name } of tables) {
      const got = await answer(`SELECT * FROM \`${name}\` LIMIT 1`);
      assert.equal(got.kind, documentedViews.some((view) => view === name) ? 'answered' : 'refused', name);
    }
  });

  test('values are bound and never become SQL; formats come from the question or from beside it', async () => {
    const hostile = "x' OR 1=1; DROP TABLE events; --\n\\";
    assert.deepEqual(
      JSON.parse(
        await text('SELECT {x:String} AS x FORMAT JSONEachRow', {
          parameters: { x: hostile.replaceAll('\\', '\\\\') },
        }),
      ),
      { x: hostile },
    );
    assert.equal(await text('SELECT {n:UInt8} + 1', { parameters: { n: '4' } }), '5\n');
    assert.equal(await text('SELECT 1 AS a', { format: 'CSVWithNames' }), '"a"\n1\n');
    assert.equal(await text('SELECT 1 AS a FORMAT TSVWithNames', { format: 'CSV' }), 'a\n1\n');
    assert.equal((await answer('SELECT 1', { format: 'Template' })).kind, 'refused');
  });

  test('mistakes come back with the number and the words of ClickHouse', async () => {
    const codes = async (sql: string) => {
      const got = await answer(sql);
      return got.kind === 'refused' && [got.code, got.name];
    };
    assert.deepEqual(await codes('SELEC 1'), [62, 'SYNTAX_ERROR']);
    assert.deepEqual(await codes(''), [62, 'SYNTAX_ERROR']);
    assert.deepEqual(await codes('SELECT nothing FROM events'), [47, 'UNKNOWN_IDENTIFIER']);
    assert.deepEqual(await codes('SELECT * FROM nothing'), [60, 'UNKNOWN_TABLE']);
    // A message that quotes the question must not take time with the square of its length.
    const started = performance.now();
    assert.deepEqual(await codes(`SELECT nothing, '${' '.repeat(60_000)}' FROM events`), [47, 'UNKNOWN_IDENTIFIER']);
    assert.deepEqual(await codes(`SELECT 1 '${' \n'.repeat(30_000)}' SELEC`), [62, 'SYNTAX_ERROR']);
    assert.ok(performance.now() - started < 2000);
    assert.deepEqual(await codes('SELECT {x:UInt8}'), [456, 'UNKNOWN_QUERY_PARAMETER']);
    assert.deepEqual(await codes(`SELECT '${'x'.repeat(70_000)}'`), [62, 'SYNTAX_ERROR']);
    assert.deepEqual(await codes(`SELECT ${'('.repeat(2000)}1${')'.repeat(2000)}`), [306, 'TOO_DEEP_RECURSION']);
  });

  test('rows, bytes, memory and time have limits', async () => {
    const code = async (sql: string) => {
      const got = await answer(sql);
      return got.kind === 'refused' ? got.code : got.kind;
    };
    assert.equal(await code('SELECT number FROM numbers(1000000)'), 396);
    assert.equal(await code("SELECT repeat('x', 1000000) FROM numbers(100)"), 396);
    assert.equal(await code('SELECT length(range(400000000))'), 241);
  });

  test('what a question had written before it failed is in no later answer, of a person or of a page', async () => {
    const small = await open('gait', { limits: { rows: 100_000 } });
    for (let i = 0; i < 30; i++) {
      const [failed, next] = await Promise.all([answer('SELECT number FROM numbers(1000000)'), text('SELECT 1')]);
      assert.deepEqual([failed.kind, next, await text('SELECT 2')], ['refused', '1\n', '2\n']);
      const [page, after] = await Promise.allSettled([
        small.query('SELECT number FROM numbers(1000000)'),
        small.query('SELECT 1 AS x'),
      ]);
      assert.equal(page.status, 'rejected');
      assert.deepEqual(after.status === 'fulfilled' && after.value, [{ x: 1 }]);
    }
  });

  test('a question ends when its time is over', async () => {
    const hasty = createAnalyst(await open('gait', { askLimits: { seconds: 1 } }));
    const got = await hasty({
      sql: 'SELECT sum(sipHash64(number)) FROM numbers(1000000000000)',
      parameters: {},
      format: undefined,
    });
    assert.equal(got.kind === 'refused' && got.code, 159);
  });

  test('beyond so many questions at once the next is refused, and those before are answered', async () => {
    const got = await Promise.all(Array.from({ length: 40 }, () => answer('SELECT count() FROM events')));
    const refused = got.filter(({ kind }) => kind === 'refused');
    assert.equal(refused.length, 8);
    assert.ok(refused.every((each) => each.kind === 'refused' && each.code === 202));
    assert.equal(await text('SELECT 1'), '1\n');
  });
});
