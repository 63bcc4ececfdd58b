import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Field, HpackDecoder, HpackError, hpackBlock } from '../../src/http/hpack.ts';

const bytesOf = (hex: string): Buffer => Buffer.from(hex.replace(/\s/g, ''), 'hex');
const plenty = 65_536;

const requests = [
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
    ['cache-control', 'no-cache'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ],
];
const responses = [
  [
    [':status', '302'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['location', 'https://www.example.com'],
  ],
  [
    [':status', '307'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['location', 'https://www.example.com'],
  ],
  [
    [':status', '200'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'],
    ['location', 'https://www.example.com'],
    ['content-encoding', 'gzip'],
    ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
  ],
];

/** RFC 7541, appendix C. The responses are of a table of 256 bytes, which the first block asks for here. */
const examples = [
  {
    what: 'C.3: requests without Huffman',
    blocks: [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ],
    fields: requests,
  },
  {
    what: 'C.4: requests with Huffman',
    blocks: [
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ],
    fields: requests,
  },
  {
    what: 'C.5: responses without Huffman',
    blocks: [
      `3fe1 01 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f
       2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
      '4803 3330 37c1 c0bf',
      `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a
       584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`,
    ],
    fields: responses,
  },
  {
    what: 'C.6: responses with Huffman',
    blocks: [
      '3fe1 01 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
      '4883 640e ffc1 c0bf',
      `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1
       ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
    ],
    fields: responses,
  },
];

test('the examples of RFC 7541 are read as it says, table and all', () => {
  for (const { what, blocks, fields } of examples) {
    const decoder = new HpackDecoder();
    assert.deepEqual(
      blocks.map((block) => decoder.decode(bytesOf(block), plenty)),
      fields,
      what,
    );
  }
});

test('what is written is read again, and leaves no trace in the table', () => {
  const text = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 300,
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text)), (fields) => {
      const decoder = new HpackDecoder();
      assert.deepEqual(decoder.decode(Buffer.from(hpackBlock(fields), 'latin1'), 1e6), fields);
      assert.equal(decoder.changes, 0);
    }),
  );
});

test('a block that cannot be read is refused, and says so in one way only', () => {
  const wrong = {
    'a field that no table has': 'be',
    'the field with the number 0': '80',
    'a name that no table has': '7f01 0161',
    'a text longer than its block': '0003 6162',
    'a text without its value': '0001 61',
    'a number without end': 'ff ffff ffff ffff ffff 7f',
    'a number larger than any': '7fff ffff ff7f',
    'a table larger than was offered': '3fe2 1f',
    'a table that changes after a field': '8220',
    'a text of Huffman’s filled up with eight ones': '0082 1fff 0161',
    'a text of Huffman’s filled up with a nought': '0081 1e 0161',
    'the mark of the end in a text of Huffman’s': '0084 ffff ffff 0161',
  };
  for (const [what, block] of Object.entries(wrong)) {
    assert.throws(() => new HpackDecoder().decode(bytesOf(block), plenty), HpackError, what);
  }
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (blocks) => {
      const decoder = new HpackDecoder();
      for (const block of blocks) {
        try {
          decoder.decode(Buffer.from(block), plenty);
        } catch (error) {
          assert.ok(error instanceof HpackError);
          return;
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test('a few bytes that name a long field again and again are read and not held', () => {
  const long: Field = ['x', 'y'.repeat(4000)];
  const kept = Buffer.from(`\x40${hpackBlock([long]).slice(1)}`, 'latin1');
  const decoder = new HpackDecoder();
  assert.deepEqual(decoder.decode(kept, plenty), [long]);
  assert.equal(decoder.decode(Buffer.alloc(60_000, 0xbe), plenty), null);
  assert.deepEqual(decoder.decode(Buffer.from([0xbe]), plenty), [long], 'and what comes after it as before');
});

test('a table takes no more than it was given, and a field larger than it empties it', () => {
  const decoder = new HpackDecoder();
  const kept = (name: string, length: number): Buffer =>
    Buffer.from(`\x40${hpackBlock([[name, 'v'.repeat(length)]]).slice(1)}`, 'latin1');
  for (const name of ['a', 'b', 'c']) decoder.decode(kept(name, 1500), plenty);
  assert.deepEqual(
    decoder.decode(Buffer.from([0xbe, 0xbf]), plenty)?.map(([name]) => name),
    ['c', 'b'],
  );
  assert.throws(() => decoder.decode(Buffer.from([0xc0]), plenty), HpackError, 'the first made room');
  decoder.decode(kept('d', 5000), plenty);
  assert.throws(() => decoder.decode(Buffer.from([0xbe]), plenty), HpackError);
});
