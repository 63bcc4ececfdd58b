import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Store } from '../../src/store/clickhouse.ts';
import { createProfileQueries, type IdentityFilter } from '../../src/store/queries-profile.ts';
import { embeddedStores, writerOf } from './embedded-store.ts';
import { batchOf, epoch, scoreLine } from './score-lines-of.ts';

const iso = (ms: number): string => new Date(ms).toISOString();
const hour = 3_600_000;

/** The shard's own fields come last in a line, so the risk is put in place. */
function call(seq: number, risk: number, fields: Readonly<Record<string, unknown>>): string {
  return scoreLine(seq, fields).replace('"risk":2', `"risk":${risk}`);
}

describe('identities and their profiles in the store', () => {
  const { openMigrated } = embeddedStores();
  const names = async (store: Store, filter: IdentityFilter) =>
    (await createProfileQueries(store, hour).identities(filter)).rows.map(({ identity }) => identity);

  test('identities are listed by risk as it has become, or by when they were seen, and pages show each once', async () => {
    const store = await openMigrated('listed');
    const lines = [
      call(1, 90, { identity: 'user:acme:ann', ts: epoch - 10 * hour }),
      call(2, 40, { identity: 'user:acme:bob', ts: epoch - hour }),
      call(3, 5, { identity: 'address:-:10.0.0.1', identity_kind: 'address', ts: epoch }),
      call(4, 5, { identity: "user:acme:o'hara%", ts: epoch }),
    ];
    await writerOf(store).scores(batchOf('scores', [lines]));
    const { rows } = await createProfileQueries(store, hour).identities({});
    assert.deepEqual(
      rows.map(({ identity, risk, risk_now }) => [identity, risk, risk_now]),
      [
        ['user:acme:bob', 40, 20],
        ["user:acme:o'hara%", 5, 5],
        ['address:-:10.0.0.1', 5, 5],
        ['user:acme:ann', 90, 0.1],
      ],
    );
    const bySeen = ["user:acme:o'hara%", 'address:-:10.0.0.1', 'user:acme:bob', 'user:acme:ann'];
    assert.deepEqual(await names(store, { sort: 'last_seen' }), bySeen);
    assert.deepEqual(await names(store, { q: 'HARA%' }), ["user:acme:o'hara%"]);
    assert.deepEqual(await names(store, { q: '%' }), ["user:acme:o'hara%"]);
    assert.deepEqual(await names(store, { kind: 'address' }), ['address:-:10.0.0.1']);
    assert.deepEqual(await names(store, { identity: 'user:acme:ann' }), ['user:acme:ann']);
    assert.deepEqual(await names(store, { since: epoch - 2 * hour, kind: 'user' }), [
      'user:acme:bob',
      "user:acme:o'hara%",
    ]);
    for (const sort of ['risk', 'last_seen']) {
      const seen: string[] = [];
      for (let cursor: string | undefined; ; ) {
        const page = await createProfileQueries(store, hour).identities({ sort, limit: 1, cursor });
        seen.push(...page.rows.map(({ identity }) => identity));
        cursor = page.next;
        if (cursor === undefined) break;
      }
      assert.deepEqual(seen, await names(store, { sort }), sort);
    }
  });

  test('a finding that was told without a call raises the risk at once, and the next call has the last word', async () => {
    const store = await openMigrated('told');
    const writer = writerOf(store);
    const { identities } = createProfileQueries(store, hour);
    const eve = { identity: 'user:acme:eve', ts: epoch };
    const about = { finding_id: 'fnd_1', kind: 'suspect_origin', identity: eve.identity, identity_kind: 'user' };
    const told = { ...about, tenant: 'acme', state: 'open', first_seen: epoch, last_seen: epoch, risk: 30, version: 1 };
    const tell = (change: object) => writer.findings(batchOf('findings', [[JSON.stringify({ ...told, ...change })]]));
    const risks = async () =>
      (await identities({ identity: eve.identity })).rows.map(({ risk, risk_now, risk_at, last_seen, events }) => [
        ...[risk, risk_now, Date.parse(risk_at) - epoch, Date.parse(last_seen) - epoch, events],
      ]);
    const others = call(2, 0, { identity: 'user:acme:ann', ts: epoch + 3 * hour });
    await writer.scores(batchOf('scores', [[call(1, 0, eve), others]]));
    // Of a call: the events have it.
    await tell({ version: 0, risk: 99 });
    await tell({ told_at: epoch + 2 * hour });
    assert.deepEqual(await risks(), [[30, 15, 2 * hour, 0, 1]]);
    await tell({ told_at: epoch + 2 * hour, state: 'closed', risk: 99, version: 2 });
    assert.deepEqual(await risks(), [[30, 15, 2 * hour, 0, 1]], 'its end tells nothing new');
    await writer.scores(batchOf('scores', [[call(3, 12, { ...eve, ts: epoch + 3 * hour })]], 2));
    assert.deepEqual(await risks(), [[12, 12, 3 * hour, 3 * hour, 2]]);
  });

  test('a profile has the hours, routes, sessions, programs and networks of one identity alone', async () => {
    const store = await openMigrated('profile');
    // Monday, 12:00 UTC.
    const mine = { identity: 'user:acme:ann', session_id: 's1', asn: 64500, country: 'DE' };
    const lines = [
      call(1, 10, { ...mine, ts: epoch }),
      call(2, 30, { ...mine, ts: epoch + 1000, status: 403 }),
      call(3, 20, {
        ...mine,
        ts: epoch + 25 * hour,
        session_id: 's2',
        route: '/x',
        user_agent: 'curl',
        asn: 0,
        client_ip: '10.9.9.9',
      }),
      call(4, 99, { identity: 'user:acme:bob', ts: epoch, session_id: 'other' }),
    ];
    await writerOf(store).scores(batchOf('scores', [lines]));
    const profile = await createProfileQueries(store, hour).profile('user:acme:ann');
    assert.deepEqual(
      profile.risk_series.map(({ risk, calls }) => [risk, calls]),
      [
        [30, 2],
        [20, 1],
      ],
    );
    assert.equal(profile.heat[0]![12], 2);
    assert.equal(profile.heat[1]![13], 1);
    assert.equal(
      profile.heat.flat().reduce((sum, calls) => sum + calls, 0),
      3,
    );
    assert.deepEqual([profile.active_days, profile.route_count], [2, 2]);
    assert.deepEqual(profile.sessions, [
      { value: 's1', calls: 2, first_seen: iso(epoch), last_seen: iso(epoch + 1000) },
      { value: 's2', calls: 1, first_seen: iso(epoch + 25 * hour), last_seen: iso(epoch + 25 * hour) },
    ]);
    assert.deepEqual(
      profile.networks.map(({ value }) => value),
      ['AS64500 DE', '10.9.9.9'],
    );
    assert.deepEqual(
      profile.clients.map(({ value, calls }) => [value.slice(0, 4), calls]),
      [
        ['Mozi', 2],
        ['curl', 1],
      ],
    );
    assert.deepEqual(profile.devices, []);
    assert.equal(
      profile.routes.reduce((sum, { errors }) => sum + errors, 0),
      1,
    );
  });

  test('a month of minutes is at most two hundred points', async () => {
    const store = await openMigrated('series');
    const lines = Array.from({ length: 900 }, (_, i) =>
      call(i + 1, i % 90, { identity: 'user:acme:ann', ts: epoch + i * 48 * 60_000 }),
    );
    await writerOf(store).scores(batchOf('scores', [lines]));
    const { risk_series } = await createProfileQueries(store, hour).profile('user:acme:ann');
    assert.ok(risk_series.length > 150 && risk_series.length <= 201, String(risk_series.length));
    assert.equal(
      risk_series.reduce((sum, { calls }) => sum + calls, 0),
      900,
    );
    assert.equal(Math.max(...risk_series.map(({ risk }) => risk)), 89);
  });
});
