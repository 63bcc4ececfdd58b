import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { median, rankByClass, roc } from '../../src/evaluate/ranking.ts';

const item = (score: number, attack: boolean, incident = '') => ({ score, attack, incident });

test('AUROC is the share of pairs in the right order, ties counted half', () => {
  const items = [item(3, true, 'a'), item(2, false), item(2, true, 'b'), item(1, false), item(0, true, 'c')];
  // Of 6 pairs: 3>2, 3>1, 2>1 are right, 2=2 is a tie, 0<2 and 0<1 are wrong.
  const { auroc, hits, incidents } = roc(items);
  assert.ok(Math.abs(auroc - 3.5 / 6) < 1e-12);
  assert.deepEqual(hits, [1 / 3, 1 / 3, 1 / 3]);
  assert.deepEqual(incidents, [1, 1, 1]);
});

test('average precision is the mean precision at each attack; tied scores share the precision of their whole run', () => {
  // Attacks stand at ranks 1, 2 and 4: (1/1 + 2/2 + 3/4) / 3.
  const apart = roc([item(9, true), item(8, true), item(7, false), item(6, true), item(5, false)]);
  assert.ok(Math.abs(apart.averagePrecision - (1 + 1 + 3 / 4) / 3) < 1e-12);
  const tied = roc([item(1, true), item(1, false), item(1, false), item(1, false)]);
  assert.equal(tied.averagePrecision, 0.25);
});

test('a hit rate counts only what stands above the threshold of its false-positive rate', () => {
  const ordinary = Array.from({ length: 100 }, (_, i) => item(i, false));
  const { hits } = roc([...ordinary, item(98.5, true, 'a'), item(94.5, true, 'b'), item(50.5, true, 'c')]);
  assert.deepEqual(hits, [0, 1 / 3, 2 / 3]);
});

test('classes are each ranked against the ordinary alone, whatever else is attacked', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: -1, max: 2 })), { minLength: 1 }),
      (pairs) => {
        const scores = Float64Array.from(pairs, ([score]) => score);
        const classOf = Int32Array.from(pairs, ([, each]) => each);
        const results = rankByClass(scores, classOf, 2);
        for (const k of [1, 2]) {
          const ordinary = pairs.flatMap(([score, each]) => (each === 0 ? [score] : []));
          const attacks = pairs.flatMap(([score, each]) => (each === k ? [score] : []));
          if (ordinary.length === 0 || attacks.length === 0) continue;
          const won = attacks.flatMap((a) => ordinary.map((o): number => (a > o ? 1 : a === o ? 0.5 : 0)));
          const share = won.reduce((sum, each) => sum + each, 0) / won.length;
          assert.ok(Math.abs(results[k]!.auroc - share) < 1e-9);
        }
      },
    ),
  );
});

test('the median of an even number is the middle of the two; of none it is not a number', () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.ok(Number.isNaN(median([])));
});
