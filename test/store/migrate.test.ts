import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GaitError } from '../../src/core/errors.ts';
import { emptyEvent } from '../../src/event/traffic-event.ts';
import type { Finding } from '../../src/finding/finding.ts';
import type { DeadLetter } from '../../src/identity/dead-letter.ts';
import type { Decision, Receipt } from '../../src/policy/decision.ts';
import { createStoreCheck } from '../../src/role/store.ts';
import type { Store } from '../../src/store/clickhouse.ts';
import { applyMigrations, type Migration, readMigrations } from '../../src/store/migrate.ts';
import { embeddedStores, retention, writerOf } from './embedded-store.ts';
import { batchOf, scoreLines } from './score-lines-of.ts';

describe('migrations', () => {
  const { open, openMigrated } = embeddedStores();

  async function schema(store: Store): Promise<readonly unknown[]> {
    return store.query(
      'SELECT name, create_table_query FROM system.tables WHERE database = {db:String} ORDER BY name',
      {
        db: store.database,
      },
    );
  }

  test('a second run applies nothing and changes nothing', async () => {
    const store = await open('twice');
    const migrations = await readMigrations();
    const applied = await applyMigrations({ store, retention, migrations });
    assert.deepEqual(
      applied,
      migrations.map(({ name }) => name),
    );
    const before = await schema(store);
    assert.deepEqual(await applyMigrations({ store, retention, migrations }), []);
    assert.deepEqual(await schema(store), before);
  });

  test('a database that answers is ready only when its tables are those of this version', async () => {
    const store = await open('unready');
    const check = createStoreCheck(store);
    assert.equal((await check()).ok, false);
    const migrations = await readMigrations();
    await applyMigrations({ store, retention, migrations: migrations.slice(0, -1) });
    assert.deepEqual(await check(), {
      ok: false,
      detail: 'its tables are not up to date: gait migrate, or the role deliver',
    });
    await applyMigrations({ store, retention, migrations });
    assert.deepEqual(await check(), { ok: true, detail: 'answers' });
  });

  test('processes that start at once leave the same schema as one', async () => {
    const [first, second, alone] = await Promise.all([open('together'), open('together'), openMigrated('alone')]);
    const migrations = await readMigrations();
    await Promise.all([first, second].map((store) => applyMigrations({ store, retention, migrations })));
    const comparable = async (store: Store) =>
      JSON.parse(JSON.stringify(await schema(store)).replaceAll(store.database, 'db'));
    assert.deepEqual(await comparable(first), await comparable(alone));
  });

  test('a file that was changed after it had been applied is refused by name', async () => {
    const store = await openMigrated('tampered');
    const migrations = (await readMigrations()).map((migration, i) =>
      i === 2 ? { ...migration, sha256: '0'.repeat(64) } : migration,
    );
    await assert.rejects(applyMigrations({ store, retention, migrations }), (error) => {
      return error instanceof GaitError && error.code === 'MIGRATION_FAILED' && error.message.includes('0003_findings');
    });
  });

  test('a statement that fails names its file, and the file is not recorded as applied', async () => {
    const store = await openMigrated('broken');
    const bad: Migration = { name: '9999_bad.sql', sha256: 'x', statements: ['CREATE TABLE nonsense'] };
    for (let i = 0; i < 2; i++) {
      await assert.rejects(
        applyMigrations({ store, retention, migrations: [bad] }),
        (error) =>
          error instanceof GaitError && error.code === 'MIGRATION_FAILED' && error.message.includes('9999_bad'),
      );
    }
  });

  test('a changed retention reaches the tables that are there already', async () => {
    const store = await openMigrated('retained');
    const days = { ttlDays: 7, deadLetterTtlDays: 3 };
    await applyMigrations({ store, retention: days, migrations: await readMigrations() });
    const rows = await store.query<{ name: string; days: string }>(
      `SELECT name, extract(create_table_query, 'TTL stored_at \\\\+ toIntervalDay\\\\((\\\\d+)\\\\)') AS days FROM system.tables
       WHERE database = 'retained' AND days != '' ORDER BY name`,
    );
    assert.deepEqual(rows, [
      { name: 'dead_letters_per_minute_v1', days: '400' },
      { name: 'dead_letters_raw_v1', days: '3' },
      { name: 'events_raw_v1', days: '7' },
      { name: 'identities_per_hour_v1', days: '400' },
      { name: 'identities_per_minute_v1', days: '7' },
      { name: 'identity_routes_v1', days: '400' },
      { name: 'routes_per_hour_v1', days: '400' },
      { name: 'routes_per_minute_v1', days: '400' },
      { name: 'sources_per_minute_v1', days: '400' },
    ]);
  });

  test('numbers by hour and by route are also made of what was stored before, once, and go on with what comes', async () => {
    const store = await open('upgraded');
    const migrations = await readMigrations();
    const old = migrations.filter(({ name }) => name < '0020');
    await applyMigrations({ store, retention, migrations: old });
    await writerOf(store).scores(batchOf('scores', [scoreLines(1, 70)]));
    const newer = migrations.map((migration) =>
      // As after a crash before the file was noted as applied.
      migration.name < '0020'
        ? migration
        : { ...migration, statements: [...migration.statements, ...migration.statements] },
    );
    await applyMigrations({ store, retention, migrations: newer });
    const sums = () =>
      store.query(`SELECT (SELECT sum(events) FROM upgraded.events_per_hour) AS perHour, (SELECT sum(events) FROM upgraded.identities_per_hour) AS perIdentity,
        (SELECT sum(calls) FROM upgraded.identity_routes) AS perRoute`);
    assert.deepEqual(await sums(), [{ perHour: 70, perIdentity: 70, perRoute: 70 }]);
    await writerOf(store).scores(batchOf('scores', [scoreLines(71, 100)]));
    assert.deepEqual(await sums(), [{ perHour: 100, perIdentity: 100, perRoute: 100 }]);
  });

  test('a database or a retention that would be SQL is refused', async () => {
    await assert.rejects(open('gait; DROP DATABASE gait'), { code: 'CONFIG_INVALID' });
    const store = await open('retention');
    const days = { ttlDays: Number.NaN, deadLetterTtlDays: 1 };
    await assert.rejects(applyMigrations({ store, retention: days, migrations: await readMigrations() }), {
      code: 'CONFIG_INVALID',
    });
  });

  test('every statement may run twice, and every column of every table says what it means', async () => {
    for (const { name, statements } of await readMigrations()) {
      for (const statement of statements) {
        assert.match(
          statement,
          // Rows copied into a table that replaces repeats are there once, however often they are copied.
          /^(CREATE (TABLE|VIEW|MATERIALIZED VIEW) IF NOT EXISTS|CREATE OR REPLACE VIEW|INSERT INTO [{}\w.]+_raw_v2|INSERT INTO [{}\w.]+ SETTINGS insert_deduplication_token =|ALTER TABLE .* IF (NOT )?EXISTS) /,
          name,
        );
      }
    }
    const store = await openMigrated('commented');
    const silent = await store.query(
      `SELECT table, name FROM system.columns WHERE database = 'commented' AND comment = ''
       AND table IN (SELECT name FROM system.tables WHERE database = 'commented' AND engine LIKE '%MergeTree')`,
    );
    assert.deepEqual(silent, []);
  });

  test('the tables have exactly the columns that are written into them', async () => {
    const store = await openMigrated('columns');
    const columns = async (table: string): Promise<readonly string[]> => {
      const rows = await store.query<{ name: string }>(
        "SELECT name FROM system.columns WHERE database = 'columns' AND table = {table:String} ORDER BY name",
        { table },
      );
      return rows.map(({ name }) => name);
    };
    const resolved = ['identity', 'identity_kind', 'claimed_identity'];
    const scored = ['shard', 'seq', 'surprise', 'evidence', 'risk', 'top', 'findings'];
    const event = [...Object.keys(emptyEvent()), ...resolved, ...scored, 'sample_weight', 'stored_at'];
    assert.deepEqual(await columns('events_raw_v1'), event.sort());
    assert.deepEqual(await columns('findings_raw_v1'), [...Object.keys(finding), 'stored_at'].sort());
    assert.deepEqual(await columns('decisions_raw_v1'), [...Object.keys(decision), 'stored_at'].sort());
    assert.deepEqual(await columns('dead_letters_raw_v1'), [...Object.keys(deadLetter), 'stored_at'].sort());
    assert.deepEqual(await columns('receipts_raw_v2'), [...Object.keys(receipt), 'stored_at'].sort());
  });
});

