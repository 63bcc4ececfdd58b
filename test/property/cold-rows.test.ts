import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ColdRows } from '../../src/baseline/cold-rows.ts';
import { Outputs, runAll, shardWith, steps, trafficOf } from './traffic.ts';

function coldInMemory(): ColdRows {
  const rows = new Map<string, Buffer>();
  return {
    put: (high, low, row) => void rows.set(`${high}/${low}`, Buffer.from(row)),
    take: (high, low) => {
      const row = rows.get(`${high}/${low}`);
      rows.delete(`${high}/${low}`);
      return row;
    },
    all: () => rows.values(),
    clear: () => rows.clear(),
  };
}

/** Without findings, for no evidence has 60 decades: a day that ends while its identity is cold counts in the alert budget only when the identity returns. */
const findingsPer1000PerDay = 1e-57;
const tiny = () => shardWith({ identitiesMax: 2, cold: coldInMemory(), findingsPer1000PerDay });
const roomy = () => shardWith({ findingsPer1000PerDay });

/** What rests on the rows. */
function claims({ verdicts }: Outputs): readonly object[] {
  return verdicts.map(({ event_id, surprise, top }) => ({ event_id, surprise, top }));
}

test('an identity that was moved out for want of room comes back with all that was known of it', () => {
  fc.assert(
    fc.property(steps, (plan) => {
      const events = trafficOf(plan);
      const crowded = tiny();
      assert.deepEqual(claims(runAll(events, crowded)), claims(runAll(events, roomy())));
      assert.ok(new Set(events.map((event) => event.identity)).size <= 2 || crowded.held.evicted > 0);
    }),
    { numRuns: 60, endOnFailure: true },
  );
});

test('rows that were moved out survive a crash: a shard restored from its checkpoints goes on as if nothing had happened', () => {
  fc.assert(
    fc.property(
      steps,
      fc.array(fc.tuple(fc.nat({ max: 300 }), fc.boolean()), { minLength: 1, maxLength: 6 }),
      (plan, cuts) => {
        const events = trafficOf(plan);
        const outputs = new Outputs();
        let shard = tiny();
        let stored: Buffer[] = [];
        let position = 0;
        for (const [at, full] of [...cuts].sort(([a], [b]) => a - b)) {
          for (; position < Math.min(at, events.length); position++) shard.accept(events[position]!);
          outputs.drain(shard);
          const records = [...shard.checkpoint(full || stored.length === 0)].flat();
          stored = full ? records : [...stored, ...records];
          shard = tiny();
          shard.restore(stored);
          shard.restored();
        }
        for (; position < events.length; position++) shard.accept(events[position]!);
        shard.flush();
        outputs.drain(shard);
        assert.deepEqual(claims(outputs), claims(runAll(events, roomy())));
      },
    ),
    { numRuns: 60, endOnFailure: true },
  );
});
