import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import { findingKinds } from '../../src/core/words.ts';
import { kinds } from '../../src/finding/kinds.ts';
import { type Analyst, createAnalyst } from '../../src/store/analyst.ts';
import type { Store } from '../../src/store/clickhouse.ts';
import { documentedViews } from '../../src/store/views.ts';
import { embeddedStores, writerOf } from './embedded-store.ts';
import { batchOf, scoreLine } from './score-lines-of.ts';

const findingId = 'fnd_0123456789abcdef01234567';
const root = join(import.meta.dirname, '../../..');

/** A little of everything, newest now: what each query of the page is about. */
async function fill(store: Store): Promise<void> {
  const writer = writerOf(store);
  const now = systemClock.now();
  const call = { ts: now - 60_000, object_ids: ['42'], client_ip: '203.0.113.7', session_id: 's1' };
  const lines = ['user:acme:alice', 'user:acme:bob'].map((identity, i) => scoreLine(i, { ...call, identity }));
  await writer.scores(batchOf('scores', [lines]));
  const one = (value: object) => [
    [
      JSON.stringify({
        identity: 'user:acme:alice',
        identity_kind: 'user',
        severity: 'high',
        kind: 'rate_spike',
        ...value,
      }),
    ],
  ];
  const times = { first_seen: now - 60_000, last_seen: now };
  const reasons = [
    {
      feature: 'rate.calls_1m',
      observed: 9,
      expected: 1,
      low: 0,
      high: 3,
      level: 'self',
      sample_size: 40,
      share: 1,
      text: 'nine calls a minute instead of one',
    },
    {
      feature: 'context.country',
      observed: 'BR',
      expected: 'DE',
      level: 'peers',
      sample_size: 7,
      share: 0.5,
      text: 'from BR',
    },
  ];
  const finding = {
    finding_id: findingId,
    incident_id: 'inc_1',
    state: 'open',
    tenant: 'acme',
    confidence: 0.83,
    count: 2,
    surprise: 6.2,
    risk: 71.5,
    title: 'Too many calls',
    event_ids: ['e0'],
    attack: ['T1078.004', 'T1530'],
    ...times,
    reasons,
  };
  await writer.findings(batchOf('f', one({ ...finding, version: 1 })));
  await writer.signals(batchOf('s', one({ decision_id: 'd', made_at: now, expires_at: now, version: 1 })));
  await writer.receipts(batchOf('r', one({ decision_id: 'd', target: 'idp', state: 'delivered', at: now })));
  await writer.deadLetters(batchOf('d', one({ id: 'dl', at: now, reason: 'invalid-json' })));
  await store.command(`INSERT INTO ${store.database}.evidence_raw_v1 SELECT * FROM ${store.database}.events_raw_v1`);
}

