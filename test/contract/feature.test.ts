import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { dimensionCount, families as familyNames } from '../../src/baseline/row-layout.ts';
import type { TrafficEvent } from '../../src/event/traffic-event.ts';
import { Baselines } from '../../src/feature/baselines.ts';
import { families, featureCount, featureHash, featureNames, featureOffsets } from '../../src/feature/registry.ts';
import type { IdentityKey, ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { Bench, call, day, monday } from '../feature/moment.ts';

/** Every family of features passes the same checks, on events that say everything, in texts and numbers as extreme as a source may send. */
const text = fc.string({ unit: 'binary' });
const few = <T>(...values: T[]) => fc.option(fc.constantFrom(...values));
const extreme: fc.Arbitrary<ResolvedEvent> = fc
  .record({
    fields: fc.record({
      ts: fc.oneof(
        fc.integer({ min: monday, max: monday + 30 * day }),
        fc.constantFrom(monday - 900 * day, monday + 900 * day, 946_684_800_000, 4_102_444_800_000),
      ),
      tenant: few('acme', 'other'),
      route: fc.oneof(fc.constantFrom('/a', '/b/{id}', '/c'), fc.string({ unit: 'binary', minLength: 1 })),
      operation: fc.option(text),
      method: few('GET', 'POST', 'DELETE', ''),
      status: few(100, 200, 204, 302, 401, 403, 404, 429, 500, 503, 999),
      client_ip: few('10.0.0.1', '10.0.0.2', '2001:db8::1', '::', 'not an address'),
      user_agent: fc.option(text),
      ja4: few('t13d1', 't13d2', ''),
      country: few('FR', 'US', 'XX'),
      latitude: few(-90, 0, 48.8),
      longitude: few(-180, 0, 2.3, 180),
      asn: few(0, 64_500, 4_294_967_295),
      tz: few('+0200', '-11:30', 'garbage', '+99:99'),
      response_bytes: few(0, 1, 512, 2 ** 53, 1e300),
      request_bytes: few(0, 77, 2 ** 53, 1e300),
      rows: few(0, 10, 2 ** 53),
      sensitive: few({}, { email: 3 }, { email: 2 ** 53, __proto__: 1 }),
      sample_rate: fc.constantFrom(1, 1, 0.01, 1e-9),
      client_id: few('app', 'batch'),
      session_id: few('s1', 's2'),
      token_id: few('t1', 't2', 't3'),
      token_exp: few(0, 4_102_444_800),
      auth_time: few(0, 1_780_000_000, 4_102_444_800),
      auth_result: few('success' as const, 'failure' as const),
      scopes: few([], ['read'], ['read', 'write', 'read']),
      roles: few([], ['admin'], ['clerk', 'admin']),
    }),
    objects: fc.array(fc.oneof(fc.constantFrom('1', '2', '3', '999999999999999999999'), text), { maxLength: 3 }),
    who: fc.constantFrom('alice', 'bob'),
    refused: fc.boolean(),
  })
  .map(({ fields, objects, who, refused }) => ({
    ...call(fields as Partial<TrafficEvent>),
    object_ids: objects,
    ...(refused && fields.status === 401
      ? { ...address, claimed_identity: `user:-:${who}` as IdentityKey }
      : { identity: `user:-:${who}` as IdentityKey }),
  }));
const address = { identity: 'address:-:10.0.0.1' as IdentityKey, identity_kind: 'address' } as const;

const past = fc.array(fc.record({ resolved: extreme, weight: fc.constantFrom(1, 0.3, 0.02), ends: fc.boolean() }), {
  maxLength: 60,
  size: 'max',
});
type Past = typeof past extends fc.Arbitrary<infer T> ? T : never;
const settings = { numRuns: 30, endOnFailure: true } as const;

/** A number for each identity, as the bench wants one. */
const whoIs = ({ identity }: ResolvedEvent): number => identity.charCodeAt(7);

for (const family of families) {
  const live = (bench: Bench, history: Past): Bench => {
    for (const { resolved, weight, ends } of history) {
      bench.judge(resolved, whoIs(resolved));
      bench.learn(resolved, { who: whoIs(resolved), weight });
      if (ends) bench.endFrame(resolved.event.ts);
    }
    return bench;
  };
  const lived = (history: Past): Bench => live(new Bench(family), history);
  /** All that a family may look at. */
  const stateOf = (bench: Bench) => ({
    rows: bench.slab.u32,
    active: bench.active.u32,
    population: bench.population.snapshot(),
    shared: bench.shared.snapshot(),
  });

  describe(`family ${family.name}`, () => {
    test('judging changes neither the event, nor its observation, nor the rows, nor what is known across identities', () => {
      fc.assert(
        fc.property(past, extreme, (history, next) => {
          const bench = lived(history);
          const moment = bench.moment(next, whoIs(next));
          const { observation } = moment;
          const before = structuredClone({ next, observation, state: stateOf(bench) });
          family.extract(moment, new Float32Array(family.features.length), 0);
          family.features.forEach((_, i) => {
            family.describe(moment, i, next);
          });
          assert.deepEqual({ next, observation, state: stateOf(bench) }, before);
        }),
        settings,
      );
    });

    test('whatever comes, its numbers are finite, before and after it has learned from it', () => {
      fc.assert(
        fc.property(past, extreme, (history, next) => {
          const bench = lived(history);
          for (const resolved of [...history.map((each) => each.resolved), next]) {
            const { statistic, deviations } = bench.judge(resolved, whoIs(resolved));
            assert.ok(Number.isFinite(statistic), `statistic ${statistic}`);
            for (const [name, value] of Object.entries(deviations))
              assert.ok(Number.isFinite(value), `${name} ${value}`);
            bench.learn(resolved, { who: whoIs(resolved) });
          }
        }),
        settings,
      );
    });

    test('it writes its own features and nothing beside them', () => {
      fc.assert(
        fc.property(past, extreme, (history, next) => {
          const out = new Float32Array(family.features.length + 2).fill(7);
          family.extract(lived(history).moment(next, whoIs(next)), out, 1);
          assert.deepEqual([out[0], out.at(-1)], [7, 7]);
        }),
        settings,
      );
    });

    test('what is put back from a snapshot goes on to give the same numbers, bit for bit', () => {
      fc.assert(
        fc.property(past, past, (history, more) => {
          const one = lived(history);
          const other = new Bench(family);
          for (const rows of one.slab.take('all', 3)) other.slab.put(rows);
          for (const rows of one.active.take('all', 3)) other.active.put(rows);
          other.population.restore(stored(one.population.snapshot()));
          other.shared.restore(stored(one.shared.snapshot()));
          for (const { resolved, weight, ends } of more) {
            const who = whoIs(resolved);
            assert.deepEqual(other.judge(resolved, who), one.judge(resolved, who));
            live(other, [{ resolved, weight, ends }]);
            live(one, [{ resolved, weight, ends }]);
          }
          assert.deepEqual(other.slab.take('all', 3), one.slab.take('all', 3));
          assert.deepEqual(other.active.take('all', 3), one.active.take('all', 3));
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
          const moment = lived(history).moment(next, whoIs(next));
          family.extract(moment, new Float32Array(family.features.length), 0);
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

/** As a checkpoint writes it and a restart reads it. */
function stored<T>(snapshot: T): T {
  return deserialize(serialize(snapshot)) as T;
}

/** The deviations of all families for each event, as the engine makes them, and the state that it leaves. */
function numbersOf(baselines: Baselines, history: Past): Map<ResolvedEvent, number[]> {
  const numbers = new Map<ResolvedEvent, number[]>();
  const out = new Float32Array(featureCount);
  for (const { resolved, weight, ends } of history) {
    const moment = baselines.enter(resolved);
    families.forEach((family, i) => {
      family.extract(moment, out, featureOffsets[i]!);
    });
    numbers.set(resolved, [...out]);
    baselines.learn(weight);
    if (ends) baselines.advance(resolved.event.ts);
  }
  return numbers;
}
const fresh = () => new Baselines({ identitiesMax: 100, activeMax: 100 });

test('every table across identities survives a snapshot: all families go on to give the same numbers', () => {
  const filled = new Set<string>();
  fc.assert(
    fc.property(past, past, (history, more) => {
      const one = fresh();
      numbersOf(one, history);
      const other = fresh();
      for (const rows of one.slab.take('all', 7)) other.slab.put(rows);
      for (const rows of one.active.take('all', 7)) other.active.put(rows);
      const snapshot = one.snapshot();
      for (const [name, table] of Object.entries(snapshot.shared))
        if (!serialize(table).equals(serialize(empty[name]))) filled.add(name);
      other.restore(stored(snapshot));
      assert.deepEqual(numbersOf(other, more), numbersOf(one, more));
    }),
    settings,
  );
  assert.deepEqual([...filled].sort(), Object.keys(empty).sort(), 'each of them held something');
});
const empty: Readonly<Record<string, unknown>> = fresh().snapshot().shared;

test('in which order a frame adds what different identities did is nothing that the next frame can see', () => {
  fc.assert(
    fc.property(past, past, past, (before, frame, after) => {
      const during = frame.map((each) => ({ ...each, ends: false }));
      const apart = [...during].sort((a, b) => whoIs(a.resolved) - whoIs(b.resolved));
      const [one, other] = [fresh(), fresh()];
      numbersOf(one, before);
      numbersOf(other, before);
      assert.deepEqual(numbersOf(other, apart), numbersOf(one, during), 'nor can the frame itself');
      one.advance(monday + 40 * day);
      other.advance(monday + 40 * day);
      assert.deepEqual(numbersOf(other, after), numbersOf(one, after));
    }),
    settings,
  );
});

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
