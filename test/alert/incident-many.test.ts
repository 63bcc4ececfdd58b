import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Verdict } from '../../src/alert/alert-record.ts';
import { type Incident, take } from '../../src/alert/incident.ts';
import { alertMessage } from '../../src/alert/message.ts';
import { start } from '../policy/a-finding.ts';
import { anIncident, findingRecord } from './an-incident.ts';

const ann = { identity: 'user:acme:ann', finding_id: 'fnd_a', severity: 'high' } as const;
const bob = { identity: 'user:acme:bob', finding_id: 'fnd_b', severity: 'medium' } as const;
const verdict = (...finding_ids: string[]): { kind: 'verdict'; verdict: Verdict } => ({
  kind: 'verdict',
  verdict: { incident_id: 'inc_1', finding_ids, verdict: 'false-positive', by: 'carla', at: start },
});
const wordOf = ({ verdict: given }: Incident) => given?.verdict;
const told = { severity: 'high', status: 'open', at: start, handle: 'h' } as const;

test('a message about several identities is named after the worst, says how many more there are, and its buttons are about that one', () => {
  const message = alertMessage(
    anIncident(findingRecord(ann), findingRecord(bob), findingRecord({ ...bob, finding_id: 'fnd_c' })),
  );
  assert.equal(message.identity, ann.identity);
  assert.deepEqual(message.findingIds, ['fnd_a']);
  assert.deepEqual(
    message.facts.filter(({ label }) => label === 'Identity').map(({ value }) => value),
    ['user:acme:ann and 1 more'],
  );
});

test('a false alarm about one identity silences nothing that is open about another', () => {
  const incident = anIncident(findingRecord(ann), findingRecord(bob));
  assert.equal(take(incident, verdict('fnd_a'), start), false);
  assert.equal(wordOf(incident), undefined);
  take(incident, findingRecord({ ...bob, state: 'closed', version: 9 }), start);
  assert.ok(take(incident, verdict('fnd_a'), start));
  assert.equal(wordOf(incident), 'false-positive');
});

test('whoever joins an incident that was judged or is over is told as news; a finding more about the same one is not', () => {
  const judged = anIncident(findingRecord(ann), verdict('fnd_a'));
  judged.told = told;
  take(judged, findingRecord({ ...ann, finding_id: 'fnd_2' }), start);
  assert.deepEqual([judged.verdict?.verdict, judged.told], ['false-positive', told]);
  take(judged, findingRecord(bob), start);
  assert.deepEqual([judged.verdict, judged.told], [null, null]);

  const over = anIncident(findingRecord({ ...ann, state: 'closed' }));
  over.told = told;
  take(over, findingRecord(bob), start);
  assert.deepEqual([over.status, over.told], ['open', null]);

  const going = anIncident(findingRecord(ann));
  going.told = told;
  take(going, findingRecord(bob), start);
  assert.deepEqual(going.told, told);
});
