import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import type { Finding } from '../../src/finding/finding.ts';
import type { IdentityKey } from '../../src/identity/resolved-event.ts';
import type { Decision, Receipt } from '../../src/policy/decision.ts';
import { createStoreQueries, type FindingFilter, type FindingRow } from '../../src/store/queries.ts';
import { createStoreWriter } from '../../src/store/writer.ts';
import { embeddedStores } from './embedded-store.ts';
import { attackStrings, batchOf, epoch, scoreLines } from './score-lines-of.ts';

const iso = (ms: number): string => new Date(ms).toISOString();
const key = (text: string): IdentityKey => text as IdentityKey;

/** What is read back of what was written: times as text, no shard. */
function row({ shard: _, ...written }: Finding): FindingRow {
  return { ...written, first_seen: iso(written.first_seen), last_seen: iso(written.last_seen) };
}

function finding(i: number, change: Partial<Finding> = {}): Finding {
  return {
    finding_id: `f_${String(i).padStart(4, '0')}`,
    kind: 'rate_spike',
    identity: key('user:acme:u1'),
    identity_kind: 'user',
    tenant: 'acme',
    incident_id: 'i_1',
    state: 'open',
    suppressed_by: '',
    severity: 'high',
    confidence: 0.5,
    first_seen: epoch,
    last_seen: epoch + Math.floor(i / 3),
    count: i,
    surprise: 4.5,
    risk: 61,
    title: attackStrings[i % attackStrings.length]!,
    reasons: [
      {
        feature: 'rate_1m',
        observed: 9,
        expected: "it's 1",
        low: 0,
        high: null,
        share: 1,
        level: 'self',
        peer_group: 'acme|human|-',
        sample_size: 40,
        text: attackStrings[i % attackStrings.length]!,
      },
    ],
    cause: {},
    event_ids: ['e1', 'e"2'],
    owasp: ['API4:2023'],
    attack: ['T1078'],
    shard: 0,
    version: 1,
    ...change,
  };
}

const decision: Decision = {
  decision_id: 'd_1',
  identity: key('user:acme:u1'),
  identity_kind: 'user',
  tenant: 'acme',
  action: 'step-up',
  ended: null,
  mode: 'shadow',
  rule: 'high',
  why: 'because',
  finding_ids: ['f_0001'],
  incident_id: 'i_1',
  risk: 61,
  risk_level: 'HIGH',
  session_id: null,
  change: 'made',
  scope: 'identity',
  by: 'policy',
  session_risk: null,
  token_id: null,
  client_ip: null,
  acr_values: ['phr'],
  max_age: 0,
  issued_before: epoch,
  made_at: epoch,
  updated_at: epoch,
  expires_at: epoch + 60_000,
  shard: 0,
  version: 1,
};
const receipt: Receipt = {
  decision_id: 'd_1',
  target: 'idp',
  state: 'delivered',
  attempts: 1,
  status: null,
  detail: 'ok',
  at: epoch,
};

