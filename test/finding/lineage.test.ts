import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detectors } from '../../src/baseline/row-layout.ts';
import { RowSlab } from '../../src/baseline/row-slab.ts';
import type { TrafficEvent } from '../../src/event/traffic-event.ts';
import { Detector } from '../../src/finding/detect.ts';
import type { Finding } from '../../src/finding/finding.ts';
import { keyOf, Lineage } from '../../src/finding/lineage.ts';
import type { Entry } from '../../src/score/batch.ts';
import { equalFusion } from '../../src/score/fusion-folder.ts';
import { emptyJudgement } from '../../src/score/scorer.ts';
import { resolved, start } from '../property/traffic.ts';

const frame = 10_000;
const day = 86_400_000;
let calls = 0;

/** A call as pass 2 sees it; `events` counts the identity's, this one included. */
function entry(who: string, ts: number, of: Partial<TrafficEvent> & { names?: string[]; events?: number } = {}): Entry {
  const { names = [], events = 9, ...fields } = of;
  const id = `e${calls++}`;
  return {
    resolved: {
      ...resolved(id, who, { ts: start + ts, tenant: 'acme', method: names.length > 0 ? 'POST' : 'GET', ...fields }),
      object_ids: names,
    },
    ...{ row: 0, events, identities: 1, seq: calls, judged: true, late: false, surprise: 0, contributions: [] },
    ...{ judgement: emptyJudgement(), spared: null, detectors: new Float64Array(detectors.length), top: [] },
  } as unknown as Entry;
}

const born = (who: string, ts: number) => entry(who, ts, { events: 1 });
const suspect = (who: string, first_seen: number, severity = 'high') =>
  new Map([[keyOf(`user:acme:${who}`), [{ first_seen: start + first_seen, severity } as Finding]]]);

function told(lineage: Lineage, ts: number, suspects: Map<number, Finding[]>): string[] {
  const descents = lineage.advance(start + ts, (maker) => suspects.get(maker) ?? []);
  for (const { child, severity } of descents) lineage.told(child, severity);
  return descents.map(({ child, severity }) => `${child.identity.slice('user:acme:'.length)} ${severity}`);
}

test('who was made by somebody is told once something is claimed of him, if first seen since the evidence began', () => {
  const lineage = new Lineage();
  for (const each of [entry('admin', 0, { names: ['early', 'late'] }), born('early', 2000)]) lineage.see(each);
  assert.deepEqual(told(lineage, frame, new Map()), []);
  lineage.see(born('late', frame + 1000));
  const suspects = suspect('admin', 5000);
  assert.deepEqual(told(lineage, 2 * frame, suspects), ['late medium']);
  assert.deepEqual(told(lineage, 3 * frame, suspects), [], 'once');
  assert.deepEqual(told(lineage, 4 * frame, new Map()), ['late null'], 'and no longer than it is claimed');
});

test('a step less severe than the maker is, and raised with him', () => {
  const lineage = new Lineage();
  for (const each of [entry('admin', 0, { names: ['eve'] }), born('eve', 2000)]) lineage.see(each);
  assert.deepEqual(told(lineage, frame, suspect('admin', 0, 'medium')), ['eve low']);
  assert.deepEqual(told(lineage, 2 * frame, suspect('admin', 0, 'critical')), ['eve medium']);
  assert.deepEqual(told(lineage, 3 * frame, suspect('admin', 0, 'medium')), [], 'severity never falls');
});

test('reads, refusals, names that are only numbers, what one does to oneself, and what was long ago make nobody', () => {
  const suspects = suspect('admin', -day);
  const cases: readonly (readonly [string, Entry, number?])[] = [
    ['eve', entry('admin', 0, { names: ['eve'], method: 'GET' })],
    ['eve', entry('admin', 0, { names: ['eve'], status: 403 })],
    ['17', entry('admin', 0, { names: ['17'] })],
    ['admin', entry('admin', 0, { names: ['admin'] })],
    ['eve', entry('admin', 0, { names: ['eve'], tenant: 'other' })],
    ['eve', entry('admin', 0, { names: ['eve'] }), 2 * day],
  ];
  for (const [name, call, later = frame] of cases) {
    const lineage = new Lineage();
    lineage.see(call);
    told(lineage, frame, suspects);
    if (later > day) told(lineage, day, suspects);
    lineage.see(born(name, later));
    assert.deepEqual(told(lineage, later + frame, suspects), [], name);
  }
});

