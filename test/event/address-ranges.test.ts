import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Address, emptyAddress, readAddress } from '../../src/event/address.ts';
import { AddressRanges } from '../../src/event/address-ranges.ts';
import { createEnrich } from '../../src/event/enrich.ts';
import { RangeCsv, type RangeKind } from '../../src/event/range-csv.ts';
import { emptyEvent, type TrafficEvent } from '../../src/event/traffic-event.ts';

function addressOf(text: string): Address {
  const into = emptyAddress();
  const bytes = Buffer.from(text);
  assert.ok(readAddress({ bytes, from: 0, to: bytes.length }, into), text);
  return into;
}

function rangesOf(
  csv: string,
  kind: RangeKind = 'asn',
  pieceBytes = 1 << 20,
): { ranges: AddressRanges; csv: RangeCsv } {
  const ranges = new AddressRanges();
  const reader = new RangeCsv(ranges, kind);
  const bytes = Buffer.from(csv);
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.push(bytes.subarray(at, at + pieceBytes));
  reader.end();
  ranges.trim();
  return { ranges, csv: reader };
}

test('an address belongs to the range that holds it, both ends included, and to none between ranges', () => {
  const { ranges } = rangesOf(
    '10.0.0.0,10.0.0.255,1\n10.0.2.0,10.0.2.7,2\n2001:db8::,2001:db8:0:7:ffff:ffff:ffff:ffff,3\n',
  );
  const expected: [string, number][] = [
    ['9.255.255.255', 0],
    ['10.0.0.0', 1],
    ['10.0.0.255', 1],
    ['10.0.1.0', 0],
    ['10.0.2.7', 2],
    ['10.0.2.8', 0],
    ['::', 0],
    ['2001:db8::1', 3],
    ['2001:db8:0:7::1', 3],
    ['2001:db8:0:8::', 0],
    ['::ffff:10.0.0.9', 1],
  ];
  for (const [text, value] of expected) assert.equal(ranges.find(addressOf(text)), value, text);
});

test('a search among random ranges finds what a walk through them finds', () => {
  const point = fc.nat({ max: 400 });
  fc.assert(
    fc.property(fc.uniqueArray(point, { maxLength: 60 }), fc.boolean(), (points, wide) => {
      const sorted = [...points].sort((a, b) => a - b);
      const ranges = new AddressRanges();
      // Across the boundary between the halves, so that both are compared.
      const at = (x: number): Address => {
        const number = 0xffffff38 + x;
        const low = number >>> 0;
        return wide ? { family: 6, high: 7 + (number > 0xffffffff ? 1 : 0), low } : { family: 4, high: 0, low: x };
      };
      const pairs = sorted.flatMap((from, i) => (i % 2 === 0 && i + 1 < sorted.length ? [[from, sorted[i + 1]!]] : []));
      for (const [i, [from, to]] of pairs.entries()) assert.ok(ranges.add(at(from!), at(to!), i + 1));
      for (let x = 0; x <= 400; x++) {
        assert.equal(ranges.find(at(x)), pairs.findIndex(([from, to]) => from! <= x && x <= to!) + 1);
      }
    }),
    { numRuns: 300 },
  );
});

test('a finer range inside the one before it wins, and one that is out of order is counted and passed over', () => {
  const { ranges, csv } = rangesOf(
    '10.0.0.0,10.0.3.255,1\n10.0.1.0,10.0.1.255,2\n9.0.0.0,9.0.0.1,3\n10.0.9.9,10.0.9.1,4\n',
  );
  assert.deepEqual(
    ['10.0.0.255', '10.0.1.0', '9.0.0.0'].map((text) => ranges.find(addressOf(text))),
    [1, 2, 0],
  );
  assert.deepEqual([csv.rows, csv.passedOver], [4, 2]);
});

