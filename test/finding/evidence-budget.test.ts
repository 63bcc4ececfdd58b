import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finishedDays } from '../../src/baseline/peaks.ts';
import { at, detectors } from '../../src/baseline/row-layout.ts';
import { RowSlab } from '../../src/baseline/row-slab.ts';
import { type Random, seededRandom } from '../../src/core/random.ts';
import { type Evidence, EvidenceBudget } from '../../src/finding/evidence-budget.ts';
import { equalFusion } from '../../src/score/fusion-folder.ts';

const day = 86_400_000;
const start = Date.UTC(2026, 0, 5);

/** How high the statistics of an identity's ordinary day go, in nats: three detectors on three scales. */
const worlds: Readonly<Record<string, (random: Random) => readonly number[]>> = {
  'light tails': (r) => [-3 * Math.log(1 - r.next()), -Math.log(1 - r.next()), -2 * Math.log(1 - r.next())],
  'heavy tails': (r) => [4 * ((1 - r.next()) ** -0.25 - 1), (1 - r.next()) ** -0.3 - 1, -8 * Math.log(1 - r.next())],
  'mostly nothing': (r) => [-5 * Math.log(1 - r.next()), 0, r.next() < 0.1 ? -6 * Math.log(1 - r.next()) : 0],
};

const evidence: Evidence = {
  alone: new Float64Array(detectors.length),
  loudest: 0,
  together: 0,
  strongest: 0,
  nats: 0,
};

function budgetOf(findingsPer1000PerDay: number): EvidenceBudget {
  return new EvidenceBudget({ findingsPer1000PerDay, fusion: equalFusion });
}

function statisticsOf(numbers: readonly number[]): Float64Array {
  const statistics = new Float64Array(detectors.length);
  statistics.set(numbers);
  return statistics;
}

/** The evidence of a first detector's statistic, for an identity that nothing is known of. */
function evidenceOf(budget: EvidenceBudget, statistic: number): number {
  const slab = new RowSlab(1);
  const place = { slab, row: slab.create(9, 9), ts: start, circle: 0 };
  budget.update(place, statisticsOf([statistic]), evidence);
  return evidence.together;
}

/** Per day, the identities of which a finding would have been opened. */
function findingsPerDay(world: (random: Random) => readonly number[], budget: EvidenceBudget, days: number): number[] {
  const identities = 3000;
  const random = seededRandom(11);
  const slab = new RowSlab(identities);
  const rows = Array.from({ length: identities }, (_, i) => slab.create(1, i));
  return Array.from({ length: days }, (_, d) => {
    let findings = 0;
    rows.forEach((row, i) => {
      const ts = start + d * day + i * 20_000;
      if (i % 500 === 0) budget.advance(slab, ts);
      slab.f32[row + finishedDays] = d;
      budget.update({ slab, row, ts, circle: 0 }, statisticsOf(world(random)), evidence);
      if (evidence.together >= budget.threshold) findings++;
    });
    budget.endDays(slab);
    return findings;
  });
}

for (const [name, world] of Object.entries(worlds)) {
  test(`the budget is met whatever the traffic looks like: ${name}, within 25 % from the third day on`, () => {
    const configured = 10;
    const perDay = findingsPerDay(world, budgetOf(configured), 21).slice(2);
    const realised = perDay.reduce((a, b) => a + b, 0) / perDay.length / 3;
    assert.ok(realised > 0.75 * configured && realised < 1.25 * configured, `${realised} per 1,000 identity-days`);
  });
}

test('while habits are so young that each day comes higher than all before it, a later day spends at most seven times its budget', () => {
  // As the days of people who are all alike do: an hour without a call is the odder, the more days are known.
  const scales = [1, 2, 3.5, 4.5];
  let calls = 0;
  const world = (random: Random) => [-scales[Math.floor(calls++ / 3000)]! * Math.log(1 - random.next()), 0, 0];
  const perDay = findingsPerDay(world, budgetOf(1), scales.length).slice(1);
  assert.ok(Math.max(...perDay) <= 20, `${perDay} of 3000, where 3 are configured`);
});

