import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, detectors } from '../../src/baseline/row-layout.ts';
import { RowSlab } from '../../src/baseline/row-slab.ts';
import type { FindingEvent } from '../../src/finding/claim.ts';
import { Detector } from '../../src/finding/detect.ts';
import type { Finding } from '../../src/finding/finding.ts';
import type { Entry } from '../../src/score/batch.ts';
import type { Contribution } from '../../src/score/contribution.ts';
import { equalFusion } from '../../src/score/fusion-folder.ts';
import { emptyJudgement } from '../../src/score/scorer.ts';
import { resolved, start } from '../property/traffic.ts';

const hour = 3_600_000;
const day = 24 * hour;
const words = (feature: string, nats: number): Contribution => ({
  feature,
  nats,
  peers: 'acme|human|-',
  observed: {
    observed: 1,
    expected: 0,
    low: null,
    high: null,
    level: 'self',
    sampleSize: 9,
    text: `${feature} is odd`,
  },
});

/** Hands a detector entries as the batch would, with statistics given in nats. */
function bench() {
  const slab = new RowSlab(16);
  const detector = new Detector(slab, { findingsPer1000PerDay: 1, fusion: equalFusion, shard: 3 });
  let seq = 0;
  const see = (
    who: string,
    ts: number,
    of: {
      detectors?: readonly number[];
      surprise?: number;
      contributions?: readonly Contribution[];
      status?: number;
      family?: number;
    },
  ): readonly FindingEvent[] => {
    const key = who.charCodeAt(0);
    let row = slab.find(key, key);
    if (row < 0) row = slab.create(key, key);
    slab.f32[row + at.evidenceShares + (of.family ?? 1)] = 5;
    const entry = {
      resolved: resolved(`e${seq}`, who, { ts: start + ts, status: of.status ?? 200, tenant: 'acme' }),
      row,
      events: 40,
      identities: 1,
      seq: ++seq,
      judged: true,
      late: false,
      surprise: of.surprise ?? 0,
      contributions: of.contributions ?? [],
      judgement: emptyJudgement(),
      spared: null,
      detectors: Float64Array.from(detectors, (_, d) => of.detectors?.[d] ?? 0),
      top: [],
    } as unknown as Entry;
    return detector.observe(entry).changes;
  };
  return { slab, detector, see };
}
const odd = { detectors: [30, 0, 0], surprise: 4, contributions: [words('context.network', 6)] } as const;

test('an ordinary call leads to nothing and leaves nothing', () => {
  const { detector, see } = bench();
  assert.deepEqual(see('a', 0, {}), []);
  assert.deepEqual(detector.takeCases('all'), []);
});

test('one open finding per identity and detector, updated in place, under an id that follows from its claim', () => {
  const [one, other] = [bench(), bench()];
  const findings = [0, hour, 2 * hour].flatMap((ts) => one.see('a', ts, odd)).map(({ finding }) => finding);
  assert.equal(new Set(findings.map(({ finding_id }) => finding_id)).size, 1);
  assert.deepEqual(
    findings.map(({ count }) => count),
    [1, 2, 3],
  );
  assert.ok(findings.every((finding, i) => i === 0 || finding.version > findings[i - 1]!.version));
  assert.equal(other.see('a', 0, odd)[0]!.finding.finding_id, findings[0]!.finding_id, 'the same claim, the same id');
  assert.notEqual(other.see('b', 0, odd)[0]!.finding.finding_id, findings[0]!.finding_id);
  assert.deepEqual(one.detector.openIds('user:acme:a'), [findings[0]!.finding_id]);
});

test('two detectors make two findings of one incident, and the second adds to the severity', () => {
  const { see } = bench();
  const [first] = see('a', 0, odd);
  const both = see('a', hour, { ...odd, detectors: [30, 40, 0] });
  assert.deepEqual(
    both.map(({ finding }) => finding.kind),
    ['rate_spike', 'new_context'],
    'the stronger claims first',
  );
  assert.equal(new Set([first!, ...both].map(({ finding }) => finding.incident_id)).size, 1);
  const steps = ['low', 'medium', 'high', 'critical'];
  assert.ok(steps.indexOf(both[0]!.finding.severity) >= steps.indexOf(first!.finding.severity));
});

test('severity never falls while a finding is open, and refused attempts weigh less than successes', () => {
  const { see } = bench();
  const order = ['low', 'medium', 'high', 'critical'];
  const severities = [30, 9, 30, 12].map(
    (nats, i) => see('a', i * hour, { ...odd, family: 0, detectors: [nats, 0, 0] })[0]!,
  );
  const steps = severities.map(({ finding }) => order.indexOf(finding.severity));
  assert.deepEqual(
    [...steps].sort((a, b) => a - b),
    steps,
  );
  const refused = see('b', 0, { ...odd, family: 0, status: 401 })[0]!.finding;
  assert.ok(order.indexOf(refused.severity) < steps[0]!);
});

