import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import { createStoreWriter } from '../../src/store/writer.ts';
import { embeddedStores } from './embedded-store.ts';
import { batchOf, scoreLine } from './score-lines-of.ts';

const findingId = 'fnd_0123456789abcdef01234567';

describe('docs/analysts.md', () => {
  const { openMigrated } = embeddedStores();

  test('every query of the page runs and finds what it is about', async () => {
    const page = await readFile(join(import.meta.dirname, '../../../docs/analysts.md'), 'utf8');
    const queries = [...page.matchAll(/```sql\n(.*?)```/gs)].map((match) => match[1]!);
    assert.ok(queries.length >= 8);

    const store = await openMigrated('gait');
    const writer = createStoreWriter({ store, clock: systemClock, stream: 'gait', eventsSample: 1, lingerMs: 0 });
    const now = systemClock.now();
    const call = { ts: now - 60_000, object_ids: ['42'] };
    const lines = ['user:acme:alice', 'user:acme:bob'].map((identity, i) => scoreLine(i, { ...call, identity }));
    await writer.scores(batchOf('scores', [lines]));
    const one = (value: object) => [[JSON.stringify({ identity: 'user:acme:alice', severity: 'high', ...value })]];
    const times = { first_seen: now - 60_000, last_seen: now };
    const reasons = [
      { feature: 'rate_1m', observed: 9, expected: 1, level: 'self', sample_size: 40, share: 1, text: 'x' },
    ];
    await writer.findings(batchOf('f', one({ finding_id: findingId, state: 'open', ...times, reasons, version: 1 })));
    await writer.signals(batchOf('s', one({ decision_id: 'd', made_at: now, expires_at: now, version: 1 })));
    await writer.receipts(batchOf('r', one({ decision_id: 'd', target: 'idp', state: 'delivered', at: now })));
    await writer.deadLetters(batchOf('d', one({ id: 'dl', at: now, reason: 'invalid-json' })));

    for (const query of queries) assert.ok((await store.query(query)).length > 0, query);
  });
});
