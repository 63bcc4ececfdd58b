import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeStateRecord } from '../../src/baseline/snapshot.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import type { Shard, ShardOptions } from '../../src/pipeline.ts';
import { shippedModel } from './shipped-model.ts';
import { Outputs, runAll, shardWith, steps, trafficOf } from './traffic.ts';

/** After which event a checkpoint is written, whether in full, and whether the process then dies after some more events. */
const cut = fc.record({ at: fc.nat({ max: 300 }), full: fc.boolean(), crashAfter: fc.option(fc.nat({ max: 20 })) });
const cuts = fc.array(cut, { minLength: 1, maxLength: 12 }).map((all) => [...all].sort((a, b) => a.at - b.at));
type Cut = typeof cut extends fc.Arbitrary<infer T> ? T : never;

type Result = { readonly outputs: Outputs; readonly rows: readonly Buffer[] };

/** The rows of both tiers, as they stand in a full snapshot. */
function rowsOf(shard: Shard): Buffer[] {
  return [...shard.checkpoint(true)]
    .flat()
    .filter((record) => ['rows', 'active'].includes(decodeStateRecord(record).kind));
}

/**
 * What a role does: reads records, drains, checkpoints state with its position; and after a crash a new shard is built from the
 * records since the last full snapshot and reads on from the position. Outputs since the checkpoint are made again.
 */
function runWithCrashes(events: readonly ResolvedEvent[], plan: readonly Cut[], fresh: () => Shard): Result {
  let shard = fresh();
  let stored: Buffer[] = [];
  let committed = new Outputs();
  const copyOf = (outputs: Outputs): Outputs => {
    const copy = new Outputs();
    copy.verdicts.push(...outputs.verdicts);
    copy.decisions.push(...outputs.decisions);
    for (const [id, finding] of outputs.findings) copy.findings.set(id, finding);
    return copy;
  };
  let outputs = new Outputs();
  let position = 0;
  for (const { at, full, crashAfter } of plan) {
    if (at < position || at >= events.length) continue;
    for (; position < at; position++) shard.accept(events[position]!);
    outputs.drain(shard);
    const records = [...shard.checkpoint(full || stored.length === 0)].flat();
    stored = full ? records : [...stored, ...records];
    committed = copyOf(outputs);
    if (crashAfter === null) continue;
    // Whatever this shard still does is lost with it.
    for (const event of events.slice(position, position + crashAfter)) shard.accept(event);
    if (crashAfter % 2 === 0) shard.drain();
    shard = fresh();
    shard.restore(stored.map((record) => Buffer.from(record)));
    shard.restored();
    outputs = copyOf(committed);
  }
  for (; position < events.length; position++) shard.accept(events[position]!);
  shard.flush();
  outputs.drain(shard);
  return { outputs, rows: rowsOf(shard) };
}

function holds(options: () => Partial<ShardOptions>): void {
  fc.assert(
    fc.property(steps, cuts, (plan, crashes) => {
      const events = trafficOf(plan);
      const disturbed = runWithCrashes(events, crashes, () => shardWith(options()));
      const undisturbed = shardWith(options());
      assert.deepEqual(disturbed.outputs, runAll(events, undisturbed));
      assert.deepEqual(disturbed.rows, rowsOf(undisturbed), 'rows, bit for bit');
    }),
    { numRuns: 30, endOnFailure: true },
  );
}

test('a shard that dies and is restored from its checkpoints goes on as if nothing had happened', () => {
  holds(() => ({}));
});

test('so does one with many events waiting for their order', () => {
  holds(() => ({ reorderWindowMs: 60_000 }));
});

test('so does one that has to forget identities', () => {
  holds(() => ({ identitiesMax: 3 }));
});

test('so does one that has to forget what it knows of few active identities', () => {
  holds(() => ({ activeMax: 3 }));
});

test('so does one that remembers few event ids', () => {
  holds(() => ({ duplicateWindow: 10 }));
});

test('so does one with the shipped model', async () => {
  const model = await shippedModel();
  holds(() => ({ model }));
});

test('a restored shard drops what it had already taken, by position and by id', () => {
  const at = (offset: number, event: ResolvedEvent): ResolvedEvent => ({
    ...event,
    position: { topic: 't', partition: 0, offset, index: 0 },
  });
  const events = trafficOf(fc.sample(steps, { numRuns: 1, seed: 3 })[0]!);
  const first = shardWith();
  for (const [i, event] of events.entries()) first.accept(at(i, event));
  first.drain();
  const second = shardWith();
  second.restore([...first.checkpoint(true)].flat());
  second.restored();
  for (const [i, event] of events.entries()) second.accept(at(i, { ...event, event_id: `other${i}` }));
  assert.equal(second.counters.duplicates, events.length);
  for (const event of events) second.accept(event);
  assert.equal(second.counters.duplicates, 2 * events.length);
});
