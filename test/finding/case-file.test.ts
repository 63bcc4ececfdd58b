import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Observed } from '../../src/feature/family.ts';
import { addToCase, type CaseFile, type OddEvent, openCase, reasonsOf } from '../../src/finding/case-file.ts';
import type { FindingKind } from '../../src/finding/finding.ts';
import { isOfKind } from '../../src/finding/kinds.ts';

const observed = (text: string): Observed => ({
  observed: 1,
  expected: 2,
  low: null,
  high: null,
  level: 'self',
  sampleSize: 3,
  text,
});
const odd = (i: number, fields: Partial<OddEvent> = {}): OddEvent => ({
  event_id: `e${i}`,
  ts: 1000 + i,
  surprise: i,
  route: '/orders',
  clientIp: '192.0.2.1',
  success: true,
  keepsOpen: true,
  contributions: [],
  ...fields,
});

test('a case counts its events, remembers first, last and highest, and keeps the ten most surprising as examples', () => {
  const file = openCase(1000);
  for (const i of [5, 17, 3, 12, 1, 8, 20, 2, 14, 9, 11, 4, 16]) addToCase(file, odd(i, { success: i % 2 === 0 }));
  assert.deepEqual([file.firstSeen, file.lastSeen, file.count, file.succeeded, file.surprise], [1005, 1020, 13, 7, 20]);
  const ids = file.examples.map(({ event_id }) => event_id);
  assert.deepEqual([...ids].sort(), ['e11', 'e12', 'e14', 'e16', 'e17', 'e20', 'e4', 'e5', 'e8', 'e9'].sort());
});

test('reasons are what said most, the preferred first, in the words of the strongest event, with shares of the whole', () => {
  const file = openCase(0);
  const says = (feature: string, nats: number, text: string) => ({
    feature,
    nats,
    observed: observed(text),
    peers: '-',
  });
  addToCase(file, odd(1, { contributions: [says('rate.a', 6, 'weak'), says('context.b', 1, 'b')] }));
  addToCase(file, odd(2, { contributions: [says('rate.a', 9, 'strong'), says('novelty.c', 4, 'c')] }));
  addToCase(file, odd(3, { contributions: [says('rate.a', 0, 'weakest')] }));
  const reasons = reasonsOf(file, (feature) => feature.startsWith('context.'));
  assert.deepEqual(
    reasons.map(({ feature, share, text }) => [feature, share, text]),
    [
      ['context.b', 0.05, 'b'],
      ['rate.a', 0.75, 'strong'],
      ['novelty.c', 0.2, 'c'],
    ],
  );
});

const caseSaying = (all: Readonly<Record<string, number>>): CaseFile => {
  const file = openCase(0);
  const contributions = Object.entries(all).map(([feature, nats]) => ({
    feature,
    nats,
    observed: observed('x'),
    peers: '-',
  }));
  addToCase(file, odd(1, { contributions }));
  return file;
};
const featuresOf = (file: CaseFile, kind: FindingKind): readonly string[] =>
  reasonsOf(file, (feature) => isOfKind(kind, feature)).map(({ feature }) => feature);

test('after what is claimed, other questions are answered before how much there is once more: bytes, pace and objects are one busy day', () => {
  const all = {
    'egress.bytes': 9,
    'rate.requests_5m': 8.5,
    'objects.distinct': 8,
    'volume.response_bytes': 7,
    'token.two_contexts': 2,
    'context.network': 1,
  };
  assert.deepEqual(featuresOf(caseSaying(all), 'data_exfiltration'), [
    'egress.bytes',
    'token.two_contexts',
    'context.network',
    'rate.requests_5m',
    'objects.distinct',
  ]);
  assert.deepEqual(featuresOf(caseSaying(all), 'token_replay').slice(0, 3), [
    'token.two_contexts',
    'egress.bytes',
    'context.network',
  ]);
});

test('the first reason is the strongest of those that the kind rests on, whatever the same family says besides', () => {
  const file = caseSaying({
    'patterns.new_today': 30,
    'patterns.dormant': 12,
    'token.two_contexts': 9,
    'token.travel': 5,
  });
  assert.equal(featuresOf(file, 'dormant_reactivated')[0], 'patterns.dormant');
  assert.equal(featuresOf(file, 'account_takeover')[0], 'patterns.new_today');
  assert.equal(featuresOf(file, 'impossible_travel')[0], 'token.travel');
});

test('that somebody was away for long is told beside what is new on another day', () => {
  const file = caseSaying({
    'rate.requests_5m': 40,
    'patterns.new_today': 30,
    'egress.bytes': 20,
    'patterns.dormant': 5,
  });
  assert.deepEqual(featuresOf(file, 'rate_spike').slice(0, 3), [
    'rate.requests_5m',
    'patterns.new_today',
    'patterns.dormant',
  ]);
});

test('a case stays small, whatever is said in it', () => {
  const file = openCase(0);
  for (let i = 0; i < 1000; i++) {
    addToCase(file, odd(i, { contributions: [{ feature: `x.${i}`, nats: 1, observed: observed('x'), peers: '-' }] }));
  }
  assert.ok(Object.keys(file.tallies).length <= 24 && file.examples.length === 10);
  assert.equal(reasonsOf(file, () => false).length, 5);
});

test('a case that is full has room for what says more than the least of it, and for nothing else', () => {
  const file = caseSaying(Object.fromEntries(Array.from({ length: 24 }, (_, i) => [`x.${i}`, 2 + i])));
  const says = (feature: string, nats: number) =>
    addToCase(file, odd(2, { contributions: [{ feature, nats, observed: observed(feature), peers: '-' }] }));
  says('context.network', 2);
  says('token.travel', 9);
  assert.equal(Object.keys(file.tallies).length, 24);
  assert.deepEqual([file.tallies['context.network'], file.tallies['x.0']], [undefined, undefined]);
  assert.equal(featuresOf(file, 'impossible_travel')[0], 'token.travel');
});

test('a case in which nothing was said has no reasons', () => {
  assert.deepEqual(
    reasonsOf(openCase(0), () => true),
    [],
  );
});
