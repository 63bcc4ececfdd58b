import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runEvidence } from '../../src/role/evidence.ts';
import { copyEvidence, lastCopied } from '../../src/store/evidence.ts';
import { createStoreQueries } from '../../src/store/queries.ts';
import { createContextQuery } from '../../src/store/queries-context.ts';
import { createIncidentQueries } from '../../src/store/queries-incidents.ts';
import { embeddedStores, writerOf } from '../store/embedded-store.ts';
import { attackStrings, batchOf, epoch, scoreLine } from '../store/score-lines-of.ts';

const records = (rows: readonly object[]) =>
  batchOf(
    'rows',
    rows.map((row) => [JSON.stringify(row)]),
  );
const ann = 'user:acme:ann';
const finding = {
  finding_id: 'fnd_1',
  kind: 'rate_spike',
  identity: ann,
  incident_id: 'inc_1',
  severity: 'high',
  state: 'open',
  first_seen: epoch,
  last_seen: epoch + 10_000,
  reasons: [],
  event_ids: ['e1', 'e2'],
  version: 1,
};

describe('evidence', () => {
  const { openMigrated } = embeddedStores();

  async function filled(database: string) {
    const store = await openMigrated(database);
    const writer = writerOf(store);
    const nasty = { user_agent: attackStrings[0], path: attackStrings[3], object_ids: [attackStrings[1]] };
    const lines = [
      scoreLine(1, { identity: ann, ...nasty }),
      scoreLine(2, { identity: ann }),
      scoreLine(3, { identity: ann }),
      scoreLine(1, { identity: 'user:acme:bob' }),
    ];
    return { store, writer, storeEvents: () => writer.scores(batchOf('scores', [lines])) };
  }
  const evidence = (store: Awaited<ReturnType<typeof openMigrated>>) =>
    store.query<Record<string, unknown>>(`SELECT * EXCEPT stored_at FROM ${store.database}.evidence ORDER BY seq`);

  test('the examples of a finding are copied whole and once, and no other event is', async () => {
    const { store, writer, storeEvents } = await filled('copied');
    await storeEvents();
    await writer.findings(records([finding, { ...finding, version: 2 }]));
    assert.equal((await copyEvidence(store, 0)).findings, 1);
    await copyEvidence(store, 0);
    const events = await store.query(
      `SELECT * EXCEPT stored_at FROM ${store.database}.events WHERE identity = {ann:String} AND event_id IN ('e1', 'e2') ORDER BY seq`,
      { ann },
    );
    assert.deepEqual(await evidence(store), events);
    const [{ raw }] = (await store.query<{ raw: number }>(
      `SELECT count() AS raw FROM ${store.database}.evidence_raw_v1`,
    )) as [{ raw: number }];
    assert.equal(raw, 2);
    assert.ok((await lastCopied(store)) > 0);
  });

  test('incidents and contexts show the calls after the events themselves are gone, each once before that', async () => {
    const { store, writer, storeEvents } = await filled('kept');
    await storeEvents();
    await writer.findings(records([finding]));
    await copyEvidence(store, 0);
    const look = async () => {
      const row = (await createStoreQueries(store).finding('fnd_1'))!;
      const context = await createContextQuery(store)(row);
      const whole = (await createIncidentQueries(store).incident('inc_1'))!;
      return [context.events.map(({ event_id }) => event_id), whole.events.map(({ event_id }) => event_id)];
    };
    assert.deepEqual(await look(), [
      ['e1', 'e2', 'e3'],
      ['e1', 'e2'],
    ]);
    await store.command(`TRUNCATE TABLE ${store.database}.events_raw_v1`);
    assert.deepEqual(await look(), [
      ['e1', 'e2'],
      ['e1', 'e2'],
    ]);
  });

  test('a finding that is stored before its events gets them when they come', async () => {
    const { store, writer, storeEvents } = await filled('late');
    const stop = new AbortController();
    const trouble: string[] = [];
    const running = runEvidence({ store, onTrouble: (reason) => trouble.push(reason), everyMs: 20 }, stop.signal);
    await writer.findings(records([finding]));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await storeEvents();
    while ((await evidence(store)).length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    stop.abort();
    await running.close();
    assert.deepEqual(trouble, []);
  });
});
