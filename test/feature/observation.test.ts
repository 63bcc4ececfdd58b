import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dimensionCount } from '../../src/baseline/row-layout.ts';
import type { TrafficEvent } from '../../src/event/traffic-event.ts';
import { dimensionText, emptyObservation, observe, zoneOffsetMs } from '../../src/feature/observation.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { call, day, hour, monday } from './moment.ts';

const text = fc.oneof(fc.constantFrom('', '-', 'a', 'a:b', 'Ünï:x'), fc.string({ maxLength: 12 }));
const anyCall: fc.Arbitrary<ResolvedEvent> = fc
  .record({
    operation: fc.option(text),
    method: fc.option(text),
    route: fc.constantFrom('', '/', '/a', '/a/b', '/a/{id}/c', 'no slash'),
    path: fc.option(fc.constantFrom('/a/x.pdf', '/a/x.pdf?y=.exe', '/a.b/c', '/a.', '/x.verylongending', '/x.PDF')),
    host: fc.option(text),
    status: fc.option(fc.integer({ min: 100, max: 999 })),
    client_ip: fc.option(
      fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.1.1', '2001:db8:1::1', '2001:db8:1:2::3', 'x', ''),
    ),
    asn: fc.option(fc.constantFrom(1, 64_500)),
    country: fc.option(text),
    user_agent: fc.option(fc.oneof(text, fc.constantFrom('curl/8.5.0', 'curl/8.6.1-2', 'curl/', 'a1b22c'))),
    client_id: fc.option(text),
    caller_service: fc.option(text),
    service: fc.option(text),
    tz: fc.option(text),
  })
  .map((fields) => call(fields as Partial<TrafficEvent>));

function valuesOf(resolved: ResolvedEvent): readonly number[] {
  const observation = emptyObservation();
  observe(resolved, observation);
  return [...observation.values];
}

test('two events share a value exactly where an analyst would read the same text, and have none where nothing is said', () => {
  fc.assert(
    fc.property(anyCall, anyCall, (a, b) => {
      const [left, right] = [valuesOf(a), valuesOf(b)];
      for (let d = 0; d < dimensionCount; d++) {
        const [x, y] = [dimensionText(a, d) ?? '', dimensionText(b, d) ?? ''];
        assert.equal(left[d] === 0, x === '', `dimension ${d} of ${JSON.stringify(x)}`);
        assert.equal(left[d] === right[d], x === y, `dimension ${d}: ${JSON.stringify([x, y])}`);
      }
    }),
    { numRuns: 2000, endOnFailure: true },
  );
});

test('the same text in two dimensions gives two values', () => {
  const values = valuesOf(call({ method: 'x', country: 'x', client_id: 'x', tz: 'x', user_agent: 'x' }));
  const set = values.filter((value) => value !== 0);
  assert.equal(new Set(set).size, set.length);
});

test('an observation that is used again keeps nothing of the event before', () => {
  fc.assert(
    fc.property(anyCall, anyCall, (a, b) => {
      const [used, fresh] = [emptyObservation(), emptyObservation()];
      observe(a, used);
      observe(b, used);
      observe(b, fresh);
      assert.deepEqual(used, fresh);
    }),
    { endOnFailure: true },
  );
});

test('hour and weekday are those of the caller', () => {
  const observation = emptyObservation();
  observe(call({ ts: monday + 23 * hour + 1, tz: '+0200' }), observation);
  assert.deepEqual([observation.hour, observation.weekday], [1, 2]);
  observe(call({ ts: monday - 1 }), observation);
  assert.deepEqual([observation.hour, observation.weekday], [23, 0]);
  observe(call({ ts: monday + 5 * day, tz: '-05:30' }), observation);
  assert.deepEqual([observation.hour, observation.weekday], [18, 5]);
});

test('time zones that are none are taken as UTC', () => {
  assert.equal(zoneOffsetMs('+02:30'), 2.5 * hour);
  assert.equal(zoneOffsetMs('-0800'), -8 * hour);
  for (const tz of [null, '', 'UTC', 'Europe/Paris', '+99:00', 'x'.repeat(50)]) assert.equal(zoneOffsetMs(tz), 0);
});

test('values are the same in every version, because state that was saved holds them', () => {
  const observed = call({
    method: 'GET',
    route: '/v1/orders/{id}',
    path: '/v1/orders/1.csv?page',
    host: 'api.example.com',
    status: 404,
    client_ip: '10.0.0.1',
    country: 'DE',
    user_agent: 'curl/8.5.0',
    client_id: 'web',
    tz: '+0200',
  });
  for (const _ of ['asked for the first time', 'remembered']) {
    assert.deepEqual(
      valuesOf(observed),
      [
        1943567299, 3761091214, 476670449, 4057793301, 3031071942, 509062016, 816128912, 2881894578, 2607181532,
        4221946297,
      ],
    );
  }
});