describe('docs/analysts.md', () => {
  const { openMigrated } = embeddedStores();
  let store: Store;
  let ask: Analyst;
  let page: string;
  before(async () => {
    page = await readFile(join(root, 'docs/analysts.md'), 'utf8');
    store = await openMigrated('gait');
    await fill(store);
    ask = createAnalyst(store);
  });

  test('every query of the page passes the door for people and finds what it is about', async () => {
    const queries = [...page.matchAll(/```sql\n(.*?)```/gs)].map((match) => match[1]!);
    assert.ok(queries.length >= 20);
    for (const sql of queries) {
      const got = await ask({ sql, parameters: {}, format: 'JSONEachRow' });
      assert.equal(got.kind, 'answered', `${sql}\n${got.kind === 'refused' ? got.message : ''}`);
      assert.ok(got.kind === 'answered' && got.body.length > 0, `nothing found by\n${sql}`);
    }
  });

  test('the page tells of every view that can be asked, and of no other', () => {
    const table = page.slice(page.indexOf('## What is there'), page.indexOf('## Queries to start from'));
    const told = [...table.matchAll(/^\| `(\w+)` /gm)].map((match) => match[1]);
    assert.deepEqual(told.sort(), [...documentedViews].sort());
  });

  test('a finding as an OCSF Detection Finding has what the class requires, and values where OCSF wants them', async () => {
    const [record] = await store.query<Record<string, never>>(
      `SELECT * FROM gait.ocsf_findings WHERE metadata.uid = '${findingId}'`,
    );
    const ocsf = record as unknown as Record<string, unknown> & {
      readonly metadata: Record<string, unknown>;
      readonly finding_info: Record<string, unknown>;
      readonly evidences: readonly Record<string, unknown>[];
    };
    const {
      category_uid,
      class_uid,
      activity_id,
      type_uid,
      severity_id,
      status_id,
      confidence_score,
      risk_score,
      count,
    } = ocsf;
    assert.deepEqual(
      { category_uid, class_uid, activity_id, type_uid, severity_id, status_id, confidence_score, risk_score, count },
      {
        category_uid: 2,
        class_uid: 2004,
        activity_id: 2,
        type_uid: 200402,
        severity_id: 4,
        status_id: 1,
        confidence_score: 83,
        risk_score: 72,
        count: 2,
      },
    );
    assert.equal(typeof ocsf.time, 'number');
    assert.deepEqual(ocsf.metadata.product, { name: 'Gait', vendor_name: 'Gait' });
    assert.equal(ocsf.finding_info.uid, findingId);
    assert.deepEqual(ocsf.finding_info.attacks, [
      { technique: { uid: 'T1078', name: 'Valid Accounts' }, sub_technique: { uid: 'T1078.004' } },
      { technique: { uid: 'T1530', name: 'Data from Cloud Storage' }, sub_technique: { uid: '' } },
    ]);
    assert.deepEqual(ocsf.anomaly_analyses, [
      {
        analysis_targets: [{ name: 'user:acme:alice', type: 'user' }],
        anomalies: [
          {
            observation_parameter: 'rate.calls_1m',
            observation_type: 'rate',
            observations: [{ value: '9' }],
            observed_pattern: 'nine calls a minute instead of one',
          },
          {
            observation_parameter: 'context.country',
            observation_type: 'context',
            observations: [{ value: 'BR' }],
            observed_pattern: 'from BR',
          },
        ],
        baselines: [
          {
            observation_parameter: 'rate.calls_1m',
            observation_type: 'rate',
            observations: [{ value: '1', count: 40 }],
            observed_pattern: 'self',
          },
          {
            observation_parameter: 'context.country',
            observation_type: 'context',
            observations: [{ value: 'DE', count: 7 }],
            observed_pattern: 'peers',
          },
        ],
      },
    ]);
    assert.equal(ocsf.evidences.length, 1);
    assert.deepEqual(ocsf.evidences[0]?.api, { operation: 'POST /orders/{id}' });
    assert.deepEqual(ocsf.evidences[0]?.http_response, { code: 404 });
  });

  test('every technique that a finding may name has its name in OCSF', async () => {
    const techniques = [...new Set(findingKinds.flatMap((kind) => kinds[kind].attack))];
    const rows = techniques.map((id, i) =>
      JSON.stringify({
        finding_id: `fnd_t${i}`,
        identity: 'user:acme:t',
        severity: 'low',
        attack: [id],
        reasons: [],
        version: 1,
      }),
    );
    await writerOf(store).findings(batchOf('f', [rows]));
    const found = await store.query<{ uid: string; name: string }>(
      "SELECT technique.uid AS uid, technique.name AS name FROM gait.ocsf_findings ARRAY JOIN finding_info.attacks.technique AS technique WHERE resources[1].uid = 'user:acme:t'",
    );
    assert.equal(found.length, techniques.length);
    for (const { uid, name } of found) assert.notEqual(name, uid);
  });

  test('a finding and a call have the fields of the Elastic Common Schema', async () => {
    const [alert] = await store.query<{ event: Record<string, unknown>; user: object; threat: object }>(
      `SELECT * FROM gait.ecs_findings WHERE event.id = '${findingId}'`,
    );
    assert.deepEqual([alert?.event.kind, alert?.event.id, alert?.event.severity], ['alert', findingId, 73]);
    assert.deepEqual(alert?.threat, { framework: 'MITRE ATT&CK', technique: { id: ['T1078.004', 'T1530'] } });
    const [call] = await store.query<{ event: Record<string, unknown>; source: object; http: object }>(
      "SELECT * FROM gait.ecs_events WHERE user.id = 'user:acme:alice'",
    );
    assert.deepEqual([call?.event.outcome, call?.event.duration], ['failure', 12_500_000]);
    assert.deepEqual(call?.source, { ip: '203.0.113.7', as: { number: null }, geo: { country_iso_code: null } });
  });
});
