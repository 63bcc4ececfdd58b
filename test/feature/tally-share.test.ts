import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shareSurprise } from '../../src/baseline/statistics.ts';
import type { Family } from '../../src/feature/family.ts';
import { objects } from '../../src/feature/objects.ts';
import { learnShares } from '../../src/feature/tally-share.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { Bench, call, day, monday } from './moment.ts';

/** As the engine has it: shares are learned after all families. */
const family: Family = {
  ...objects,
  learn: (moment, weight) => {
    objects.learn(moment, weight);
    learnShares(moment, weight);
  },
};

function reads(start: number, count: number, objectOf: (i: number) => string | null): ResolvedEvent[] {
  return Array.from({ length: count }, (_, i) => {
    const object = objectOf(i);
    return { ...call({ ts: start + i * 5000 }), object_ids: object === null ? [] : [object] };
  });
}

/** Thirty newcomers of whose calls one in six is about an object that they have not touched. */
function peersThatLookAtLittle(bench: Bench): void {
  for (let who = 100; who < 130; who++) {
    bench.live(
      reads(monday, 30, (i) => (i % 6 === 0 ? `${who}-${i}` : null)),
      who,
    );
  }
  bench.endFrame(monday + day / 2);
}

const last = <T>(all: readonly T[]): T => all.at(-1)!;

test('a newcomer whose every call is about another object says so within 25 calls, before any window has ended', () => {
  const bench = new Bench(family);
  peersThatLookAtLittle(bench);
  const seen = bench.live(
    reads(monday + day / 2, 25, (i) => `secret-${i}`),
    1,
  );
  assert.ok(last(seen).deviations.first_touch! > 12, String(last(seen).deviations.first_touch));
  assert.ok(last(seen).statistic > 12);
});

test('a newcomer who does as newcomers do says nothing', () => {
  const bench = new Bench(family);
  peersThatLookAtLittle(bench);
  const seen = bench.live(
    reads(monday + day / 2, 30, (i) => (i % 6 === 0 ? `own-${i}` : null)),
    1,
  );
  assert.ok(Math.max(...seen.map(({ statistic }) => statistic)) < 5);
});

test("an identity's own way counts: whose days are all like that is expected to go on", () => {
  const fresh = new Bench(family);
  peersThatLookAtLittle(fresh);
  const alike = new Bench(family);
  peersThatLookAtLittle(alike);
  for (let n = 1; n <= 10; n++)
    alike.live(
      reads(monday + n * day, 25, (i) => `${n}-${i}`),
      1,
    );
  const firstTouch = (bench: Bench): number =>
    last(
      bench.live(
        reads(monday + 11 * day, 25, (i) => `new-${i}`),
        1,
      ),
    ).deviations.first_touch!;
  assert.ok(firstTouch(alike) < firstTouch(fresh) / 2);
});

test('a share is measured from its day on', () => {
  const bench = new Bench(family);
  peersThatLookAtLittle(bench);
  bench.live(
    reads(monday + day / 2, 25, (i) => `secret-${i}`),
    1,
  );
  const next = bench.judge({ ...call({ ts: monday + day + 1 }), object_ids: ['another'] }, 1);
  assert.ok(next.statistic < 5);
});

test('the Bayes factor of a share: nothing up to what is expected, 21.5 nats for the worked example, and never more than Ville allows', () => {
  assert.equal(shareSurprise(2, 20, { a: 2, b: 18 }), 0);
  assert.ok(Math.abs(shareSurprise(25, 25, { a: 2, b: 18 }) - 21.46) < 0.05);
  // Summed over all outcomes, weighed by their chance, a Bayes factor is at most one.
  for (const { a, b } of [
    { a: 2, b: 18 },
    { a: 0.5, b: 3 },
    { a: 9, b: 11 },
  ]) {
    let sum = 0;
    let chance = 1;
    const trials = 30;
    for (let i = 0; i < trials; i++) chance *= (b + i) / (a + b + i);
    for (let k = 0; k <= trials; k++) {
      const nats = shareSurprise(k, trials, { a, b });
      if (nats > 0) sum += chance * Math.exp(nats);
      chance *= (((trials - k) / (k + 1)) * (a + k)) / (b + trials - k - 1 || 1);
    }
    assert.ok(sum <= 1 + 1e-6, String(sum));
  }
});
