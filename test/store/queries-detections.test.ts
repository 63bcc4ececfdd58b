import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import { createHealthQueries } from '../../src/store/queries-detections.ts';
import { embeddedStores, writerOf } from './embedded-store.ts';
import { batchOf, epoch, scoreLine } from './score-lines-of.ts';

const iso = (ms: number): string => new Date(ms).toISOString();
const records = (rows: readonly object[]) =>
  batchOf(
    'rows',
    rows.map((row) => [JSON.stringify(row)]),
  );

describe('detections and ingest in the store', () => {
  const { openMigrated } = embeddedStores();

  test('a kind counts its findings by state, and each by its newest verdict that was not taken back', async () => {
    const store = await openMigrated('detections');
    const finding = (n: number, fields: object) => ({
      finding_id: `f${n}`,
      kind: 'rate_spike',
      identity: `user:acme:${n % 2}`,
      severity: 'low',
      state: 'open',
      last_seen: epoch + n,
      version: 1,
      ...fields,
    });
    await writerOf(store).findings(
      records([
        finding(1, { severity: 'high' }),
        finding(2, { state: 'closed' }),
        finding(3, { state: 'suppressed' }),
        finding(4, { kind: 'off_hours' }),
      ]),
    );
    const verdict = (n: number, fields: object) => ({
      verdict_id: `v${n}`,
      at: epoch + n,
      state: 'given',
      version: 1,
      ...fields,
    });
    const verdicts = [
      verdict(1, { finding_id: 'f1', verdict: 'true-positive' }),
      verdict(2, { finding_id: 'f1', verdict: 'false-positive' }),
      verdict(3, { finding_id: 'f2', verdict: 'true-positive' }),
      verdict(4, { finding_id: 'f2', verdict: 'false-positive', state: 'undone' }),
      verdict(5, { finding_id: 'f4', verdict: 'benign' }),
    ];
    await store.insert('verdicts_raw_v1', Buffer.from(verdicts.map((row) => JSON.stringify(row)).join('\n')));
    assert.deepEqual(await createHealthQueries(store).detections(), [
      {
        kind: 'rate_spike',
        findings: 3,
        open: 1,
        suppressed: 1,
        identities: 2,
        severity_max: 'high',
        last_seen: iso(epoch + 3),
        true_positive: 1,
        false_positive: 1,
      },
      {
        kind: 'off_hours',
        findings: 1,
        open: 1,
        suppressed: 0,
        identities: 1,
        severity_max: 'low',
        last_seen: iso(epoch + 4),
        true_positive: 0,
        false_positive: 0,
      },
    ]);
  });

  test('what could not be read is counted by source and reason, runs of HTTP as one, with a masked sample of the last day', async () => {
    const store = await openMigrated('ingest');
    const writer = writerOf(store);
    const now = systemClock.now();
    const letter = (n: number, fields: object) => ({
      id: `dl_${n}`,
      at: now - 60_000 + n,
      reason: 'invalid-json',
      cause: `cause ${n}`,
      source: 'api-traffic',
      sample: `sample ${n}`,
      ...fields,
    });
    await writer.deadLetters(
      records([
        letter(1, { source: 'http:auto:0a1b' }),
        letter(2, { source: 'http:auto:2c3d' }),
        letter(3, { at: now - 2 * 86_400_000 }),
        letter(4, { at: now - 8 * 86_400_000, reason: 'too-deep' }),
      ]),
    );
    await writer.scores(batchOf('scores', [[scoreLine(1, { source: 'edge' })]]));
    const { sources, dead_letters } = await createHealthQueries(store).ingest(now);
    assert.deepEqual(
      sources.map(({ source, events }) => [source, events]),
      [['edge', 1]],
    );
    assert.deepEqual(
      dead_letters.map(({ last: _, ...row }) => row),
      [
        { source: 'http:auto', reason: 'invalid-json', count: 2, cause: 'cause 2', sample: 'sample 2' },
        { source: 'api-traffic', reason: 'invalid-json', count: 1, cause: '', sample: '' },
      ],
    );
  });
});
