import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import { CutTree } from '../../src/evaluate/peers/cut-tree.ts';
import { ecod } from '../../src/evaluate/peers/ecod.ts';
import { isolationForest } from '../../src/evaluate/peers/isolation-forest.ts';
import { LeakyBuckets } from '../../src/evaluate/peers/leaky-buckets.ts';
import { Peers } from '../../src/evaluate/peers/peers.ts';
import { randomCutForest } from '../../src/evaluate/peers/random-cut-forest.ts';
import { Windows, windowFeatures } from '../../src/evaluate/peers/window.ts';
import { zScore } from '../../src/evaluate/peers/z-score.ts';
import { eventOf, start } from './traffic.ts';

/** A cloud of 600 points in three dimensions, and every 50th of the later ones far outside it. */
function cloud(): { points: Float64Array[]; odd: Set<number> } {
  const random = seededRandom(7);
  const bell = () => random.next() + random.next() + random.next() - 1.5;
  const points = Array.from({ length: 600 }, () => Float64Array.of(bell(), bell(), bell()));
  const odd = new Set([...points.keys()].filter((i) => i >= 200 && i % 50 === 0));
  for (const i of odd) points[i] = Float64Array.of(4 + bell(), 4 + bell(), bell());
  return { points, odd };
}

for (const [name, score] of [
  ['isolation forest', isolationForest],
  ['ECOD', ecod],
  ['random cut forest', randomCutForest],
] as const) {
  test(`${name} ranks what lies outside the cloud above what lies in it, the same each time`, () => {
    const { points, odd } = cloud();
    const scores = score(points);
    const inside = [...scores.keys()].filter((i) => i >= 200 && !odd.has(i)).map((i) => scores[i]!);
    const highest = inside.sort((a, b) => b - a)[4]!;
    const found = [...odd].filter((i) => scores[i]! > highest).length;
    assert.ok(found >= odd.size - 1, `${found} of ${odd.size}`);
    assert.deepEqual(score(points), scores);
  });
}

test('the isolation forest gives ordinary points about one half, as its paper says', () => {
  const { points, odd } = cloud();
  const scores = [...isolationForest(points)].filter((_, i) => !odd.has(i));
  const mean = scores.reduce((a, b) => a + b, 0) / scores.length;
  assert.ok(mean > 0.35 && mean < 0.55, `${mean}`);
});

test('a cut tree from which points were removed scores as one that never held them', () => {
  const { points } = cloud();
  const meanOf = (removed: boolean): number => {
    let total = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const tree = new CutTree(seededRandom(seed));
      for (const point of points.slice(0, 60)) tree.insert(point);
      if (removed) for (const point of points.slice(100, 160)) tree.insert(point);
      if (removed) for (const point of points.slice(100, 160)) tree.remove(point);
      total += tree.score(Float64Array.of(3, 0, 0));
    }
    return total / 100;
  };
  assert.ok(Math.abs(meanOf(true) / meanOf(false) - 1) < 0.05);
});

test('equal points are held and removed as often as they came', () => {
  const tree = new CutTree(seededRandom(1));
  const point = () => Float64Array.of(1, 2);
  for (let i = 0; i < 3; i++) tree.insert(point());
  for (let i = 0; i < 3; i++) tree.remove(point());
  assert.equal(tree.score(point()), 0);
});

test('a window ends after 20 calls or an hour, and its score is known with its last call', () => {
  const windows = new Windows();
  const times = [...Array.from({ length: 21 }, (_, i) => start + i * 1000), start + 4_000_000, start + 8_000_000];
  for (const [i, ts] of times.entries()) windows.accept(eventOf(`e${i}`, 'alice', { ts }), i);
  const windowOf = windows.end();
  assert.deepEqual([...windowOf].slice(19), [0, 1, 2, 3]);
  assert.deepEqual(
    windows.closed.map(({ last }) => last),
    [19, 20, 21, 22],
  );
});

test('windows count what is in them, and what is new only of an identity that has a past', () => {
  const windows = new Windows();
  for (let i = 0; i < 40; i++) {
    const later = i >= 20;
    const request = { path: later ? `/p${i}` : '/p', status: later ? 404 : 200, method: later ? 'DELETE' : 'GET' };
    windows.accept(eventOf(`e${i}`, 'alice', { ts: start + i * 1000, ...request }), i);
  }
  windows.end();
  const [before, after] = windows.closed.map(({ features }) =>
    Object.fromEntries(windowFeatures.map((name, f) => [name, features[f]!])),
  );
  assert.equal(before!.new_routes, 0);
  assert.ok(Math.abs(Math.expm1(after!.new_routes!) - 20) < 1e-9);
  assert.equal(after!.share_4xx, 1);
  assert.equal(after!.share_writes, 1);
});

test('a z-score is against the identity itself once it has a past: what is ordinary for one is odd for another', () => {
  const window = (identity: string, value: number, last: number) => ({
    identity,
    last,
    features: Float64Array.of(value),
  });
  const random = seededRandom(3);
  const history = Array.from({ length: 400 }, (_, i) =>
    window(i % 2 ? 'busy' : 'calm', (i % 2 ? 8 : 1) + random.next(), i),
  );
  const scores = zScore([...history, window('busy', 8.5, 400), window('calm', 8.5, 401)]);
  assert.ok(scores[400]! < 2);
  assert.ok(scores[401]! > 1.5 * scores[400]!);
});

test('fixed thresholds: six failed log-ins at once are an alert, at the pace of the leak they never are', () => {
  const failures = (gapMs: number): number => {
    const buckets = new LeakyBuckets();
    const level = (i: number) => buckets.score(eventOf(`e${i}`, 'x', { ts: start + i * gapMs, status: 401 }));
    return Math.max(...Array.from({ length: 20 }, (_, i) => level(i)));
  };
  assert.ok(failures(100) > 1);
  assert.ok(failures(10_000) <= 1);
});

test('every peer gives every event a finite score, and the same stream the same scores', () => {
  const run = () => {
    const peers = new Peers();
    for (let i = 0; i < 3000; i++)
      peers.accept(eventOf(`e${i}`, `u${i % 7}`, { ts: start + i * 30_000, path: `/p${(i * i) % 5}` }), i);
    return peers.end();
  };
  const [first, second] = [run(), run()];
  assert.equal(first.length, 5);
  for (const { name, event } of first) {
    assert.equal(event.length, 3000, name);
    assert.ok(event.every(Number.isFinite), name);
  }
  assert.deepEqual(first, second);
});
