import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  incidentOutcomes,
  onLookAlikes,
  peerOutcomes,
  peerSpending,
  rankings,
  spending,
  thresholdFor,
} from '../../src/evaluate/outcome.ts';
import { dayMs } from '../../src/evaluate/traffic.ts';
import type { Finding } from '../../src/finding/finding.ts';
import { identityKey } from '../../src/identity/identity-key.ts';
import { incidentOf, start, trafficOf } from './traffic.ts';

const key = (user: string) => identityKey('user', null, user);
const day = (n: number) => start + n * dayMs;

/** Only what outcomes look at. */
function findingOf(user: string, span: readonly [number, number], fields: Partial<Finding> = {}): Finding {
  const rest = { severity: 'medium', event_ids: [], reasons: [], ...fields };
  return { identity: key(user), first_seen: span[0], last_seen: span[1], ...rest } as unknown as Finding;
}

const scoresOf = (state: readonly number[]) => {
  const values = Float64Array.from(state);
  return { name: 'x', event: values, state: values, knownAt: Int32Array.from(state, (_, i) => i) };
};
const rows = [
  ['a', 'mallory', day(0)],
  ['b', 'mallory', day(2)],
  ['c', 'mallory', day(2) + 1000],
  ['d', 'mallory', day(2) + 2000],
  ['e', 'alice', day(2) + 3000],
  ['f', 'mallory', day(2) + 7_200_000],
  ['g', 'alice', day(3)],
] as const;
const attack = incidentOf({
  ids: ['b', 'c', 'd'],
  identities: [key('mallory')],
  first_ts: day(2),
  last_ts: day(2) + 2000,
  expected: ['novelty.'],
});
const reason = (feature: string) => ({ feature }) as Finding['reasons'][number];
const outcome = (finding: Finding, at: number) => {
  const traffic = trafficOf([attack], rows);
  return incidentOutcomes(traffic, { ...scoresOf(rows.map(() => 0)), budget: 1, raised: [{ finding, at }] })[0]!;
};

test('an incident is found by a finding that one of its calls raised; the delay counts that call', () => {
  const reasons = [reason('rate.calls'), reason('errors.share'), reason('novelty.route'), reason('context.network')];
  const found = outcome(findingOf('mallory', [day(2), day(2) + 1000], { severity: 'high', reasons }), 2);
  assert.deepEqual(
    { ...found, incident: 0 },
    { incident: 0, found: true, covered: true, delayEvents: 2, delayMs: 1000, reasonsRight: true, severity: 'high' },
  );
});

test('an expected reason that stands fourth is not seen', () => {
  const reasons = [reason('rate.calls'), reason('errors.share'), reason('volume.bytes'), reason('novelty.route')];
  assert.equal(outcome(findingOf('mallory', [day(2), day(2)], { reasons }), 1).reasonsRight, false);
});

test('a finding of somebody else, one that is too late, and one that was open before do not find an incident', () => {
  const wrong = outcome(findingOf('alice', [day(2) + 3000, day(2) + 3000]), 4);
  assert.ok(!wrong.found && !wrong.covered);
  const late = outcome(findingOf('mallory', [day(2) + 7_200_000, day(2) + 7_200_000], { event_ids: ['b'] }), 5);
  assert.ok(!late.found && !late.covered);
  const before = outcome(findingOf('mallory', [day(0), day(2) + 1000]), 0);
  assert.ok(!before.found && before.covered);
});

test('what is spent: findings of identities that no attack names, after the first day, over their active days', () => {
  const traffic = trafficOf([attack], [['i', 'bob', day(0)], ...rows, ['h', 'alice', day(3) + 1]]);
  const raised = [
    { finding: findingOf('alice', [day(2), day(2)]), at: 5 },
    { finding: findingOf('mallory', [day(2), day(2)]), at: 2 },
  ];
  // Alice on two days; Bob only on the first, which does not count; Mallory is attacked.
  const spent = { falseFindings: 1, identityDays: 2 };
  assert.deepEqual(spending(traffic, raised), { ...spent, ordinary: spent });
  assert.equal(onLookAlikes(spending(traffic, raised)), null, 'nobody looks like an attack');
});

test('a look-alike is innocent: what it raises is false', () => {
  const lookAlike = incidentOf({ ids: ['e'], kind: 'look-alike', identities: [key('alice')] });
  const traffic = trafficOf([lookAlike], rows);
  const spent = spending(traffic, [{ finding: findingOf('alice', [day(2), day(2)]), at: 4 }]);
  assert.equal(spent.falseFindings, 1);
  assert.equal(spent.ordinary?.falseFindings, 0, 'and not an ordinary identity');
  assert.equal(onLookAlikes(spent)?.falseFindings, 1);
});

test("a peer's alerts of one identity within three days are one false finding, so its threshold may go lower", () => {
  const innocent = [
    ['x0', 'zoe', day(0)],
    ['x1', 'alice', day(1)],
    ['x2', 'alice', day(2)],
    ['x3', 'bob', day(2)],
    ['x4', 'alice', day(3)],
    ['x5', 'alice', day(8)],
  ] as const;
  const traffic = trafficOf([], innocent);
  const scores = scoresOf([0, 9, 7, 6, 8, 5]);
  assert.equal(thresholdFor(traffic, scores, 0), 9);
  // Days 1 and 3 are one finding although day 2 is not yet alerting; day 2 joins them; then comes Bob.
  assert.equal(thresholdFor(traffic, scores, 1), 6);
  assert.equal(thresholdFor(traffic, scores, 2), 5);
  assert.equal(peerSpending(traffic, scores, 6.5).falseFindings, 1);
  assert.equal(peerSpending(traffic, scores, 0).falseFindings, 3);
});

test("a peer's finding comes when its score is known, and an alert that goes on from before an incident only covers it", () => {
  const traffic = trafficOf([attack], rows);
  const known = { ...scoresOf([0, 0, 5, 5, 0, 0, 0]), knownAt: Int32Array.of(0, 3, 3, 3, 4, 5, 6) };
  const found = peerOutcomes(traffic, known, 1)[0]!;
  assert.ok(found.found);
  assert.equal(found.delayEvents, 3);
  assert.equal(found.delayMs, 2000);
  const before = peerOutcomes(traffic, scoresOf([5, 0, 5, 0, 0, 0, 0]), 1)[0]!;
  assert.ok(!before.found && before.covered);
});

test('events are ranked by how odd they are themselves, and again by how suspicious their identity is with them', () => {
  const traffic = trafficOf([attack], rows);
  const isAttack = traffic.ts.map((_, i) => Number(traffic.isAttack(i)));
  const scores = scoresOf([...isAttack]);
  const { events, states, byFamily } = rankings(traffic, { ...scores, event: scores.event.map((each) => -each) });
  assert.deepEqual([events.auroc, states.auroc], [0, 1]);
  assert.equal(byFamily.get('f')!.states.averagePrecision, 1);
});

test('an identity-day is ranked by its highest state, and is of an attack when any of its events is', () => {
  const traffic = trafficOf([attack], rows);
  const { days, events, byFamily } = rankings(traffic, scoresOf([0, 1, 9, 1, 5, 0, 2]));
  assert.equal(days.attacks, 1);
  assert.equal(days.ordinary, 3);
  assert.equal(days.auroc, 1);
  assert.equal(events.attacks, 3);
  assert.equal(byFamily.get('f')!.days.auroc, 1);
});
