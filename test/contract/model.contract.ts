import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import { featureCount } from '../../src/feature/registry.ts';
import { batchMax } from '../../src/score/batch.ts';
import type { Model } from '../../src/score/model.ts';

/** What the engine relies on, whatever stands behind the interface. */
export function describeModelContract(name: string, load: () => Promise<Model>): void {
  const random = seededRandom(7);
  const rows = batchMax + 40;
  const vectors = Float32Array.from({ length: rows * featureCount }, () => 12 * (random.next() - 0.5));

  test(`${name}: scoring leaves its input as it was`, async () => {
    const model = await load();
    const before = vectors.slice();
    model.score(vectors, rows);
    assert.deepEqual(vectors, before);
  });

  test(`${name}: one finite number of at least zero per row, as many as asked for`, async () => {
    const model = await load();
    for (const count of [0, 1, 31, 32, 33, batchMax, rows]) {
      const scores = model.score(vectors, count);
      assert.equal(scores.length, count);
      assert.ok(scores.every((score) => Number.isFinite(score) && score >= 0));
    }
  });

  test(`${name}: a deviation that is not a number, or endless, never makes a score that is`, async () => {
    const model = await load();
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3.4e38]) {
      assert.ok(model.score(new Float32Array(featureCount).fill(value), 1).every(Number.isFinite), String(value));
    }
    const mixed = vectors.slice(0, 2 * featureCount).fill(Number.NaN, 0, featureCount);
    assert.equal(model.score(mixed, 2)[1], model.score(vectors, 2)[1]);
  });

  test(`${name}: a row's score depends neither on its neighbours nor on the size of the batch`, async () => {
    const model = await load();
    const together = model.score(vectors, rows);
    for (let i = 0; i < rows; i += 29) {
      const alone = model.score(vectors.subarray(i * featureCount, (i + 1) * featureCount), 1);
      assert.equal(alone[0], together[i]);
    }
    const reversed = new Float32Array(vectors.length);
    for (let i = 0; i < rows; i++) {
      reversed.set(vectors.subarray(i * featureCount, (i + 1) * featureCount), (rows - 1 - i) * featureCount);
    }
    assert.deepEqual(model.score(reversed, rows).reverse(), together);
  });

  test(`${name}: loaded twice, asked twice, the same answer`, async () => {
    const model = await load();
    const first = model.score(vectors, rows);
    assert.deepEqual(model.score(vectors, rows), first);
    assert.deepEqual((await load()).score(vectors, rows), first);
  });
}
