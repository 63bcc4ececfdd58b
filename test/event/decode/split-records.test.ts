import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type RawRecord, RecordSplitter } from '../../../src/event/decode/split-records.ts';

const limit = 64 * 1024;

function split(input: string | Buffer, chunkBytes = 7): RawRecord[] {
  const bytes = Buffer.from(input as string);
  const splitter = new RecordSplitter(limit);
  const records: RawRecord[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes)
    records.push(...splitter.push(bytes.subarray(at, at + chunkBytes)));
  records.push(...splitter.end());
  return records;
}

const brief = (records: readonly RawRecord[]): readonly unknown[] =>
  records.map(({ bytes, line, index }) => [bytes.toString().trim(), line, index]);

test('lines keep their number and offset; blank ones count and are left out', () => {
  const input = '{"a":1}\r\n\n  \n{"a":2}\n{"a":3}';
  assert.deepEqual(brief(split(input)), [
    ['{"a":1}', 1, 0],
    ['{"a":2}', 4, 0],
    ['{"a":3}', 5, 0],
  ]);
  for (const record of split(input)) assert.ok(input.startsWith(record.bytes.toString(), record.byteOffset));
});

test('a broken line costs one record: cut strings and brackets do not swallow the next line', () => {
  assert.deepEqual(brief(split('{"a":"cut\n[[[\n}\n{"a":2}\n')), [
    ['{"a":"cut', 1, 0],
    ['[[[', 2, 0],
    ['}', 3, 0],
    ['{"a":2}', 4, 0],
  ]);
});

test('a CloudTrail file gives its records, whether on one line or pretty-printed, and nothing of the rest', () => {
  const file = { Records: [{ a: '}]"\\' }, { b: [1, { c: 2 }] }], next: { d: [1] } };
  const records = (text: string): readonly unknown[] =>
    split(text).map((record) => JSON.parse(record.bytes.toString()));
  assert.deepEqual(records(JSON.stringify(file)), file.Records);
  assert.deepEqual(records(JSON.stringify(file, null, 2)), file.Records);
  assert.deepEqual(records(`\ufeff${JSON.stringify(file)}\n${JSON.stringify(file)}`), [
    ...file.Records,
    ...file.Records,
  ]);
  assert.deepEqual(
    split(JSON.stringify(file)).map((record) => [record.line, record.index]),
    [
      [1, 0],
      [1, 1],
    ],
  );
});

test('an array over several lines gives its elements, scalars and nested arrays too', () => {
  assert.deepEqual(brief(split('[\n {"a":1},\n {"a":[2]}, 3 , "x,]", [4],true]')), [
    ['{"a":1}', 2, 0],
    ['{"a":[2]}', 3, 0],
    ['3', 3, 1],
    ['"x,]"', 3, 2],
    ['[4]', 3, 3],
    ['true', 3, 4],
  ]);
  assert.deepEqual(brief(split('[\n]')), []);
});

test('an array on one line is one record, as a batch in NDJSON is', () => {
  assert.deepEqual(brief(split('[{"a":1},{"a":2}]\n[{"a":3}]')), [
    ['[{"a":1},{"a":2}]', 1, 0],
    ['[{"a":3}]', 2, 0],
  ]);
});

test('an array on one line that is larger than a record may be gives its elements', () => {
  const element = `{"a":"${'x'.repeat(1000)}"}`;
  assert.equal(split(`[${new Array(200).fill(element).join()}]`, 4096).length, 200);
});

test('pretty-printed objects one after another are records', () => {
  assert.deepEqual(brief(split('{\n "a": 1\n}\n{\n "a": {}\n}\n')), [
    ['{\n "a": 1\n}', 1, 0],
    ['{\n "a": {}\n}', 4, 0],
  ]);
});

test('a document that is cut off gives what there is of its last element', () => {
  assert.deepEqual(brief(split('{"Records":[{"a":1},{"a":')), [
    ['{"a":1}', 1, 0],
    ['{"a":', 1, 1],
  ]);
});

test('a line of 10 MB is marked with its size, holds no more than its beginning, and the next line is read', () => {
  const splitter = new RecordSplitter(1024 * 1024);
  const records: RawRecord[] = [];
  const chunk = Buffer.alloc(64 * 1024, 'x');
  records.push(...splitter.push(Buffer.from('{"a":1}\n')));
  for (let i = 0; i < 160; i++) records.push(...splitter.push(chunk));
  records.push(...splitter.push(Buffer.from('\n{"a":2}\n')), ...splitter.end());
  assert.deepEqual(
    records.map(({ bytes, size, line }) => [bytes.length, size, line]),
    [
      [7, 7, 1],
      [4096, 160 * 64 * 1024, 2],
      [7, 7, 3],
    ],
  );
});

test('the size of the chunks changes nothing', () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 50 }),
      fc.constantFrom(0, 1),
      (values, chunkBytes, indent) => {
        for (const text of [
          values.map((item) => JSON.stringify(item)).join('\n'),
          JSON.stringify({ Records: values }, null, indent),
          `[\n${values.map((item) => JSON.stringify(item, null, indent)).join(',\n')}\n]`,
        ]) {
          assert.deepEqual(brief(split(text, chunkBytes)), brief(split(text, 1_000_000)));
        }
        assert.deepEqual(
          split(JSON.stringify({ Records: values })).map((record) => JSON.parse(record.bytes.toString())),
          JSON.parse(JSON.stringify(values)),
        );
      },
    ),
  );
});

test('in a document, too, a string that is cut off costs one record', () => {
  assert.deepEqual(brief(split('[\n{"a":"cut\n{"a":2},\n{"a":"x"}\n]')), [
    ['{"a":"cut', 2, 0],
    ['{"a":2}', 3, 0],
    ['{"a":"x"}', 4, 0],
  ]);
  const files = [
    '{"Records":[{"a":1},{"b":"cut',
    '{"Records":[{"c":3}]}',
    '{"Records":[{"d":4}],"next":"cut',
    '{"Records":[{"e":5}]}',
  ];
  assert.deepEqual(
    split(files.join('\n')).map((record) => record.bytes.toString()),
    ['{"a":1}', '{"b":"cut', '{"Records":[{"c":3}]}', '{"Records":[{"d":4}],"next":"cut', '{"Records":[{"e":5}]}'],
  );
});
