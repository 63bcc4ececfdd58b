import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import { type Suppression, taughtBy } from '../../src/finding/suppression.ts';
import { ocsfIdOf, suppressionRow, type VerdictRow } from '../../src/finding/verdict.ts';
import { createFeedbackQueries } from '../../src/store/queries-feedback.ts';
import { createStoreWriter } from '../../src/store/writer.ts';
import { aFinding } from '../policy/a-finding.ts';
import { embeddedStores } from './embedded-store.ts';
import { attackStrings, batchOf, epoch, scoreLine } from './score-lines-of.ts';

const given: VerdictRow = {
  verdict_id: 'vdt_1',
  finding_id: 'f1',
  identity: 'user:acme:u1',
  kind: 'new_context',
  verdict: 'false-positive',
  ocsf_id: ocsfIdOf('false-positive'),
  by: 'desk',
  note: attackStrings[0]!,
  at: epoch,
  suppression_id: 'sup_1',
  closes: 1,
  state: 'given',
  version: epoch,
};
const past = { last_seen: epoch + 1000, first_seen: epoch, identity: 'user:acme:u1' };
const one = (value: unknown): string[] => [JSON.stringify(value)];

describe('what people said, in the store', () => {
  const { openMigrated } = embeddedStores();

  async function filled(database: string) {
    const store = await openMigrated(database);
    const writer = createStoreWriter({ store, clock: systemClock, stream: 'gait', eventsSample: 1, lingerMs: 0 });
    return { writer, queries: createFeedbackQueries(store) };
  }

  test('a verdict comes back in its newest version', async () => {
    const { writer, queries } = await filled('verdicts');
    const undone = { ...given, state: 'undone', version: epoch + 1 };
    await writer.verdicts(batchOf('verdicts', [given, { ...given, verdict_id: 'vdt_2' }, undone].map(one)));
    assert.deepEqual(await queries.verdict('vdt_2'), {
      ...given,
      verdict_id: 'vdt_2',
      at: new Date(epoch).toISOString(),
    });
    const { rows } = await queries.verdicts({ state: 'given' });
    assert.deepEqual(
      rows.map(({ verdict_id }) => verdict_id),
      ['vdt_2'],
    );
    assert.equal(await queries.verdict("x' OR '1'='1"), undefined);
  });

  test('suppressions in force are those neither lifted nor over, and findings tell how often each held', async () => {
    const { writer, queries } = await filled('suppressions');
    const said = {
      verdict_id: 'vdt_1',
      scope: 'route',
      route: '/a*',
      owner: 'desk',
      reason: attackStrings[1]!,
    } as const;
    const taught = taughtBy({ ...said, until: epoch + 1000 }, aFinding({ cause: { 'token.reuse': { nats: 3 } } }));
    const row = (change: Partial<Suppression>, state: 'active' | 'lifted' = 'active', made_at = epoch) =>
      suppressionRow({ ...taught, ...change }, { made_by: 'desk', made_at, state });
    const rows = [
      row({}),
      row({ suppression_id: 'sup_over', until: epoch - 1 }),
      row({ suppression_id: 'sup_lifted' }),
      row({ suppression_id: 'sup_lifted' }, 'lifted', epoch + 1),
    ];
    await writer.suppressions(batchOf('suppressions', rows.map(one)));
    const [held, ...others] = await queries.suppressions(epoch);
    assert.deepEqual(others, []);
    assert.deepEqual(
      { ...held, until: Date.parse(held!.until), made_at: Date.parse(held!.made_at) },
      JSON.parse(JSON.stringify(rows[0])),
    );
    const hidden = aFinding({ ...past, state: 'suppressed', suppressed_by: taught.suppression_id });
    await writer.findings(batchOf('findings', [hidden, { ...hidden, finding_id: 'f2' }, aFinding(past)].map(one)));
    assert.deepEqual(await queries.hits(), [
      { suppression_id: taught.suppression_id, hits: 1, last_hit: new Date(past.last_seen).toISOString() },
    ]);
  });

  test('looking back gives findings of 30 days of data, with their verdicts and where their examples came from', async () => {
    const { writer, queries } = await filled('past');
    const finding = aFinding({
      ...past,
      finding_id: 'f1',
      event_ids: ['e1', 'e8'],
      cause: { 'token.reuse': { nats: 3 } },
    });
    const old = aFinding({ finding_id: 'f0', first_seen: 0, last_seen: epoch - 31 * 86_400_000 });
    await writer.scores(batchOf('scores', [[scoreLine(1), scoreLine(8)]]));
    await writer.findings(batchOf('findings', [finding, old].map(one)));
    await writer.verdicts(batchOf('verdicts', [one(given)]));
    // A recording is as long ago as it was made.
    for (const now of [past.last_seen, epoch + 10 * 366 * 86_400_000]) {
      const [row, ...others] = await queries.past({ now, withCalls: true });
      assert.deepEqual(others, []);
      const { finding_id, verdict, cause, calls } = row!;
      assert.deepEqual(
        { finding_id, verdict, cause },
        { finding_id: 'f1', verdict: 'false-positive', cause: finding.cause },
      );
      assert.deepEqual(calls.map(({ route, clientIp }) => `${route} ${clientIp}`).sort(), [
        '/orders/{id} 10.0.0.1',
        '/orders/{id} 10.0.0.8',
      ]);
    }
    assert.deepEqual((await queries.past({ now: epoch + 5000, withCalls: false }))[0]!.calls, []);
  });
});
