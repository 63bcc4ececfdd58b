import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { dimensionCount, families as familyNames } from '../../src/baseline/row-layout.ts';
import type { TrafficEvent } from '../../src/event/traffic-event.ts';
import { families, featureCount, featureHash, featureNames, featureOffsets } from '../../src/feature/registry.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { Bench, call, day, monday } from '../feature/moment.ts';

/** Every family of features passes the same checks. */
const extreme: fc.Arbitrary<ResolvedEvent> = fc
  .record({
    ts: fc.oneof(
      fc.integer({ min: monday, max: monday + 30 * day }),
      fc.constantFrom(monday - 900 * day, monday + 900 * day, 946_684_800_000, 4_102_444_800_000),
    ),
    route: fc.oneof(fc.constantFrom('/a', '/b/{id}', '/c'), fc.string({ unit: 'binary', minLength: 1 })),
    operation: fc.option(fc.string({ unit: 'binary' })),
    method: fc.option(fc.constantFrom('GET', 'POST', '')),
    status: fc.option(fc.constantFrom(100, 200, 204, 302, 401, 403, 404, 429, 500, 503, 999)),
    client_ip: fc.option(fc.constantFrom('10.0.0.1', '2001:db8::1', '::', 'not an address')),
    user_agent: fc.option(fc.string({ unit: 'binary' })),
    country: fc.option(fc.constantFrom('FR', 'US')),
    tz: fc.option(fc.constantFrom('+0200', '-11:30', 'garbage', '+99:99')),
    response_bytes: fc.option(fc.constantFrom(0, 1, 512, 2 ** 53, 1e300)),
    request_bytes: fc.option(fc.constantFrom(0, 77, 2 ** 53, 1e300)),
    sample_rate: fc.constantFrom(1, 1, 0.01, 1e-9),
  })
  .map((fields) => call(fields as Partial<TrafficEvent>));
const past = fc.array(
  fc.record({
    resolved: extreme,
    who: fc.constantFrom(1, 2),
    weight: fc.constantFrom(1, 0.3, 0.02),
    ends: fc.boolean(),
  }),
  { maxLength: 80, size: 'max' },
);
type Past = typeof past extends fc.Arbitrary<infer T> ? T : never;

for (const family of families) {
  const lived = (history: Past): Bench => {
    const bench = new Bench(family);
    for (const { resolved, who, weight, ends } of history) {
      bench.learn(resolved, { who, weight });
      if (ends) bench.endFrame();
    }
    return bench;
  };
  const settings = { numRuns: 60, endOnFailure: true } as const;

  describe(`family ${family.name}`, () => {
    test('judging changes neither the event, nor its observation, nor the row, nor the peers', () => {
      fc.assert(
        fc.property(past, extreme, (history, next) => {
          const bench = lived(history);
          const moment = bench.moment(next);
          const before = structuredClone({
            next,
            observation: moment.observation,
            rows: bench.slab.u32,
            population: bench.population.snapshot(),
          });
          family.extract(moment, new Float32Array(family.features.length), 0);
          family.features.forEach((_, i) => {
            family.describe(moment, i, next);
          });
          assert.deepEqual(
            { next, observation: moment.observation, rows: bench.slab.u32, population: bench.population.snapshot() },
            before,
          );
        }),
        settings,
      );
    });

    test('whatever comes, its numbers are finite, before and after it has learned from it', () => {
      fc.assert(
        fc.property(past, extreme, (history, next) => {
          const bench = lived(history);
          for (const resolved of [...history.map((each) => each.resolved), next]) {
            const { statistic, deviations } = bench.judge(resolved);
            assert.ok(Number.isFinite(statistic), `statistic ${statistic}`);
            for (const [name, value] of Object.entries(deviations))
              assert.ok(Number.isFinite(value), `${name} ${value}`);
            bench.learn(resolved);
          }
        }),
        settings,
      );
    });

    test('it writes its own features and nothing beside them', () => {
      fc.assert(
        fc.property(past, extreme, (history, next) => {
          const out = new Float32Array(family.features.length + 2).fill(7);
          family.extract(lived(history).moment(next), out, 1);
          assert.deepEqual([out[0], out.at(-1)], [7, 7]);
        }),
        settings,
      );
    });

    test('the same past gives the same numbers, and so does a row put back bit for bit', () => {
      fc.assert(
        fc.property(past, past, (history, more) => {
          const one = lived(history);
          const other = lived(history);
          other.slab.clear();
          for (const rows of one.slab.take('all', 3)) other.slab.put(rows);
          for (const { resolved, who, weight } of more) {
            assert.deepEqual(other.judge(resolved, who), one.judge(resolved, who));
            one.learn(resolved, { who, weight });
            other.learn(resolved, { who, weight });
          }
          assert.deepEqual(other.slab.take('all', 3), one.slab.take('all', 3));
        }),
        settings,
      );
    });

    test('an event that says nothing is no surprise and leaves nothing to be surprised at', () => {
      const bench = new Bench(family);
      const { statistic } = bench.judge(call({ method: null, status: null, route: null }));
      assert.ok(statistic <= 3, `${statistic}`);
    });

    test('each feature can be put into words, with a level and a sample', () => {
      fc.assert(
        fc.property(past, extreme, (history, next) => {
          const moment = lived(history).moment(next);
          family.features.forEach((_, i) => {
            const { text, level, sampleSize, low, high } = family.describe(moment, i, next);
            assert.ok(text.length > 10);
            assert.ok(['self', 'peers', 'everyone'].includes(level));
            assert.ok(Number.isFinite(sampleSize) && sampleSize >= 0);
            assert.ok(low === null || high === null || low <= high);
          });
        }),
        settings,
      );
    });
  });
}

test('the registry: families in the order of the row layout, names unique, offsets without gaps, a hash of it all', () => {
  assert.deepEqual(
    families.map(({ name }) => name),
    [...familyNames],
  );
  assert.equal(new Set(featureNames).size, featureCount);
  families.forEach((family, i) => {
    assert.equal((featureOffsets[i + 1] ?? featureCount) - featureOffsets[i]!, family.features.length);
  });
  assert.match(featureHash, /^[0-9a-f]{64}$/);
  assert.ok(dimensionCount > 0);
});
