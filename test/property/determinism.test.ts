import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { families } from '../../src/baseline/row-layout.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import type { Model } from '../../src/score/model.ts';
import { shippedModel } from './shipped-model.ts';
import { claimsOf, Outputs, resolved, runAll, shardWith, start, steps, trafficOf } from './traffic.ts';

const settings = { numRuns: 30, endOnFailure: true } as const;

test('the generated traffic opens, raises and closes findings of most families and leads to decisions', () => {
  const seen = { findings: 0, closed: 0, decisions: 0 };
  const spoke = new Set<string>();
  for (const plan of fc.sample(steps, { numRuns: 20, seed: 7 })) {
    const { findings, decisions } = runAll(trafficOf(plan));
    for (const { reasons } of findings.values()) for (const { feature } of reasons) spoke.add(feature.split('.')[0]!);
    seen.findings += findings.size;
    seen.decisions += decisions.length;
    seen.closed += [...findings.values()].filter(({ state }) => state === 'closed').length;
  }
  assert.ok(seen.findings > 20 && seen.decisions > 5 && seen.closed > 3, JSON.stringify(seen));
  assert.ok(spoke.size >= families.length - 3, [...spoke].join());
});

for (const modelName of ['no model', 'the shipped model'] as const) {
  describe(`with ${modelName}`, () => {
    let model: Model | null = null;
    before(async () => {
      if (modelName === 'the shipped model') model = await shippedModel();
    });
    const fresh = () => shardWith({ model });

    test('the same records give the same verdicts, findings and decisions', () => {
      fc.assert(
        fc.property(steps, (plan) => {
          assert.deepEqual(runAll(trafficOf(plan), fresh()), runAll(trafficOf(plan), fresh()));
        }),
        settings,
      );
    });

    test('how often the output is drained changes no verdict, no decision and no finding in the end', () => {
      fc.assert(
        fc.property(steps, fc.integer({ min: 1, max: 7 }), (plan, every) => {
          const shard = fresh();
          const outputs = new Outputs();
          trafficOf(plan).forEach((event, i) => {
            shard.accept(event);
            if (i % every === 0) outputs.drain(shard);
          });
          shard.flush();
          outputs.drain(shard);
          assert.deepEqual(outputs, runAll(trafficOf(plan), fresh()));
        }),
        settings,
      );
    });
  });
}

test('shards of one process know nothing of each other', () => {
  fc.assert(
    fc.property(steps, steps, (plan, other) => {
      const [events, others] = [trafficOf(plan), trafficOf(other, (i) => `o${i}`)];
      const [shard, neighbour] = [shardWith({ reorderWindowMs: 0 }), shardWith({ reorderWindowMs: 0 })];
      events.forEach((event, i) => {
        shard.accept(event);
        // The very same objects too, of whose identities the neighbour knows something else.
        if (others[i] !== undefined) neighbour.accept(others[i]);
        neighbour.accept(event);
      });
      const outputs = new Outputs();
      shard.flush();
      outputs.drain(shard);
      assert.deepEqual(outputs, runAll(events, shardWith({ reorderWindowMs: 0 })));
    }),
    settings,
  );
});

test('events that come twice, at once or later, change nothing', () => {
  fc.assert(
    fc.property(steps, fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 300, maxLength: 300 }), (plan, later) => {
      const events = trafficOf(plan);
      const twice: (readonly [number, ResolvedEvent])[] = events.flatMap((event, i) => [
        [i, event] as const,
        [i + later[i % later.length]! + 0.5, event] as const,
      ]);
      twice.sort(([a], [b]) => a - b);
      const shard = shardWith();
      const actual = runAll(
        twice.map(([, event]) => event),
        shard,
      );
      assert.equal(shard.counters.duplicates, events.length);
      assert.deepEqual(actual, runAll(events));
    }),
    settings,
  );
});

test('late events are scored and learned, but never part of a finding', () => {
  fc.assert(
    fc.property(steps, (plan) => {
      const shard = shardWith();
      const { findings, verdicts } = runAll(trafficOf(plan), shard);
      let newest = 0;
      const late = new Set<string>();
      for (const { event_id, ts } of verdicts as { event_id: string; ts: number }[]) {
        if (ts < newest - 300_000) late.add(event_id);
        newest = Math.max(newest, ts);
      }
      assert.ok(late.size >= shard.counters.late);
      for (const { event_ids } of findings.values()) for (const id of event_ids) assert.ok(!late.has(id), id);
    }),
    settings,
  );
});

test('what our own decisions refused is passed on, but neither scored nor learned', () => {
  fc.assert(
    fc.property(steps, (plan) => {
      // Whether an event is late is said by whatever came before it, refused or not: here all come in their time.
      const events = trafficOf(plan.map((step) => ({ ...step, late: 0 })));
      const allowed = events.filter(({ event }) => !event.enforced);
      const all = runAll(events);
      // Refusals move time on and are counted; they leave no other trace.
      for (const verdict of all.verdicts) {
        if (allowed.some(({ event_id }) => event_id === verdict.event_id)) continue;
        assert.deepEqual([verdict.surprise, verdict.evidence, verdict.top], [0, 0, []]);
      }
      assert.equal(all.verdicts.length, events.length);
      assert.deepEqual(claimsOf(all), claimsOf(runAll(allowed)));
    }),
    settings,
  );
});

test('however many of our own refusals wait for one moment, all of them come out in their order', () => {
  const shard = shardWith();
  const ids = Array.from({ length: 1500 }, (_, i) => `r${i}`);
  for (const id of ids) shard.accept(resolved(id, 'alice', { ts: start, enforced: true }));
  shard.accept(resolved('last', 'alice', { ts: start }));
  shard.tick(start + 60_000);
  assert.deepEqual(
    shard.drain().verdicts.map((verdict) => verdict.resolved.event_id),
    [...ids, 'last'],
  );
});
