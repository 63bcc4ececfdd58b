import assert from 'node:assert/strict';
import { test } from 'node:test';
import { context } from '../../src/feature/context.ts';
import { featureCount, featureNames } from '../../src/feature/registry.ts';
import { Batch, batchMax, type Entry } from '../../src/score/batch.ts';
import type { Model } from '../../src/score/model.ts';
import { Scorer } from '../../src/score/scorer.ts';
import { Bench, call, minute, monday } from '../feature/moment.ts';

function batchWith(model: Model | null = null) {
  const bench = new Bench(context);
  const batch = new Batch(new Scorer(), model);
  let seq = 0;
  const add = (fields: Parameters<typeof call>[0] = {}, late = false): number => {
    const resolved = call({ ts: monday + seq * minute, ...fields });
    const p = batch.add({ moment: bench.moment(resolved), resolved, seq: ++seq, late });
    bench.learn(resolved);
    return p;
  };
  const settle = (): Entry[] => {
    const entries: Entry[] = [];
    batch.settle(bench.slab, (entry) => entries.push({ ...entry, detectors: entry.detectors.slice() }));
    return entries;
  };
  return { batch, add, settle, pass: () => batch.pass(call(), ++seq) };
}

test('entries come out once, in the order in which they went in, those only passed on among them', () => {
  const { add, pass, settle } = batchWith();
  add();
  pass();
  add();
  assert.deepEqual(
    settle().map(({ seq, judged, surprise }) => [seq, judged, surprise >= 0]),
    [
      [1, true, true],
      [2, false, true],
      [3, true, true],
    ],
  );
  assert.deepEqual(settle(), []);
});

test('it says when it is full', () => {
  const { batch, add } = batchWith();
  for (let i = 0; i < batchMax; i++) {
    assert.equal(batch.full, false);
    add();
  }
  assert.equal(batch.full, true);
});

test('the model sees all deviations of a batch at once, in the order of the registry', () => {
  const seen: number[] = [];
  const model: Model = {
    name: 'm',
    weight: 1,
    backend: 'plain',
    score: (vectors, rows) => {
      seen.push(rows);
      assert.ok(vectors.length >= rows * featureCount);
      return new Float32Array(rows).fill(3);
    },
  };
  const { add, settle } = batchWith(model);
  for (let i = 0; i < 5; i++) add();
  settle();
  assert.deepEqual(seen, [5]);
});

test('an odd call carries words on what stood out, as it was before the call was learned', () => {
  const { add, settle } = batchWith();
  for (let i = 0; i < 300; i++) add({ client_ip: '10.0.0.1', user_agent: 'curl/8.5.0' });
  settle();
  add({ client_ip: '203.0.113.5', user_agent: 'Mozilla/5.0' });
  const entry = settle()[0]!;
  assert.ok(entry.surprise > 1, `${entry.surprise}`);
  assert.ok(
    entry.contributions.some(
      ({ feature, observed }) => feature === 'context.network' && /never used/.test(observed.text),
    ),
  );
  for (const name of entry.top) assert.ok(featureNames.includes(name));
  assert.ok(entry.contributions.length <= 3);
});

test('a late event is scored, and adds no evidence', () => {
  const { add, settle } = batchWith();
  for (let i = 0; i < 300; i++) add({ client_ip: '10.0.0.1' });
  const before = settle().at(-1)!.detectors[0];
  add({ client_ip: '203.0.113.5' }, true);
  const late = settle()[0]!;
  assert.ok(late.late && late.surprise > 0);
  add({ client_ip: '10.0.0.1' });
  assert.ok(settle()[0]!.detectors[0]! <= before! + 0.01);
});
