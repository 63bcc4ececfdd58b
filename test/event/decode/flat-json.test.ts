import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FlatJson } from '../../../src/event/decode/flat-json.ts';

const flat = new FlatJson((name) => name.length);

/** What the reader took, as an object; undefined when it left the record to JSON.parse. */
function read(text: string | Buffer): Record<string, unknown> | undefined {
  if (!flat.read(Buffer.from(text as string))) return undefined;
  return Object.fromEntries(flat.keys.slice(0, flat.size).map(({ name }, i) => [name, flat.values[i]]));
}

function assertAgrees(text: string): void {
  const taken = read(text);
  if (taken === undefined) return;
  const parsed = JSON.parse(text) as object;
  assert.deepEqual(Object.entries(taken), Object.entries(Object.fromEntries(Object.entries(parsed))), text);
  for (const [name, value] of Object.entries(parsed)) assert.ok(Object.is(taken[name], value) || Array.isArray(value));
}

const plain = fc.string({ unit: fc.constantFrom(...' aZ09_-./:{}[],é"\\\n\u007f') });
const value = fc.oneof(
  plain,
  fc.integer(),
  fc.double(),
  fc.constantFrom(0, -0, 0.1, 1e21, 1e-7, 123456789012345, 1234567890123456, 0.045, 99.995, null, true, false),
  fc.array(plain, { maxLength: 3 }),
  fc.array(fc.integer(), { maxLength: 2 }),
);
const record = fc.dictionary(fc.oneof(fc.constantFrom('ts', 'path', 'status', '__proto__', '1'), plain), value);

test('an ordinary record is taken, with blanks, numbers and lists as JSON.parse reads them', () => {
  const text =
    ' {"ts" : 1766000000123 ,\t"d":0.045,"n":-12.50,"s":"a/b?c","l":["x", "y"],"e":[],"t":true,"f":false,"z":null}\r\n';
  assert.deepEqual(read(text.trimStart()), JSON.parse(text));
});

test('what it takes is what JSON.parse gives, bit for bit and in the same order, whatever the record', () => {
  fc.assert(
    fc.property(record, fc.constantFrom(undefined, 1, '\t'), (fields, indent) => {
      const text = JSON.stringify(
        fields,
        (_, v: unknown) => (typeof v === 'number' && !Number.isFinite(v) ? 0 : v),
        indent,
      );
      const named = Object.keys(fields);
      if (named.every((name) => !/^\d+$/.test(name))) assertAgrees(text);
    }),
    { numRuns: 2000 },
  );
});

test('numbers of up to fifteen digits are rounded as JSON.parse rounds them', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999_999_999_999 }), fc.integer({ min: 0, max: 20 }), (digits, point) => {
      const text = String(digits).padStart(point + 1, '0');
      const number = point === 0 ? text : `${text.slice(0, -point)}.${text.slice(-point)}`;
      assertAgrees(`{"n":${number}}`);
      assertAgrees(`{"n":-${number}}`);
    }),
    { numRuns: 5000 },
  );
});

test('a record with bytes changed, cut or doubled is never taken for something that JSON.parse refuses', () => {
  const good = '{"ts":1766000000123,"id":"a-1","l":["x","y"],"d":1.5,"b":true,"n":null}';
  const bytes = fc.constantFrom(...'"{}[],:.-+eE0123456789tfn \\ax\u0000\n');
  const edit = fc.tuple(fc.nat(good.length - 1), fc.nat(3), fc.array(bytes, { maxLength: 3 }));
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
      let text = good;
      for (const [at, removed, added] of edits) text = text.slice(0, at) + added.join('') + text.slice(at + removed);
      assertAgrees(text);
    }),
    { numRuns: 20_000 },
  );
});

test('a repeated name, an escape, a byte beyond ASCII and nesting are left to JSON.parse', () => {
  for (const text of [
    '{"a":1,"a":2}',
    '{"a":"\\u0041"}',
    '{"a":"é"}',
    '{"a":{}}',
    '{"a":[[]]}',
    '[]',
    '',
    '{"a":1}x',
    '{"a":1,}',
  ])
    assert.equal(read(text), undefined, text);
});