test('the forms in which databases come mean the same', () => {
  const forms = [
    '192.0.2.0,192.0.2.255,64500,"Name, with comma"\r\n',
    '3221225984,3221226239,64500,Name\n',
    '"3221225984","3221226239","64500","Name"',
    'network,autonomous_system_number,autonomous_system_organization\n192.0.2.0/24,64500,Name\n',
    'start_ip,end_ip,asn\n192.0.2.0,192.0.2.255,AS64500',
  ];
  for (const form of forms) {
    const { ranges } = rangesOf(form);
    const found = ['192.0.1.255', '192.0.2.0', '192.0.2.255', '192.0.3.0'].map((text) => ranges.find(addressOf(text)));
    assert.deepEqual(found, [0, 64500, 64500, 0], form);
  }
  const { ranges } = rangesOf('2001:db8::/33,64501,Name\n2001:db8:8000::/128,64502\n');
  const found = ['2001:db8:7fff:ffff::1', '2001:db8:8000::1', '2001:db8:8000:1::'].map((text) =>
    ranges.find(addressOf(text)),
  );
  assert.deepEqual(found, [64501, 64502, 0]);
});

test('rows that say nothing are counted and give no range', () => {
  const rows = ['', 'x', '1.1.1.1', '1.1.1.1,1.1.1.2', '1.1.1.1,1.1.1.2,', '1.1.1.1,1.1.1.2,0', '1.1.1.1,::1,5'];
  rows.push('1.1.1.0/33,5', '1.1.1.0/,5', '1.1.1.1,1.1.1.2,99999999999', '"1.1.1.1', ',,,');
  const { ranges, csv } = rangesOf(`${rows.join('\n')}\n`);
  assert.deepEqual([ranges.size, csv.rows, csv.passedOver], [0, rows.length, rows.length]);
  assert.equal(rangesOf('1.1.1.1,1.1.1.2,USA\n1.1.1.1,1.1.1.2,1!\n', 'country').ranges.size, 0);
});

test('a file read in pieces of any size gives the same ranges', () => {
  const csv = '10.0.0.0,10.0.0.255,1,one\n10.0.2.0,10.0.2.7,2,"two"\n2001:db8::,2001:db8::1,3';
  for (let pieceBytes = 1; pieceBytes < 30; pieceBytes++) {
    const { ranges } = rangesOf(csv, 'asn', pieceBytes);
    const found = ['10.0.0.9', '10.0.2.7', '2001:db8::'].map((text) => ranges.find(addressOf(text)));
    assert.deepEqual(found, [1, 2, 3], `${pieceBytes}`);
  }
});

const asn = rangesOf('192.0.2.0,192.0.2.255,64500\n').ranges;
const country = rangesOf('192.0.2.0,192.0.2.255,nl\n', 'country').ranges;

function enriched(fields: Partial<TrafficEvent>, enrich = createEnrich(asn, country)): unknown[] {
  const event = Object.assign(emptyEvent(), fields);
  enrich(event);
  return [event.asn, event.country];
}

test('an event gets network and country of its address, where the gateway did not set them', () => {
  assert.deepEqual(enriched({ client_ip: '192.0.2.7' }), [64500, 'NL']);
  assert.deepEqual(enriched({ client_ip: '192.0.2.7', asn: 1 }), [1, 'NL']);
  assert.deepEqual(enriched({ client_ip: '192.0.2.7', country: 'US' }), [64500, 'US']);
});

test('an address that no database knows, or that is none, changes nothing', () => {
  for (const client_ip of [null, '10.0.0.1', '999.1.1.1', '::', '1.2.3', 'x'.repeat(60)]) {
    assert.deepEqual(enriched({ client_ip }), [null, null], String(client_ip));
  }
});

test('with a database off its field stays empty', () => {
  assert.deepEqual(enriched({ client_ip: '192.0.2.7' }, createEnrich(null, country)), [null, 'NL']);
  assert.deepEqual(enriched({ client_ip: '192.0.2.7' }, createEnrich(null, null)), [null, null]);
});