test('a machine is known by the last part of its name, and the first to write a name is its maker', () => {
  const lineage = new Lineage();
  lineage.see(entry('thief', 0, { names: ['i-0dbc91f429e48eeed'] }));
  told(lineage, frame, new Map());
  lineage.see(entry('ec2', frame, { names: ['i-0dbc91f429e48eeed'] }));
  lineage.see(born('arn:aws:sts::1:assumed-role/web/i-0dbc91f429e48eeed', frame));
  assert.deepEqual(told(lineage, 2 * frame, suspect('ec2', 0)), []);
  assert.equal(told(lineage, 3 * frame, suspect('thief', 0)).length, 1);
});

test('of one maker sixteen are told, whatever the order within the frame, and a copy goes on alike', () => {
  const names = Array.from({ length: 40 }, (_, i) => `bot-${i}`);
  const one = new Lineage();
  const other = new Lineage();
  const makers = [entry('admin', 0, { names }), entry('clerk', 0, { names: ['bot-3'] })];
  for (const each of makers) one.see(each);
  for (const each of [...makers].reverse()) other.see(each);
  for (const name of names) one.see(born(name, 0));
  const middle = new Lineage();
  middle.restore(structuredClone(one.snapshot()));
  for (const name of [...names].reverse()) other.see(born(name, 0));
  const suspects = suspect('admin', 0);
  const all = [one, other, middle].map((each) => [
    told(each, frame, suspects),
    told(each, 2 * frame, suspect('clerk', 0)),
  ]);
  assert.equal(all[0]![0]!.length, 16);
  assert.deepEqual(all[1], all[0]);
  assert.deepEqual(all[2], all[0]);
});

/** A detector that claims of `thief` that it is somebody else, and has seen what he made. */
function afterTheft() {
  const slab = new RowSlab(16);
  const detector = new Detector(slab, { findingsPer1000PerDay: 1, fusion: equalFusion, shard: 3 });
  const rows = ['thief', 'eve'].map((_, i) => slab.create(i + 1, i + 1));
  const observe = (each: Entry, row: number) => detector.observe({ ...each, row });
  const statistics = Float64Array.from(detectors, (name) => (name === 'token' ? 50 : 0));
  observe({ ...entry('thief', 0, { names: ['eve'] }), surprise: 4, detectors: statistics }, rows[0]!);
  observe(born('eve', 2000), rows[1]!);
  return detector;
}

test('the claim names the maker, is of the same incident, and goes when the maker proves to be himself', () => {
  const detector = afterTheft();
  const [claim] = detector.inherit(start + frame, 7);
  const [maker] = detector.openIds('user:acme:thief');
  const about = detector.feedback.openFinding('user:acme:thief', maker!)!;
  const { finding, change } = claim!;
  assert.equal(change, 'opened');
  assert.deepEqual([finding.kind, finding.identity, finding.state], ['suspect_origin', 'user:acme:eve', 'open']);
  assert.equal(finding.incident_id, about.incident_id);
  assert.ok(finding.title.includes('user thief, which'));
  assert.equal(finding.reasons[0]!.observed, 'user:acme:thief');
  assert.deepEqual(detector.openIds('user:acme:eve'), [finding.finding_id]);
  detector.acquit('user:acme:thief', 8);
  const ended = detector.inherit(start + 2 * frame, 9).map((each) => [each.finding.identity, each.finding.state]);
  assert.deepEqual(ended, [['user:acme:eve', 'closed']]);
  assert.deepEqual(detector.openIds('user:acme:eve'), []);
});

test('what people expect of an identity is not told of it', () => {
  const detector = afterTheft();
  const nobody = { peer_group: null, route: null, network: null, verdict_id: null, cause: null };
  const until = start + day;
  const about = { suppression_id: 'sup_1', identity: 'user:acme:eve', kinds: ['suspect_origin'] as const };
  detector.feedback.suppress({ ...nobody, ...about, owner: 'o', reason: 'r', until }, { at: start, seq: 1 });
  const [claim] = detector.inherit(start + frame, 7);
  assert.deepEqual([claim!.change, claim!.finding.state], ['suppressed', 'suppressed']);
  assert.deepEqual(detector.openIds('user:acme:eve'), []);
});
