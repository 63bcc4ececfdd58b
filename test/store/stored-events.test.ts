import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeLine } from '../../src/identity/event-line.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { storedDays, storedEvents } from '../../src/store/stored-events.ts';
import { embeddedStores, writerOf } from './embedded-store.ts';
import { batchOf, epoch, scoreLine } from './score-lines-of.ts';

const dayMs = 86_400_000;
const firstDay = Math.floor(epoch / dayMs);

/** What stands in a line, without its place in the source, which the store does not keep. */
function withoutPosition(line: string): ResolvedEvent {
  return { ...decodeLine(line)!, position: null };
}

describe('stored events', { timeout: 60_000 }, () => {
  const { openMigrated } = embeddedStores();

  async function readAll(lines: readonly string[], eventsSample = 1): Promise<ResolvedEvent[]> {
    const store = await openMigrated(`stored_${lines.length}_${eventsSample * 10}`);
    await writerOf(store, eventsSample).scores(batchOf('gait.scores', [lines]));
    const all: ResolvedEvent[] = [];
    for await (const page of storedEvents(store, { first: firstDay, last: firstDay + 3 })) all.push(...page);
    assert.equal(
      (await storedDays(store, 10)).reduce((sum, { events }) => sum + events, 0),
      all.length,
    );
    return all;
  }

  test('come back as they went in, in order of time, whoever made them', async () => {
    const bare = { user_agent: undefined, status: undefined, sensitive: undefined, scopes: undefined, asn: 64500 };
    const others = {
      auth_time: 1_700_000_000,
      latitude: 12.5,
      client_cert_verified: false,
      claimed_identity: 'user:a:b',
    };
    const lines = Array.from({ length: 300 }, (_, i) => scoreLine(i, i % 3 === 0 ? bare : i % 3 === 1 ? others : {}));
    assert.deepEqual(await readAll(lines), lines.map(withoutPosition));
  });

  test('a row of a sample stands for as many events as were left out for it', async () => {
    const lines = Array.from({ length: 400 }, (_, i) => scoreLine(i));
    const read = await readAll(lines, 0.5);
    assert.ok(read.length > 120 && read.length < 280, String(read.length));
    assert.ok(read.every(({ event }) => event.sample_rate === 0.5));
  });

  test('days are listed from the newest, and only so many', async () => {
    const store = await openMigrated('stored_days');
    const lines = [0, 0, 1, 3].map((day, i) => scoreLine(i, { ts: epoch + day * dayMs + i }));
    await writerOf(store).scores(batchOf('gait.scores', [lines]));
    const days = [
      { day: firstDay + 3, events: 1 },
      { day: firstDay + 1, events: 1 },
    ];
    assert.deepEqual(await storedDays(store, 2), days);
  });
});
