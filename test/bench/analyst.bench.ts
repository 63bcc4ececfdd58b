import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store } from '../../src/store/clickhouse.ts';
import { applyMigrations, readMigrations } from '../../src/store/migrate.ts';
import { type Bench, type BenchOptions, median, type Row } from './measure.ts';
import { askPages } from './page-queries.ts';
import { copyRows, storeFortnight } from './stored-history.ts';

const root = join(import.meta.dirname, '../../..');
const runs = 3;
const goalMs = 1000;
/** Events and findings of a full run; a short one asks the fortnight as it was simulated. */
const full = { events: 10_000_000, findings: 50_000 };

/** The queries of docs/analysts.md over a store of ten million events. */
async function queryRows({ short }: BenchOptions): Promise<readonly Row[]> {
  // A store that was loaded before is taken as it is: loading ten million takes a quarter of an hour.
  const kept = process.env.GAIT_BENCH_STORE;
  const path = kept ?? (await mkdtemp(join(tmpdir(), 'gait-analyst-')));
  const store = await openStore({ path, limits: { seconds: 120, rows: 1_000_000 } });
  try {
    await applyMigrations({
      store,
      retention: { ttlDays: 365, deadLetterTtlDays: 365 },
      migrations: await readMigrations(),
    });
    const loaded = (await counted(store)).events > 0 ? [] : await load(store, short);
    return [...loaded, await sizeRow(store), ...(await askAll(store)), ...(await askPages(store))];
  } finally {
    await store.close();
    if (kept === undefined) await rm(path, { recursive: true, force: true });
  }
}

async function load(store: Store, short: boolean): Promise<readonly Row[]> {
  const once = await storeFortnight({ store, endMs: Date.now() });
  await store.command(`OPTIMIZE TABLE ${store.database}.events_raw_v1 FINAL`);
  const [size] = await store.query<{ bytes: number; raw: number; indexes: number }>(
    `SELECT sum(data_compressed_bytes) / sum(rows) AS bytes, sum(data_uncompressed_bytes) / sum(rows) AS raw, sum(secondary_indices_compressed_bytes) / sum(rows) AS indexes
     FROM system.parts WHERE active AND database = {db:String} AND table = 'events_raw_v1'`,
    { db: store.database },
  );
  if (!short)
    await copyRows(store, {
      events: Math.ceil(full.events / once.events),
      findings: Math.ceil(full.findings / once.findings),
    });
  const { bytes, raw, indexes } = size!;
  return [
    {
      what: 'one stored event',
      measured: `${bytes.toFixed(1)} bytes`,
      note: `${raw.toFixed(0)} bytes unpacked, indexes ${indexes.toFixed(2)}; simulated traffic before it is copied; 100 M are ${((bytes * 1e8) / 1e9).toFixed(1)} GB`,
    },
  ];
}

async function counted(
  store: Store,
): Promise<{ readonly events: number; readonly findings: number; readonly parts: number }> {
  const [row] = await store.query<{ events: number; findings: number; parts: number }>(
    `SELECT sumIf(rows, table = 'events_raw_v1') AS events, sumIf(rows, table = 'findings_raw_v1') AS findings, countIf(table = 'events_raw_v1') AS parts
     FROM system.parts WHERE active AND database = {db:String}`,
    { db: store.database },
  );
  return row!;
}

async function sizeRow(store: Store): Promise<Row> {
  const { events, findings, parts } = await counted(store);
  return {
    what: 'asked over',
    measured: `${(events / 1e6).toFixed(2)} M events, ${findings} findings`,
    note: `events in ${parts} parts`,
  };
}

async function askAll(store: Store): Promise<readonly Row[]> {
  const page = await readFile(join(root, 'docs/analysts.md'), 'utf8');
  const values = await valuesFor(store);
  const rows: Row[] = [];
  for (const [, title, text] of page.matchAll(/^\*\*(\d+\. [^*]+)\*\*[^\n]*\n\n```sql\n(.*?)```/gms)) {
    const sql = [...values].reduce((query, [placeholder, value]) => query.replaceAll(placeholder, value), text!);
    const wall: number[] = [];
    const cpu: number[] = [];
    let found = 0;
    for (let run = 0; run < runs; run++) {
      const used = process.cpuUsage();
      const start = performance.now();
      found = (await store.query(sql)).length;
      wall.push(performance.now() - start);
      const { user, system } = process.cpuUsage(used);
      cpu.push((user + system) / 1000);
    }
    const ms = median(wall);
    rows.push({
      what: title!,
      goal: `< ${goalMs} ms`,
      measured: `${ms.toFixed(0)} ms`,
      met: ms < goalMs,
      note: `${median(cpu).toFixed(0)} ms of CPU, ${found} rows; ${await readBy(store, sql)}`,
    });
  }
  return rows;
}

/** Who and what to ask about: busy ones, so that nothing is quick because there is nothing to find. */
async function valuesFor({ database: db, query }: Store): Promise<ReadonlyMap<string, string>> {
  const one = async (sql: string): Promise<string> =>
    String(Object.values((await query<Record<string, unknown>>(sql))[0] ?? { none: '' })[0]);
  const users = `SELECT identity FROM ${db}.identities WHERE identity_kind = 'user' ORDER BY events DESC, identity LIMIT 1`;
  return new Map([
    [
      'fnd_0123456789abcdef01234567',
      await one(
        `SELECT finding_id FROM ${db}.findings WHERE severity = 'high' AND shard < 30 ORDER BY count DESC LIMIT 1`,
      ),
    ],
    ['user:acme:alice', await one(users)],
    ['user:acme:bob', await one(`${users} OFFSET 1`)],
    [
      "'42'",
      `'${await one(`SELECT arrayJoin(object_ids) AS object FROM ${db}.events_raw_v1 WHERE match(object, '^\\\\d+$') LIMIT 1`)}'`,
    ],
    [
      '203.0.113.7',
      await one(`SELECT client_ip FROM ${db}.events_raw_v1 WHERE client_ip != '' AND status = 401 LIMIT 1`),
    ],
  ]);
}

/** As EXPLAIN says it: of the table that gives up most, how many granules of 8,192 rows are left to read. */
async function readBy(store: Store, sql: string): Promise<string> {
  const plan = await store.query<{ explain: string }>(`EXPLAIN indexes = 1 ${sql}`);
  const text = plan.map(({ explain }) => explain).join('\n');
  const reads = [...text.matchAll(/ReadFromMergeTree \(([\w.]+)\)([\s\S]*?)(?=ReadFromMergeTree|$)/g)].map(
    ([, table, about]) => {
      const granules = [...about!.matchAll(/Granules: (\d+)\/(\d+)/g)];
      const left = granules.at(-1)?.[1];
      return left === undefined ? `all of ${table}` : `${left}/${granules[0]![2]} granules of ${table}`;
    },
  );
  return reads.join(', ');
}

export const analyst: readonly Bench[] = [{ name: 'analyst', long: true, run: queryRows }];