test('before the first day is over nothing but the assumption speaks, and it does not flood', () => {
  const [first] = findingsPerDay(worlds['light tails']!, budgetOf(1), 1);
  assert.ok(first! < 0.2 * 3000, `${first} of 3000`);
});

test('evidence of one kind is enough when it is strong enough, however little the detector weighs in the sum', () => {
  const light = new EvidenceBudget({ findingsPer1000PerDay: 1, fusion: detectors.map(() => 0.1) });
  assert.ok(evidenceOf(light, 10) < light.threshold);
  assert.ok(evidenceOf(light, 20) >= light.threshold);
});

test('among the first days, those that a finding was made of do not hide the next', () => {
  const [open, unnoticed] = [true, false].map((isFound) => {
    const slab = new RowSlab(16);
    const budget = budgetOf(1);
    for (let i = 0; i < 4; i++) {
      const row = slab.create(1, i);
      budget.update({ slab, row, ts: start, circle: 0 }, statisticsOf([1, 30]), evidence);
      if (isFound) slab.u32[row + at.gatedUntil] = (start + day) / 1000;
    }
    budget.advance(slab, start + 1);
    budget.update({ slab, row: slab.create(1, 9), ts: start + 1, circle: 0 }, statisticsOf([0, 20]), evidence);
    return evidence.together;
  });
  assert.ok(open! >= budgetOf(1).threshold, `${open}`);
  assert.ok(unnoticed! < budgetOf(1).threshold, `${unnoticed}`);
});

test('counting through objects is heard in nats as it is, whatever days of objects come to, and as long as it is counted', () => {
  const slab = new RowSlab(16);
  const budget = budgetOf(1);
  const place = { slab, row: slab.create(1, 1), ts: start, circle: 0 };
  const none = statisticsOf([0]);
  budget.update({ ...place, counting: 25 }, none, evidence);
  assert.equal(detectors[evidence.strongest], 'objects');
  assert.ok(evidence.together > 0 && evidence.loudest > 0);
  budget.update(place, none, evidence);
  assert.equal(evidence.together, 0);
});

test("a botnet's days, which the detector of sources tells apart, do not hide other attacks", () => {
  const source = detectors.indexOf('source');
  const [none, told, untold] = [0, 5, 0].map((says, i) => {
    const budget = budgetOf(1);
    const ordinary = worlds['light tails']!;
    let who = 0;
    findingsPerDay(
      (random) => {
        const numbers = [...ordinary(random), ...Array.from({ length: source - 3 }, () => 0), 0];
        if (i === 0 || ++who < 6000 || who % 20 !== 0) return numbers;
        return numbers.map((number, d) => (d === source ? says : 4 * number));
      },
      budget,
      4,
    );
    return evidenceOf(budget, 25);
  });
  assert.ok(Math.abs(told! - none!) < 0.1, `${told} with a botnet that is told apart, ${none} without`);
  assert.ok(untold! < none! - 0.3, `${untold} with one that is not, ${none} without`);
});

test('more evidence with a higher statistic, less of it where higher days are common', () => {
  const [quiet, loud] = [budgetOf(1), budgetOf(1)];
  findingsPerDay(() => [1, 1, 1], quiet, 3);
  findingsPerDay(() => [8, 8, 8], loud, 3);
  assert.ok(evidenceOf(quiet, 10) > evidenceOf(quiet, 5));
  assert.ok(evidenceOf(quiet, 5) > evidenceOf(loud, 5) + 0.5);
  assert.ok(Math.abs(budgetOf(1).threshold - 3) < 1e-9);
});

