import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RowPacker, unpackRows } from '../../src/baseline/packed-rows.ts';

const word = fc.oneof(
  { arbitrary: fc.constant(0), weight: 4 },
  { arbitrary: fc.integer({ min: 0, max: 0xffffffff }), weight: 1 },
);
const slabs = fc.integer({ min: 1, max: 100 }).chain((words) =>
  fc.record({
    words: fc.constant(words),
    rows: fc.array(fc.array(word, { minLength: words, maxLength: words }), { maxLength: 20 }),
  }),
);

test('rows come back word for word under their indices, wherever the bytes begin', () => {
  fc.assert(
    fc.property(slabs, fc.integer({ min: 1, max: 7 }), ({ words, rows }, rowsPerPart) => {
      const slab = Uint32Array.from(rows.flat());
      const packer = new RowPacker(words, rowsPerPart);
      rows.forEach((_, index) => {
        packer.add(slab, index);
      });
      const parts = packer.take();
      assert.equal(parts.length, Math.ceil(rows.length / rowsPerPart));
      const back = parts
        .map((part) => Buffer.concat([Buffer.from([1]), part]).subarray(1))
        .flatMap((part) => all(part, words));
      assert.deepEqual(
        back,
        rows.map((row, index) => [index, row]),
      );
    }),
  );
});

test('a part stays below what a record may hold, however full the rows are', () => {
  const words = 700;
  const slab = new Uint32Array(words * 1000).fill(0xffffffff);
  const packer = new RowPacker(words, 1000);
  for (let index = 0; index < 1000; index++) packer.add(slab, index);
  const parts = packer.take();
  assert.ok(parts.every((part) => part.length < 500_000));
  assert.equal(parts.flatMap((part) => all(part, words)).length, 1000);
});

/** Copies: the reader uses one object for all rows. */
function all(part: Buffer, words: number): [number, number[]][] {
  const rows: [number, number[]][] = [];
  for (const { index, row } of unpackRows(part, words)) rows.push([index, [...row]]);
  return rows;
}
