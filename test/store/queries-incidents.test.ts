import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Store } from '../../src/store/clickhouse.ts';
import { createIncidentQueries, type IncidentFilter } from '../../src/store/queries-incidents.ts';
import { embeddedStores, writerOf } from './embedded-store.ts';
import { batchOf, epoch, scoreLine } from './score-lines-of.ts';

const iso = (ms: number): string => new Date(ms).toISOString();
const records = (rows: readonly object[]) =>
  batchOf(
    'rows',
    rows.map((row) => [JSON.stringify(row)]),
  );

/** The first of three incidents is of two identities. */
const findings = [
  { n: 1, identity: 'user:acme:ann', kind: 'rate_spike', severity: 'medium', incident_id: 'inc_a' },
  { n: 2, identity: 'user:acme:bob', kind: 'token_replay', severity: 'critical', incident_id: 'inc_a' },
  { n: 3, identity: 'user:acme:ann', kind: 'off_hours', severity: 'low', incident_id: 'inc_b', state: 'closed' },
  { n: 4, identity: "user:acme:o'hara%", kind: 'off_hours', severity: 'low', incident_id: 'inc_c' },
].map(({ n, ...fields }) => ({
  finding_id: `fnd_${n}`,
  identity_kind: 'user',
  tenant: 'acme',
  state: 'open',
  confidence: 0.5,
  first_seen: epoch + n * 1000,
  last_seen: epoch + n * 60_000,
  count: n,
  surprise: 4,
  risk: n * 10,
  title: `Title ${n}`,
  reasons: [],
  event_ids: [`e${n}`],
  version: 1,
  ...fields,
}));
const note = (n: number, action: string, detail: object) => ({
  audit_id: `aud_${n}`,
  at: epoch + n,
  who: 'carla',
  from: '127.0.0.1',
  action: `case.${action}`,
  about: 'inc_a',
  detail: JSON.stringify(detail),
});
const decision = {
  decision_id: 'dec_1',
  identity: 'user:acme:bob',
  action: 'step-up',
  mode: 'shadow',
  incident_id: 'inc_a',
  made_at: epoch + 3000,
  expires_at: epoch + 9000,
  version: 1,
};

