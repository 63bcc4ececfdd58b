import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalFields } from '../../src/event/canonical-fields.ts';
import type { TrafficEvent } from '../../src/event/traffic-event.ts';
import { decodeLine, decodeLines, encodeLine } from '../../src/identity/event-line.ts';
import { identityKey } from '../../src/identity/identity-key.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { eventWith } from './sample-event.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('"', '\\', '\n', '\u2028', '\ud800', '</script>', '-', ''),
);
const number = fc.oneof(
  fc.integer({ min: 0 }),
  fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
);

/** Any event that a decoder could have made. */
const event: fc.Arbitrary<Record<string, unknown>> = fc.record(
  Object.fromEntries(
    Object.entries(canonicalFields).map(([name, { kind }]): [string, fc.Arbitrary<unknown>] => {
      if (kind === 'number' || kind === 'seconds') return [name, number];
      if (kind === 'time') return [name, fc.integer({ min: 946684800000, max: 4102444800000 })];
      if (kind === 'boolean') return [name, fc.boolean()];
      if (kind === 'list') return [name, fc.array(text, { minLength: 1, maxLength: 3 })];
      if (kind === 'counts')
        return [name, fc.dictionary(fc.constantFrom('card', 'email'), number, { noNullPrototype: true })];
      if (kind === 'actor') return [name, fc.constantFrom('human', 'service')];
      if (kind === 'auth-result') return [name, fc.constantFrom('success', 'failure')];
      return [name, text];
    }),
  ),
  { requiredKeys: ['ts', 'event_id', 'route'] },
);

const resolved = fc.tuple(event, text, fc.boolean()).map(([fields, id, hasPosition]): ResolvedEvent => {
  const full = eventWith(fields as Partial<TrafficEvent>);
  return {
    identity: identityKey('user', full.tenant, id),
    identity_kind: 'user',
    claimed_identity: id.length > 3 ? identityKey('client', null, id) : null,
    event_id: full.event_id!,
    route: full.route!,
    object_ids: full.object_ids ?? [],
    event: full,
    position: hasPosition ? { topic: id, partition: 3, offset: 12345678901, index: 2 } : null,
  };
});

test('a line gives back what was written, on one line, whatever is in it', () => {
  fc.assert(
    fc.property(resolved, (before) => {
      const line = encodeLine(before);
      assert.ok(!line.includes('\n'));
      assert.deepEqual(decodeLine(line), before);
      assert.deepEqual(decodeLine(Buffer.from(line)), before);
    }),
  );
});

test('unknown fields are ignored, so that a newer writer can be read', () => {
  const line = encodeLine({
    identity: identityKey('user', null, 'a'),
    identity_kind: 'user',
    claimed_identity: null,
    event_id: 'e',
    route: '/',
    object_ids: [],
    event: eventWith({ event_id: 'e', route: '/' }),
    position: null,
  });
  assert.deepEqual(decodeLine(line.replace('{', '{"surprise":3,"top":["x"],"__proto__":{"a":1},')), decodeLine(line));
});

test('junk is null, never an exception', () => {
  const good = '{"identity":"user:-:a","identity_kind":"user","event_id":"e","route":"/","ts":1}';
  assert.notEqual(decodeLine(good), null);
  for (const junk of [
    '',
    'x',
    'null',
    '[]',
    '{}',
    good.replace('"ts":1', '"ts":"1"'),
    good.replace('"user",', '"robot",'),
    good.replace(',"ts":1', ''),
    good.slice(0, -1),
    good.replace('"ts"', '"status":"x","ts"'),
  ]) {
    assert.equal(decodeLine(junk), null, junk);
  }
  fc.assert(fc.property(fc.json(), (json) => void decodeLine(json)));
});

test('the lines of a record are read one by one: each as it would be alone, and a broken one costs itself only', () => {
  const junk = fc.constantFrom('', '{"identity":"user:-:a"', '}', '{"a":1,', 'é', '{"identity":"user:-:a","ts":1}}');
  fc.assert(
    fc.property(fc.array(fc.oneof(resolved.map(encodeLine), junk), { minLength: 1, maxLength: 40 }), (lines) => {
      const expected = lines.map((line) => decodeLine(line));
      const read = decodeLines(Buffer.from(lines.join('\n')));
      assert.deepEqual(read, lines.at(-1) === '' ? expected.slice(0, -1) : expected);
    }),
    { numRuns: 50 },
  );
});
