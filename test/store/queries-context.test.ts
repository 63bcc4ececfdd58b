import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { emptyEvent } from '../../src/event/traffic-event.ts';
import { peerGroup } from '../../src/identity/peer-group.ts';
import type { IdentityKind } from '../../src/identity/resolved-event.ts';
import { createStoreQueries } from '../../src/store/queries.ts';
import { createContextQuery } from '../../src/store/queries-context.ts';
import { embeddedStores, writerOf } from './embedded-store.ts';
import { batchOf, epoch, scoreLine } from './score-lines-of.ts';

const records = (rows: readonly object[]) =>
  batchOf(
    'rows',
    rows.map((row) => [JSON.stringify(row)]),
  );
const reason = { feature: 'rate.calls', observed: 9, expected: 1, share: 1, peer_group: 'acme|human|-', text: 'x' };
const finding = (n: number, fields: object = {}) => ({
  finding_id: `fnd_${n}`,
  kind: 'rate_spike',
  identity: 'user:acme:ann',
  identity_kind: 'user',
  incident_id: 'inc_a',
  state: 'open',
  severity: 'high',
  first_seen: epoch,
  last_seen: epoch + n * 60_000,
  title: 't',
  reasons: [reason],
  event_ids: ['e5'],
  version: 1,
  ...fields,
});

describe('the context of a finding', () => {
  const { openMigrated } = embeddedStores();

  test('its calls are marked among the most surprising ones around it, and calls of others or of other days are not there', async () => {
    const store = await openMigrated('context');
    const writer = writerOf(store);
    const mine = (seq: number, fields: object = {}) => scoreLine(seq, { identity: 'user:acme:ann', ...fields });
    await writer.scores(
      batchOf('scores', [
        [
          mine(1),
          scoreLine(2, { identity: 'user:acme:bob' }),
          mine(3, { ts: epoch - 3_600_000 }),
          mine(5, { user_agent: '<b>curl</b>' }),
          mine(6, { ts: epoch + 86_400_000 }),
        ],
      ]),
    );
    const others = [
      finding(2, { identity: 'user:acme:bob' }),
      finding(3, { kind: 'off_hours' }),
      finding(4),
      finding(9, { identity: 'user:acme:bob' }),
    ];
    await writer.findings(records([finding(1), ...others]));
    const decision = { identity: 'user:acme:ann', action: 'notify', made_at: epoch, expires_at: epoch, version: 1 };
    await writer.signals(
      records([
        { decision_id: 'd1', finding_ids: ['fnd_1'], ...decision },
        { decision_id: 'd2', finding_ids: ['fnd_4'], ...decision },
      ]),
    );
    const one = (await createStoreQueries(store).finding('fnd_1'))!;
    const { events, similar, decisions, peers } = await createContextQuery(store)(one);
    assert.deepEqual(
      events.map(({ event_id, in_finding, user_agent }) => [event_id, in_finding, user_agent]),
      [
        ['e1', false, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36'],
        ['e5', true, '<b>curl</b>'],
      ],
    );
    assert.deepEqual(
      similar.map(({ finding_id }) => finding_id),
      ['fnd_4', 'fnd_9', 'fnd_2'],
    );
    assert.deepEqual(
      decisions.map(({ decision_id }) => decision_id),
      ['d1'],
    );
    assert.deepEqual(peers, { group: 'acme|human|-', size: 2 });
  });

  test('peer groups have the same names in the store as in the shards', async () => {
    const store = await openMigrated('peers');
    const cases: { readonly kind: IdentityKind; readonly fields: object }[] = [
      { kind: 'user', fields: {} },
      { kind: 'user', fields: { tenant: null, roles: ['b', 'a'] } },
      { kind: 'user', fields: { client_id: 'web|app', roles: null } },
      { kind: 'client', fields: { client_id: 'batch' } },
      { kind: 'api-key', fields: { client_id: 'batch' } },
      { kind: 'address', fields: {} },
      { kind: 'user', fields: { actor_kind: 'service', roles: ['x'.repeat(100)] } },
    ];
    const written = cases.map(({ kind, fields }, i) => ({
      identity: `${kind}:acme:${i}`,
      identity_kind: kind,
      ...fields,
    }));
    await writerOf(store).scores(batchOf('scores', [written.map((fields, i) => scoreLine(i + 1, fields))]));
    const rows = await store.query<{ name: string; n: number }>(
      `SELECT peer_group AS name, identities AS n FROM ${store.database}.peer_groups ORDER BY peer_group`,
    );
    const names = cases.map(({ kind, fields }) => peerGroup({ ...emptyEvent(), tenant: 'acme', ...fields }, kind));
    assert.deepEqual(
      rows.map(({ name }) => name),
      [...new Set(names)].sort(),
    );
  });
});
