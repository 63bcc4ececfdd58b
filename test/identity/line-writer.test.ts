import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineWriter, wordsOf } from '../../src/identity/line-writer.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('"', '\\', '\ud800', 'x'.repeat(600)),
);
const number = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -0, 1e7, 1e15, 999_999_999_999_999),
);
const value = fc.oneof(text, number.filter(Number.isFinite), fc.boolean(), fc.array(text, { maxLength: 3 }));

test('a value is written as JSON.stringify writes it, whatever was written before', () => {
  const writer = new LineWriter();
  fc.assert(
    fc.property(fc.array(fc.tuple(value, fc.boolean()), { maxLength: 20 }), (values) => {
      for (const [one, isRepeated] of values) {
        if (isRepeated && typeof one === 'string') writer.repeated(one);
        else writer.value(one);
        writer.words(wordsOf(Buffer.from(',')));
      }
      assert.equal(writer.take().toString(), values.map(([one]) => `${JSON.stringify(one)},`).join(''));
    }),
    { numRuns: 500 },
  );
});

test('what was taken is not changed by what is written next, and more than there is room for makes room', () => {
  const writer = new LineWriter();
  writer.string('first');
  const first = writer.take();
  const long = 'y'.repeat(1_000_000);
  writer.string(long);
  writer.repeated(long);
  assert.equal(first.toString(), '"first"');
  assert.equal(writer.take().toString(), `"${long}""${long}"`);
});
