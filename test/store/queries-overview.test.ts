import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createOverviewQuery } from '../../src/store/queries-overview.ts';
import { embeddedStores, writerOf } from './embedded-store.ts';
import { batchOf, epoch, scoreLine } from './score-lines-of.ts';

const iso = (ms: number): string => new Date(ms).toISOString();
const halfLife = 3_600_000;

describe('the overview', () => {
  const { openMigrated } = embeddedStores();

  test('an empty store has an overview of nothing', async () => {
    const overview = await createOverviewQuery(await openMigrated('nothing'), halfLife)();
    assert.equal(overview.identities, 0);
    assert.equal(overview.realised, 0);
    assert.equal(overview.risk.length, 10);
    assert.deepEqual(overview.series, []);
    assert.deepEqual(overview.open_incidents, { low: 0, medium: 0, high: 0, critical: 0 });
  });

  test('spans end at the newest event, risk has faded until then, and the budget counts active identities', async () => {
    const store = await openMigrated('overview');
    const writer = writerOf(store);
    const call = (seq: number, ts: number, fields: object = {}) =>
      scoreLine(seq, { identity: `user:acme:u${seq}`, ts, ...fields });
    const lines = [
      call(1, epoch, { source: 'legacy' }),
      call(2, epoch + 86_400_000 - 3_000_000),
      call(3, epoch + 86_400_000),
      call(4, epoch + 86_400_000, { status: 500 }),
      // Two days before the newest: neither active nor in the day's sources.
      call(5, epoch - 86_400_000, { source: 'old' }),
    ];
    // The shard's own fields come last in a line, so the risk is put in place.
    await writer.scores(
      batchOf('scores', [lines.map((line, i) => line.replace('"risk":2', `"risk":${[80, 0, 95, 100, 90][i]}`))]),
    );
    const findings = [
      { finding_id: 'f1', severity: 'high', state: 'open', first_seen: epoch + 86_000_000, incident_id: 'a' },
      { finding_id: 'f2', severity: 'high', state: 'closed', first_seen: epoch + 86_000_000, incident_id: 'b' },
      { finding_id: 'f3', severity: 'low', state: 'suppressed', first_seen: epoch + 86_000_000, incident_id: 'c' },
      { finding_id: 'f4', severity: 'critical', state: 'open', first_seen: epoch - 86_400_000, incident_id: 'a' },
    ];
    await writer.findings(
      batchOf(
        'f',
        findings.map((row) => [JSON.stringify({ ...row, version: 1 })]),
      ),
    );
    const receipts = ['delivered', 'seen', 'failed', 'effective', 'ineffective'].map((state, i) => ({
      decision_id: 'd',
      target: state === 'effective' ? 'traffic' : 'edge',
      state,
      at: epoch + i,
    }));
    await writer.receipts(
      batchOf(
        'r',
        receipts.map((row) => [JSON.stringify(row)]),
      ),
    );

    const overview = await createOverviewQuery(store, halfLife)();
    assert.equal(overview.events_total, 5);
    assert.equal(overview.identities, 5);
    // Two open findings, of which the worst is critical, are one incident.
    assert.deepEqual(overview.open_incidents, { low: 0, medium: 0, high: 0, critical: 1 });
    // Of 80 a day ago nothing is left after 24 halvings; 95 and 100 are of now.
    assert.deepEqual(
      overview.risk.map(({ identities }) => identities),
      [3, 0, 0, 0, 0, 0, 0, 0, 0, 2],
    );
    assert.equal(overview.realised, (2 * 1000) / 4);
    assert.deepEqual(overview.series, [
      { minute: iso(epoch + 86_400_000 - 3_000_000).replace('.000', ''), events: 1, errors: 0, surprising: 0 },
      { minute: iso(epoch + 86_400_000).replace('.000', ''), events: 2, errors: 1, surprising: 0 },
    ]);
    assert.deepEqual(overview.sources, [
      {
        source: 'gateway',
        events: 3,
        errors: 1,
        events_per_second: 0.007,
        last_seen: iso(epoch + 86_400_000),
      },
    ]);
    assert.deepEqual(overview.enforcement, [
      { target: 'edge', delivered: 1, failed: 1, ineffective: 1, seen_at: iso(epoch + 4) },
    ]);
  });
});
