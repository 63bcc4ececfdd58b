import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isMissing, toAddress, toBoolean, toEpochMs, toNumber, toStrings } from '../../../src/event/decode/coerce.ts';

const time = 1766000000123;

test('a time means the same in seconds, milliseconds, microseconds, nanoseconds, RFC 3339 and numbers in strings', () => {
  for (const value of [
    time,
    '1766000000.123',
    1766000000.123,
    '1766000000123',
    1766000000123000,
    '1766000000123000000',
  ]) {
    assert.equal(toEpochMs(value), time, String(value));
  }
  for (const text of [
    '2025-12-17T19:33:20.123Z',
    '2025-12-17T21:33:20.123+02:00',
    '2025-12-17 19:33:20.123456789',
    '2025-12-17t14:33:20.123-0500',
  ]) {
    assert.equal(toEpochMs(text), time, text);
  }
  assert.equal(toEpochMs('17/Dec/2025:19:33:20 +0000'), time - 123);
  assert.equal(toEpochMs('17/Dec/2025:20:33:20 +0100'), time - 123);
});

test('every time of this century survives RFC 3339', () => {
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2099, 11, 31) }), (ms) => {
      assert.equal(toEpochMs(new Date(ms).toISOString()), ms);
      assert.equal(toEpochMs(ms), ms);
    }),
  );
});

test('what is no time is not guessed at', () => {
  const wrong = [
    '',
    'yesterday',
    '2025-13-01T00:00:00Z',
    '2025-02-30T00:00:00Z',
    '2025-12-17T25:00:00Z',
    '2025-12-17',
    '2025-12-17T19:33:20+2',
    '1e400',
    '17/Foo/2025:19:33:20 +0000',
  ];
  for (const value of [...wrong, {}, [], true, Number.NaN, Number.POSITIVE_INFINITY])
    assert.equal(toEpochMs(value), undefined, String(value));
});

test('"-", "", null and "null" are missing, 0 and false are not', () => {
  for (const value of ['-', '', null, 'null', undefined]) assert.equal(isMissing(value), true);
  for (const value of [0, false, '0', 'nullable', '--', []]) assert.equal(isMissing(value), false);
});

test('numbers and booleans are read out of strings, and out of nothing else', () => {
  assert.deepEqual([' 0.045', '42', '-1', 1e3].map(toNumber), [0.045, 42, -1, 1000]);
  assert.deepEqual(['', ' ', '4x', {}, [], true, '1e999', Number.NaN].map(toNumber), new Array(8).fill(undefined));
  assert.deepEqual(['true', 'FALSE', '1', 'no', 'maybe', 1].map(toBoolean), [
    true,
    false,
    true,
    false,
    undefined,
    undefined,
  ]);
});

test('lists come as arrays or as one string, bounded', () => {
  assert.deepEqual(toStrings('read write,admin', 8), ['read', 'write', 'admin']);
  assert.deepEqual(toStrings(['a', '-', 7], 8), ['a', '7']);
  assert.equal(toStrings([{}], 8), undefined);
  assert.equal(toStrings(new Array(100).fill('x'), 8)?.length, 8);
});

test('an address loses its port, brackets and IPv4 mapping; what is no address is missing, not wrong', () => {
  const cases: Record<string, string | null> = {
    '203.0.113.7': '203.0.113.7',
    '203.0.113.7:51234': '203.0.113.7',
    '[2001:DB8::1]:443': '2001:db8::1',
    '2001:db8::1': '2001:db8::1',
    '::ffff:203.0.113.7': '203.0.113.7',
    '203.0.113.7, 10.0.0.1': '203.0.113.7',
    'unix:': null,
    unknown: null,
    'ec2.amazonaws.com': null,
    'fade.decade': null,
    '1.2.3': null,
  };
  for (const [text, expected] of Object.entries(cases)) assert.equal(toAddress(text), expected, text);
  assert.equal(toAddress(42), undefined);
});