test('being elsewhere is no more than medium, nor is a busy day; both at once, or doing something else, are high', () => {
  const severityOf = (family: number, statistics: readonly number[]) =>
    bench().see('a', 0, { ...odd, family, detectors: statistics })[0]!.finding.severity;
  assert.deepEqual([severityOf(1, [30, 0, 0]), severityOf(1, [0, 40, 0])], ['medium', 'medium']);
  assert.deepEqual([severityOf(1, [30, 40, 0]), severityOf(0, [30, 0, 0])], ['high', 'high']);
  // What comes on a day in twenty is no sign of anything.
  assert.deepEqual([severityOf(0, [7, 40, 0]), severityOf(0, [10, 40, 0])], ['medium', 'high']);
});

test('after three quiet days a finding closes with what it last was; the next one is another claim', () => {
  const { detector, see } = bench();
  const [opened] = see('a', 0, odd);
  detector.keep({ ...opened!.finding, risk: 61 });
  assert.deepEqual(detector.closeQuiet(start + 2 * day, 9), []);
  const closed = detector.closeQuiet(start + 3 * day + 60_000, 10);
  assert.deepEqual(closed, [{ ...opened!.finding, risk: 61, state: 'closed', version: 10 }] satisfies Finding[]);
  assert.deepEqual(detector.openIds('user:acme:a'), []);
});

test('what was told is not told again until behaviour has calmed down, unless it is ten times as odd', () => {
  const { detector, see } = bench();
  const [opened] = see('a', 0, odd);
  detector.closeQuiet(start + 3 * day + 60_000, 10);
  assert.deepEqual(see('a', 4 * day, odd), []);
  const [louder] = see('a', 4 * day + 1, { ...odd, detectors: [30, 9, 9] });
  assert.notEqual(louder!.finding.finding_id, opened!.finding.finding_id);
  detector.closeQuiet(start + 8 * day, 11);
  see('a', 9 * day, {});
  assert.equal(see('a', 9 * day + 1, odd).length, 1);
});

test('learning is held back for an identity with an open finding, and only for it', () => {
  const { detector, see } = bench();
  see('a', 0, odd);
  see('b', 0, {});
  assert.deepEqual(detector.snapshot().gates, [{ identity: 'user:acme:a', until: (start + 3 * day) / 1000 }]);
});

test('a finding names its identity, what stood out, and where it comes from', () => {
  const { finding } = bench().see('a', 0, odd)[0]!;
  assert.match(finding.title, /context\.network is odd/);
  assert.deepEqual(
    { tenant: finding.tenant, shard: finding.shard, events: finding.event_ids, kind: finding.identity_kind },
    { tenant: 'acme', shard: 3, events: ['e0'], kind: 'user' },
  );
  assert.ok(finding.confidence > 0 && finding.confidence <= 1);
  assert.ok(finding.reasons.every(({ share }) => share > 0 && share <= 1));
});

test('restored, a detector goes on with the cases it had open', () => {
  const [one, other] = [bench(), bench()];
  for (const { see } of [one, other]) {
    see('a', 0, odd);
    see('b', 0, { surprise: 2, contributions: [words('novelty.function', 3)] });
  }
  const restored = new Detector(other.slab, { findingsPer1000PerDay: 1, fusion: equalFusion, shard: 3 });
  restored.restore(structuredClone(other.detector.snapshot()));
  restored.putCases(structuredClone(other.detector.takeCases('all')));
  assert.deepEqual(restored.closeQuiet(start + 3.1 * day, 7), one.detector.closeQuiet(start + 3.1 * day, 7));
  assert.deepEqual(restored.snapshot(), one.detector.snapshot());
  assert.deepEqual(restored.takeCases('all'), one.detector.takeCases('all'));
});

test('changes of cases put together are the cases, in the order in which they began', () => {
  const { detector, see } = bench();
  const copy = new Detector(bench().slab, { findingsPer1000PerDay: 1, fusion: equalFusion, shard: 3 });
  const carry = (): number => {
    const changes = structuredClone(detector.takeCases('changed'));
    copy.putCases(changes);
    assert.deepEqual(copy.takeCases('all'), structuredClone(detector.takeCases('all')));
    return changes.length;
  };
  const little = { surprise: 2, contributions: [words('novelty.function', 3)] } as const;
  for (const who of ['a', 'b', 'c']) see(who, 0, little);
  assert.equal(carry(), 3);
  see('b', hour, little);
  assert.equal(carry(), 1);
  assert.equal(carry(), 0);
  // An ordinary call of who has calmed down ends the case; the next odd one begins another, behind the others.
  see('a', 2 * hour, {});
  see('a', 3 * hour, little);
  assert.equal(carry(), 2);
  detector.closeQuiet(start + 60 * day, 7);
  carry();
  assert.deepEqual(copy.takeCases('all'), []);
});
