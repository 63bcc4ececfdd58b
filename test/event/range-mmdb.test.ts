import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Address, emptyAddress, readAddress } from '../../src/event/address.ts';
import { AddressRanges } from '../../src/event/address-ranges.ts';
import { readMmdb } from '../../src/event/range-mmdb.ts';
import { mmdbFile, type Network } from './mmdb-file.ts';

function addressOf(text: string): Address {
  const into = emptyAddress();
  const bytes = Buffer.from(text);
  assert.ok(readAddress({ bytes, from: 0, to: bytes.length }, into), text);
  return into;
}

/** `192.0.2.0/24` or `2001:db8::/32` as the bits of a path. */
function bitsOf(network: string): string {
  const [text, length] = network.split('/') as [string, string];
  const { family, high, low } = addressOf(text);
  const bits = (number: number): string => number.toString(2).padStart(32, '0');
  return (family === 4 ? bits(low) : bits(high) + bits(low)).slice(0, Number(length));
}

const ipv4 = '0'.repeat(96);
const record = (asn: number) => ({ autonomous_system_organization: 'x'.repeat(40), autonomous_system_number: asn });
const mixed: readonly Network[] = [
  { bits: ipv4 + bitsOf('192.0.2.0/24'), record: record(64500) },
  { bits: ipv4 + bitsOf('198.51.100.0/25'), record: { pointer: 0 } },
  { bits: bitsOf('2001:db8::/33'), record: record(64501) },
  { bits: bitsOf('2001:db8:8000::/48'), record: { autonomous_system_organization: 'nobody' } },
];

function read(file: Buffer, kind: 'asn' | 'country' = 'asn') {
  const ranges = new AddressRanges();
  const counts = readMmdb(file, kind, ranges);
  return { ...counts, ranges, find: (ip: string) => ranges.find(addressOf(ip)) };
}

test('networks of both families are found in files of every record size', () => {
  for (const recordBits of [24, 28, 32] as const) {
    const { find, rows, passedOver } = read(mmdbFile(mixed, { recordBits, version: 6 }));
    assert.deepEqual([rows, passedOver], [4, 1]);
    const asked = ['192.0.1.255', '192.0.2.0', '192.0.2.255', '192.0.3.0', '198.51.100.127', '198.51.100.128'];
    assert.deepEqual(asked.map(find), [0, 64500, 64500, 0, 64500, 0]);
    assert.deepEqual(['2001:db8:7fff::', '2001:db8:8000::1', '2001:db9::'].map(find), [64501, 0, 0]);
    const plain = mmdbFile([{ bits: bitsOf('192.0.2.0/24'), record: record(7) }], { recordBits, version: 4 });
    assert.equal(read(plain).find('192.0.2.9'), 7);
  }
});

test('IPv4 that stands in the tree a second time is taken once', () => {
  const { ranges, find, rows } = read(
    mmdbFile(mixed, { recordBits: 28, version: 6, aliasOf: ['0010000000000010', ipv4] }),
  );
  assert.equal(rows, 4);
  assert.equal(ranges.size, 3);
  assert.equal(find('2002:c000:200::1'), 0);
});

test('a country is read as MaxMind, DB-IP and flat databases write it', () => {
  const networks = [{ country: { iso_code: 'NL', names: { en: 'x' } } }, { country_code: 'NL' }, { country: 'nl' }];
  networks.push({ country: { is_in_european_union: true } } as never, { country: 'Netherlands' });
  const file = mmdbFile(
    networks.map((each, i) => ({ bits: bitsOf(`10.0.${2 * i}.0/24`), record: each })),
    { recordBits: 24, version: 4 },
  );
  const { find } = read(file, 'country');
  const nl = (78 << 8) | 76;
  assert.deepEqual(
    [0, 2, 4, 6, 8].map((third) => find(`10.0.${third}.1`)),
    [nl, nl, nl, 0, 0],
  );
});

test('neighbours that are the same network become one range', () => {
  const halves = [
    { bits: bitsOf('10.0.0.0/24'), record: record(1) },
    { bits: bitsOf('10.0.1.0/24'), record: record(1) },
    { bits: bitsOf('10.0.2.0/24'), record: record(2) },
  ];
  const { ranges, find } = read(mmdbFile(halves, { recordBits: 24, version: 4 }));
  assert.equal(ranges.size, 2);
  assert.deepEqual(['10.0.1.255', '10.0.2.0'].map(find), [1, 2]);
  const wide = new AddressRanges();
  const at = (high: number, low: number): Address => ({ family: 6, high, low });
  wide.add(at(1, 0), at(1, 0xffffffff), 5);
  wide.add(at(2, 0), at(2, 9), 5);
  assert.deepEqual([wide.size, wide.find(at(2, 9)), wide.find(at(2, 10))], [1, 5, 0]);
});

test('a file that is cut, spoilt or something else ends with an error or a table, and always ends', () => {
  const whole = mmdbFile(mixed, { recordBits: 24, version: 6 });
  assert.throws(() => read(Buffer.from('no database')), /no MaxMind database/);
  const circle = Buffer.from(whole);
  circle.fill(0, 0, 6);
  assert.throws(() => read(circle), /circle/);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 5 }),
      fc.nat({ max: whole.length }),
      (changes, from) => {
        const spoilt = Buffer.from(whole.subarray(from % 3 === 0 ? from : 0));
        for (const [at, byte] of changes) if (at < spoilt.length) spoilt[at] = byte;
        try {
          assert.ok(read(spoilt).ranges.size <= 200);
        } catch (error) {
          assert.ok(error instanceof Error && !(error instanceof assert.AssertionError), String(error));
        }
      },
    ),
    { numRuns: 3000 },
  );
});
