import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteMemo, firstBytes, hashSeed, hashWord, type Stretch } from '../../../src/event/decode/byte-memo.ts';

function stretchOf(text: string, hash?: number): Stretch {
  const bytes = Buffer.alloc(text.length + 8, 'x');
  bytes.write(text, 1, 'latin1');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let own = hashSeed;
  for (let at = 0; at <= text.length; at += 4) {
    const word = view.getInt32(1 + at, true);
    own = hashWord(own, text.length - at >= 4 ? word : firstBytes(word, text.length - at));
  }
  return { view, at: 1, length: text.length, hash: hash ?? own };
}

test('what is found was put there under the same bytes and the same name, even where all hashes are equal', () => {
  const word = fc.stringMatching(/^[ -~]{0,9}$/);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(word, fc.constantFrom(1, 2)), { maxLength: 200 }),
      fc.boolean(),
      (puts, isCrafted) => {
        const memo = new ByteMemo(64);
        for (const [text, name] of puts) {
          const stretch = stretchOf(text, isCrafted ? 7 : undefined);
          const found = memo.find(stretch, name);
          if (found > 0) assert.equal(memo.value(found), `${name} ${text}`);
          else memo.add(stretch, name, `${name} ${text}`);
        }
      },
    ),
  );
});

test('what was put there last is found, until the limit is reached and all is forgotten', () => {
  const memo = new ByteMemo(64);
  let forgotten = 0;
  for (let i = 0; i < 1000; i++) {
    memo.add(stretchOf(`text ${i}`), 1, i);
    assert.equal(memo.value(memo.find(stretchOf(`text ${i}`), 1)), i);
    if (memo.find(stretchOf(`text ${i - 1}`), 1) === 0) forgotten++;
  }
  assert.ok(forgotten >= 10 && forgotten < 200, String(forgotten));
});

test('a text beyond the limit is not remembered, and not taken for another', () => {
  const memo = new ByteMemo(64);
  const long = 'y'.repeat(1024 + 5);
  memo.add(stretchOf('y'.repeat(5), 7), 1, 'short');
  memo.add(stretchOf(long, 7), 1, 'long');
  assert.equal(memo.find(stretchOf(long, 7), 1), 0);
});