describe('store queries', () => {
  const { openMigrated } = embeddedStores();

  async function filled(database: string) {
    const store = await openMigrated(database);
    const writer = createStoreWriter({ store, clock: systemClock, stream: 'gait', eventsSample: 1, lingerMs: 0 });
    const one = (value: unknown) => [JSON.stringify(value)];
    return { writer, queries: createStoreQueries(store), one };
  }

  test('a finding comes back as it was written, and pages show each finding once, newest first', async () => {
    const { writer, queries, one } = await filled('pages');
    const written = Array.from({ length: 25 }, (_, i) => finding(i));
    await writer.findings(batchOf('findings', [...written, ...written].map(one)));
    assert.deepEqual(await queries.finding('f_0007'), row(written[7]!));
    assert.equal(await queries.finding("f' OR '1'='1"), undefined);
    const seen: FindingRow[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await queries.findings({ limit: 10, cursor });
      seen.push(...page.rows);
      cursor = page.next;
      if (cursor === undefined) break;
    }
    const newestFirst = written.toSorted((a, b) => b.last_seen - a.last_seen || (a.finding_id < b.finding_id ? 1 : -1));
    assert.deepEqual(seen, newestFirst.map(row));
  });

  test('each filter narrows the list, and a value that looks like SQL is only a value', async () => {
    const { writer, queries, one } = await filled('filters');
    const others = [
      finding(1, { kind: 'off_hours' }),
      finding(2, { severity: 'low' }),
      finding(3, { state: 'closed' }),
      finding(4, { identity: key(`user:acme:${attackStrings[0]}`) }),
      finding(30, { last_seen: epoch + 1000 }),
    ];
    await writer.findings(batchOf('findings', others.map(one)));
    const ids = async (filter: FindingFilter) =>
      (await queries.findings(filter)).rows.map(({ finding_id }) => finding_id);
    assert.deepEqual(await ids({ kind: 'off_hours' }), ['f_0001']);
    assert.deepEqual(await ids({ severity: 'low' }), ['f_0002']);
    assert.deepEqual(await ids({ state: 'closed' }), ['f_0003']);
    assert.deepEqual(await ids({ identity: key(`user:acme:${attackStrings[0]}`) }), ['f_0004']);
    assert.deepEqual(await ids({ identity: key('user:acme:u1'), kind: 'off_hours', severity: 'low' }), []);
    assert.deepEqual(await ids({ since: epoch + 1000 }), ['f_0030']);
    assert.equal((await queries.findings({ limit: 1e9, cursor: 'not one of ours' })).rows.length, 5);
  });

  test('each point of a decision has its steps beside each other, and of what was sent and of the effect the newest', async () => {
    const { writer, queries, one } = await filled('points');
    await writer.signals(batchOf('signals', [one(decision)]));
    const steps = [
      ['edge-1', 'seen', 1],
      ['edge-1', 'effective', 2],
      ['edge-1', 'ineffective', 3],
      ['edge-1', 'effective', 4],
      ['edge-1', 'acknowledged', 4],
      ['hook', 'delivered', 5],
      ['hook', 'rejected', 6],
      ['traffic', 'effective', 7],
      ['traffic', 'ineffective', 8],
    ] as const;
    const receipts = steps.map(([target, state, i]) => ({
      ...receipt,
      target,
      state,
      detail: `${state} ${i}`,
      at: epoch + i,
    }));
    await writer.receipts(batchOf('receipts', receipts.map(one)));
    const at = (i: number): string => iso(epoch + i);
    const nothing = { sent: '', sent_at: null, seen_at: null, acknowledged_at: null, effect: '', effect_at: null };
    assert.deepEqual((await queries.decision('d_1'))!.points, [
      {
        ...nothing,
        point: 'edge-1',
        seen_at: at(1),
        acknowledged_at: at(4),
        effect: 'effective',
        effect_at: at(4),
        detail: 'effective 4',
      },
      { ...nothing, point: 'hook', sent: 'rejected', sent_at: at(6), detail: 'rejected 6' },
      { ...nothing, point: 'traffic', effect: 'ineffective', effect_at: at(8), detail: 'ineffective 8' },
    ]);
  });

  test('decisions, receipts, identities, events and counters come back with times as ISO 8601', async () => {
    const { writer, queries, one } = await filled('rest');
    await writer.signals(
      batchOf('signals', [one({ ...decision, session_id: 's1' }), one({ ...decision, version: 2 })]),
    );
    await writer.receipts(batchOf('receipts', [one(receipt)]));
    await writer.findings(batchOf('findings', [one(finding(1))]));
    await writer.scores(batchOf('scores', [scoreLines(1, 70)]));
    const letter = { id: 'dl_1', at: epoch, reason: 'invalid-json', source: 'api-traffic', bytes: 10 };
    await writer.deadLetters(
      batchOf('dead', [one(letter), one(letter), one({ ...letter, id: 'dl_2', reason: 'too-deep' })]),
    );

    const { shard: _, ...made } = decision;
    const times = {
      issued_before: iso(decision.made_at),
      made_at: iso(decision.made_at),
      updated_at: iso(decision.updated_at),
      expires_at: iso(decision.expires_at),
    };
    const decisionRow = { ...made, ...times, ended: '', session_id: '', token_id: '', client_ip: '', version: 2 };
    assert.deepEqual(await queries.decisions({ action: 'step-up' }), { rows: [decisionRow], next: undefined });
    assert.deepEqual(await queries.decisions({ mode: 'enforce' }), { rows: [], next: undefined });
    const { decision_id: _id, ...delivered } = receipt;
    const receipts = [{ ...delivered, at: iso(receipt.at) }];
    const { points, ...told } = (await queries.decision('d_1'))!;
    assert.deepEqual(told, { ...decisionRow, receipts });
    const { target: point, state: sent, detail } = receipt;
    const untold = { seen_at: null, acknowledged_at: null, effect: '', effect_at: null };
    assert.deepEqual(points, [{ point, sent, sent_at: iso(receipt.at), ...untold, detail }]);
    assert.equal(await queries.decision('d_2'), undefined);
    const { recent, ...identity } = (await queries.identity('user:acme:u1', 3))!;
    assert.deepEqual(identity, {
      identity: 'user:acme:u1',
      identity_kind: 'user',
      tenant: 'acme',
      first_seen: iso(epoch + 250),
      last_seen: iso(epoch + 64 * 250),
      events: 10,
      errors: 1,
      surprise_max: 0.3,
      risk_max: 2,
      risk: 2,
      risk_at: iso(epoch + 16_000),
    });
    assert.equal(await queries.identity('user:acme:nobody'), undefined);
    assert.deepEqual(
      recent.map(({ ts, event_id }) => ({ ts, event_id })),
      [64, 57, 50].map((seq) => ({ ts: iso(epoch + seq * 250), event_id: `e${seq}` })),
    );
    assert.deepEqual(await queries.deadLetters(epoch), [
      { reason: 'invalid-json', records: 1, last: iso(epoch).replace('.000', '') },
      { reason: 'too-deep', records: 1, last: iso(epoch).replace('.000', '') },
    ]);
    assert.deepEqual(await queries.deadLetters(epoch + 60_000), []);
    const expected = { events: 70, identities: 7, findings: 1, open_findings: 1, decisions: 1, dead_letters: 2 };
    assert.deepEqual(await queries.counters(), expected);
  });
});