describe('incidents in the store', () => {
  const { openMigrated } = embeddedStores();

  async function filled(database: string) {
    const store = await openMigrated(database);
    const writer = writerOf(store);
    await writer.findings(records(findings));
    return { store, writer, queries: createIncidentQueries(store) };
  }
  const ids = async (store: Store, filter: IncidentFilter = {}) =>
    (await createIncidentQueries(store).incidents(filter)).rows.map(({ incident_id }) => incident_id);

  test('findings of one incident are one row: its identities, its worst severity, the title of its worst open finding', async () => {
    const { writer, queries } = await filled('rows');
    await writer.findings(records([{ ...findings[0]!, version: 2, count: 9 }]));
    await writer.signals(records([decision]));
    const { rows } = await queries.incidents({});
    assert.deepEqual(
      rows.map(({ incident_id }) => incident_id),
      ['inc_c', 'inc_b', 'inc_a'],
    );
    assert.deepEqual(rows[2], {
      incident_id: 'inc_a',
      state: 'open',
      severity: 'critical',
      title: 'Title 2',
      tenant: 'acme',
      identities: ['user:acme:ann', 'user:acme:bob'],
      identity_count: 2,
      kinds: ['rate_spike', 'token_replay'],
      finding_count: 2,
      open_count: 2,
      first_seen: iso(epoch + 1000),
      last_seen: iso(epoch + 120_000),
      risk: 20,
      assignee: '',
      actions: ['step-up'],
      verdict: '',
    });
    assert.equal(rows[1]!.state, 'closed');
  });

  test('each filter narrows the list by any of the findings, and what looks like SQL or a pattern is only a value', async () => {
    const { store } = await filled('filters');
    assert.deepEqual(await ids(store, { kind: 'rate_spike' }), ['inc_a']);
    assert.deepEqual(await ids(store, { identity: 'user:acme:ann' }), ['inc_b', 'inc_a']);
    assert.deepEqual(await ids(store, { severity: 'critical' }), ['inc_a']);
    assert.deepEqual(await ids(store, { state: 'open' }), ['inc_c', 'inc_a']);
    assert.deepEqual(await ids(store, { q: 'BOB' }), ['inc_a']);
    assert.deepEqual(await ids(store, { q: 'inc_b' }), ['inc_b']);
    assert.deepEqual(await ids(store, { q: "O'HARA%" }), ['inc_c']);
    assert.deepEqual(await ids(store, { q: '%' }), ['inc_c']);
    assert.deepEqual(await ids(store, { q: "') OR 1=1 --" }), []);
    assert.deepEqual(await ids(store, { since: epoch + 200_000 }), ['inc_c']);
    assert.deepEqual(await ids(store, { assignee: 'carla' }), []);
  });

  test('pages show each incident once', async () => {
    const { queries } = await filled('pages');
    const seen: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await queries.incidents({ limit: 1, cursor });
      seen.push(...page.rows.map(({ incident_id }) => incident_id));
      cursor = page.next;
      if (cursor === undefined) break;
    }
    assert.deepEqual(seen, ['inc_c', 'inc_b', 'inc_a']);
  });

  test('a person closes an incident, another finding opens it again, and what was said is told in order', async () => {
    const { store, writer, queries } = await filled('notes');
    await writer.audit(
      records([
        note(1, 'assign', { text: 'dan' }),
        note(2, 'comment', { text: 'looks <b>odd</b>' }),
        note(3, 'close', { text: 'a test', findings: 2 }),
      ]),
    );
    assert.deepEqual(await ids(store, { state: 'open' }), ['inc_c']);
    assert.deepEqual(await ids(store, { assignee: 'dan', state: 'closed' }), ['inc_a']);
    await writer.findings(records([{ ...findings[0]!, finding_id: 'fnd_9' }]));
    assert.deepEqual(await ids(store, { assignee: 'dan', state: 'open' }), ['inc_a']);
    await writer.audit(
      records([note(4, 'close', { text: 'again', findings: 3 }), note(5, 'reopen', { text: 'wrong' })]),
    );
    assert.deepEqual(await ids(store, { assignee: 'dan', state: 'open' }), ['inc_a']);
    const { notes } = (await queries.incident('inc_a'))!;
    assert.deepEqual(
      notes.map(({ at, who, kind, text }) => [at, who, kind, text]),
      [
        [iso(epoch + 1), 'carla', 'assign', 'dan'],
        [iso(epoch + 2), 'carla', 'comment', 'looks <b>odd</b>'],
        [iso(epoch + 3), 'carla', 'close', 'a test'],
        [iso(epoch + 4), 'carla', 'close', 'again'],
        [iso(epoch + 5), 'carla', 'reopen', 'wrong'],
      ],
    );
  });

  test('one incident comes with its findings, decisions, receipts and the calls that its findings name', async () => {
    const { store, writer, queries } = await filled('whole');
    await writer.signals(records([decision, { ...decision, decision_id: 'dec_2', incident_id: 'inc_b' }]));
    const receipt = {
      decision_id: 'dec_1',
      target: 'edge',
      state: 'seen',
      attempts: 1,
      detail: 'ok',
      at: epoch + 4000,
    };
    await writer.receipts(records([receipt]));
    const verdict = {
      verdict_id: 'v1',
      finding_id: 'fnd_2',
      verdict: 'true-positive',
      by: 'carla',
      note: 'yes',
      at: epoch,
    };
    const undone = { ...verdict, verdict_id: 'v2', at: epoch + 1, verdict: 'benign', state: 'undone', version: 2 };
    const rows = [{ ...verdict, state: 'given', version: 1 }, undone].map((row) => JSON.stringify(row));
    await store.insert('verdicts_raw_v1', Buffer.from(rows.join('\n')));
    const lines = [
      scoreLine(1, { identity: 'user:acme:ann', ts: epoch + 1000 }),
      scoreLine(2, { identity: 'user:acme:bob', ts: epoch + 2000 }),
      scoreLine(3, { identity: 'user:acme:bob', ts: epoch + 3000 }),
    ];
    await writer.scores(batchOf('scores', [lines]));
    const parts = (await queries.incident('inc_a'))!;
    assert.deepEqual(
      parts.findings.map(({ finding_id, reasons }) => [finding_id, reasons]),
      [
        ['fnd_2', []],
        ['fnd_1', []],
      ],
    );
    assert.deepEqual(
      parts.decisions.map(({ decision_id }) => decision_id),
      ['dec_1'],
    );
    assert.deepEqual(
      parts.receipts.map(({ decision_id, target, state }) => [decision_id, target, state]),
      [['dec_1', 'edge', 'seen']],
    );
    assert.deepEqual(
      parts.events.map(({ event_id, identity }) => [event_id, identity]),
      [
        ['e1', 'user:acme:ann'],
        ['e2', 'user:acme:bob'],
      ],
    );
    assert.deepEqual(
      parts.verdicts.map(({ verdict, state }) => [verdict, state]),
      [
        ['true-positive', 'given'],
        ['benign', 'undone'],
      ],
    );
    assert.equal((await queries.incidents({ q: 'inc_a' })).rows[0]!.verdict, 'true-positive');
    assert.equal(await queries.incident("inc_a' OR '1'='1"), undefined);
  });
});