// Keyed by type, so that a field added to a type fails here until the table has it.
const finding: Record<keyof Finding, true> = {
  finding_id: true,
  kind: true,
  identity: true,
  identity_kind: true,
  tenant: true,
  incident_id: true,
  state: true,
  severity: true,
  confidence: true,
  first_seen: true,
  last_seen: true,
  count: true,
  surprise: true,
  risk: true,
  told_at: true,
  title: true,
  reasons: true,
  cause: true,
  suppressed_by: true,
  event_ids: true,
  owasp: true,
  attack: true,
  shard: true,
  version: true,
};
const decision: Record<keyof Decision, true> = {
  decision_id: true,
  identity: true,
  identity_kind: true,
  tenant: true,
  action: true,
  ended: true,
  mode: true,
  rule: true,
  why: true,
  finding_ids: true,
  incident_id: true,
  risk: true,
  risk_level: true,
  session_id: true,
  made_at: true,
  expires_at: true,
  shard: true,
  version: true,
  change: true,
  scope: true,
  by: true,
  session_risk: true,
  token_id: true,
  client_ip: true,
  acr_values: true,
  max_age: true,
  issued_before: true,
  updated_at: true,
};
const deadLetter: Record<keyof DeadLetter, true> = {
  id: true,
  at: true,
  reason: true,
  cause: true,
  source: true,
  partition: true,
  offset: true,
  index: true,
  bytes: true,
  digest: true,
  sample: true,
};
const receipt: Record<keyof Receipt, true> = {
  decision_id: true,
  target: true,
  state: true,
  attempts: true,
  status: true,
  detail: true,
  at: true,
};