test('a day counts once, and an event from before midnight does not end the day that follows', () => {
  const slab = new RowSlab(1);
  const row = slab.create(1, 1);
  const budget = budgetOf(1);
  const seen = (ts: number, statistic: number): void =>
    budget.update({ slab, row, ts, circle: 0 }, statisticsOf([statistic]), evidence);
  seen(start, 5);
  seen(start + day, 1);
  seen(start + day - 1, 9);
  seen(start + day + 1, 2);
  seen(start + 2 * day, 0);
  budget.advance(slab, start + 2 * day);
  assert.equal(budget.snapshot().sums.later.over.total, 2);
  assert.equal(budget.snapshot().days, 2);
});

test('what is daily bread of machines is rare of people, and a role that nobody has seen is measured by the others', () => {
  const slab = new RowSlab(3000);
  const rows = Array.from({ length: 3000 }, (_, i) => slab.create(1, i));
  const budget = budgetOf(1);
  const random = seededRandom(5);
  for (let d = 0; d < 4; d++) {
    rows.forEach((row, i) => {
      const machine = i % 3 === 0;
      const statistic = (machine ? -6 : -1) * Math.log(1 - random.next());
      budget.update(
        { slab, row, ts: start + d * day, circle: budget.circleOf(machine ? 'service' : 'human') },
        statisticsOf([0, statistic]),
        evidence,
      );
    });
    budget.endDays(slab);
  }
  const [unseen, human, machine] = ['unseen', 'human', 'service'].map((role) => {
    const place = { slab: new RowSlab(1), row: 0, ts: start + 4 * day, circle: budget.circleOf(role) };
    place.row = place.slab.create(9, 9);
    budget.update(place, statisticsOf([0, 20]), evidence);
    return evidence.together;
  });
  assert.ok(human! > machine! + 1, `${human} and ${machine} decades`);
  assert.ok(unseen! < human! && unseen! > machine! - 0.5, `${unseen}`);
});

test("an identity's first day, which has no past to deviate from, is compared with first days, and later ones with later ones", () => {
  const slab = new RowSlab(9000);
  const budget = budgetOf(1);
  const random = seededRandom(3);
  const rows: number[] = [];
  for (let d = 0; d < 4; d++) {
    for (let i = 0; i < 1000; i++) {
      const row = slab.create(d + 1, i);
      slab.u32[row + at.firstSeen] = (start + d * day) / 1000;
      rows.push(row);
    }
    rows.forEach((row, i) => {
      const statistic = (i >= rows.length - 1000 ? -1 : -4) * Math.log(1 - random.next());
      budget.update({ slab, row, ts: start + d * day, circle: 0 }, statisticsOf([statistic]), evidence);
    });
    budget.endDays(slab);
  }
  const [first, later] = [4, 3].map((seen) => {
    const place = { slab, row: slab.create(9, seen), ts: start + 4 * day, circle: 0 };
    slab.u32[place.row + at.firstSeen] = (start + seen * day) / 1000;
    budget.update(place, statisticsOf([12]), evidence);
    return evidence.together;
  });
  assert.ok(first! > later! + 0.5, `${first} decades on a first day, ${later} on a later one`);
});

test('restored, it gives the same evidence', () => {
  const budget = budgetOf(1);
  findingsPerDay(worlds['heavy tails']!, budget, 3);
  const restored = budgetOf(1);
  restored.restore(structuredClone(budget.snapshot()));
  for (let s = 0; s < 60; s += 0.7) assert.equal(evidenceOf(restored, s), evidenceOf(budget, s));
});

test('the evidence in nats goes on where what is rare can no longer be told apart, and what counts the same calls twice is one fact', () => {
  const budget = budgetOf(1);
  const slab = new RowSlab(3);
  const natsOf = (numbers: Readonly<Record<string, number>>): number => {
    const row = slab.create(1, slab.size);
    budget.update(
      { slab, row, ts: start, circle: 0 },
      statisticsOf(detectors.map((name) => numbers[name] ?? 0)),
      evidence,
    );
    return evidence.nats;
  };
  const once = natsOf({ objects: 20 });
  assert.equal(natsOf({ objects: 20, change: 19, rate: 18 }), once);
  assert.ok(natsOf({ objects: 20, token: 20 }) > 1.5 * once);
});
