import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { emptyAddress, readAddress } from '../../src/event/address.ts';

function read(text: string): string | null {
  const bytes = Buffer.from(`,${text},`);
  const into = emptyAddress();
  if (!readAddress({ bytes, from: 1, to: bytes.length - 1 }, into)) return null;
  return `${into.family} ${into.high.toString(16)} ${into.low.toString(16)}`;
}

test('an address is its family and its numbers, of IPv6 the first 64 bits', () => {
  assert.equal(read('192.0.2.1'), '4 0 c0000201');
  assert.equal(read('255.255.255.255'), '4 0 ffffffff');
  assert.equal(read('3221225985'), '4 0 c0000201');
  assert.equal(read('2001:db8:1:2:3:4:5:6'), '6 20010db8 10002');
  assert.equal(read('2001:DB8::'), '6 20010db8 0');
  assert.equal(read('::'), '6 0 0');
  assert.equal(read('::1'), '6 0 0');
  assert.equal(read('1::8'), '6 10000 0');
  assert.equal(read('fe80:1:2:3::'), '6 fe800001 20003');
});

test('an IPv4 address inside an IPv6 one is the IPv4 address, however it is written', () => {
  assert.equal(read('::ffff:192.0.2.1'), read('192.0.2.1'));
  assert.equal(read('::ffff:c000:201'), read('192.0.2.1'));
  assert.equal(read('0:0:0:0:0:ffff:c000:201'), read('192.0.2.1'));
});

test('what is no address is none', () => {
  const wrong = [
    '',
    '-',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '1..2.3',
    '1.2.3.',
    '.1.2.3',
    '4294967296',
    'abc',
    ':1',
    ':',
  ];
  wrong.push(
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '12345::',
    '1:2:3:4:5:6:7:',
    ':::',
    ':::0',
    '1:::2',
    'g::',
    '::1.2.3',
    '1::2:',
  );
  wrong.push('1:2:3:4:5:6:7:1.2.3.4', '::1.2.3.4.5', '1:2:3:4::5:6:7:8:9', '1.2.3.4:80', '[::1]', '::ffff:1.2.3.4:80');
  assert.deepEqual(
    wrong.filter((text) => read(text) !== null),
    [],
  );
});

test('every IPv4 and IPv6 address that Node knows is read, and nothing that it does not know', () => {
  const v4 = fc.ipV4();
  const v6 = fc.ipV6();
  const noise = fc.string({ unit: fc.constantFrom(...'0123456789abcf:.'), maxLength: 24 });
  fc.assert(
    fc.property(fc.oneof(v4, v6, noise), (text) => {
      // A plain number is how some databases write IPv4; zeros in front are theirs too.
      if (/^\d+$/.test(text) || /(^|[.:])0\d/.test(text)) return;
      assert.equal(read(text) !== null, isIP(text) !== 0, text);
    }),
    { numRuns: 3000 },
  );
});
