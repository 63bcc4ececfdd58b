import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callName, timelineOf } from '../../src/role/incident-timeline.ts';
import type { IncidentParts } from '../../src/store/queries-incidents.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 0, 5, 12, 0, second)).toISOString();
const none = { findings: [], decisions: [], receipts: [], notes: [], verdicts: [], events: [] };
const decision = {
  decision_id: 'd',
  identity: 'user:acme:ann',
  action: 'step-up',
  ended: '',
  mode: 'enforce',
  change: 'made',
  by: 'policy',
  rule: 'high-risk',
  why: 'because',
  made_at: at(3),
  updated_at: at(9),
};
const texts = (parts: object): readonly string[] =>
  timelineOf({ ...none, ...parts } as Omit<IncidentParts, 'incident'>).map(({ text }) => text);

test('moments stand in the order of time, and causes before what they led to', () => {
  const timeline = timelineOf({
    ...none,
    notes: [{ note_id: 'n', at: at(3), who: 'carla', kind: 'comment', text: 'hm' }],
    decisions: [decision],
    findings: [
      { finding_id: 'f', first_seen: at(3), last_seen: at(5), severity: 'high', title: 't', state: 'closed', count: 2 },
    ],
    events: [
      {
        ts: at(3),
        event_id: 'e',
        identity: 'i',
        method: 'GET',
        host: 'h',
        route: '/',
        operation: '',
        status: 200,
        client_ip: '',
        country: '',
        surprise: 3,
      },
    ],
  } as unknown as Omit<IncidentParts, 'incident'>);
  assert.deepEqual(
    timeline.map(({ type, ref }) => [type, ref]),
    [
      ['event', 'e'],
      ['finding', 'f'],
      ['decision', 'd'],
      ['comment', 'n'],
      ['finding', 'f'],
    ],
  );
});

test('a decision says what it was and how it ended, and a shadow decision is never told as done', () => {
  assert.deepEqual(texts({ decisions: [decision] }), [
    'step-up was decided about user:acme:ann by the rule high-risk: because',
  ]);
  assert.deepEqual(texts({ decisions: [{ ...decision, mode: 'shadow' }] }), [
    'step-up would have been decided about user:acme:ann by the rule high-risk: because',
  ]);
  const restored = {
    ...decision,
    action: 'restore',
    ended: 'step-up',
    change: 'restored',
    by: 'carla',
    why: 'it was her',
  };
  assert.deepEqual(texts({ decisions: [restored] }), [
    'step-up was decided about user:acme:ann by the rule high-risk',
    'step-up was restored by carla: it was her',
  ]);
  assert.equal(texts({ decisions: [{ ...decision, change: 'expired' }] })[1], 'step-up: its time is over');
});

test('what people did with the case and said of its findings is told with their names', () => {
  const note = { at: at(1), note_id: 'n', who: 'carla' };
  const verdict = {
    at: at(2),
    verdict_id: 'v',
    finding_id: 'f',
    by: 'dan',
    verdict: 'benign',
    note: 'a test',
    state: 'undone',
  };
  assert.deepEqual(
    texts({
      notes: [
        { ...note, kind: 'assign', text: 'dan' },
        { ...note, kind: 'assign', text: '' },
        { ...note, kind: 'close', text: 'done' },
        { ...note, kind: 'reopen', text: 'not done' },
      ],
      verdicts: [verdict],
    }),
    [
      'carla assigned it to dan',
      'carla assigned it to nobody',
      'carla closed it: done',
      'carla opened it again: not done',
      'dan: benign (taken back): a test',
    ],
  );
});

test('a call is named once: some sources name an operation as the route', () => {
  assert.equal(callName({ method: 'GET', host: 'h', route: '/a', operation: 'op' }), 'GET h/a op');
  assert.equal(
    callName({ method: 'GET', host: 'h', route: 'kms:Decrypt', operation: 'kms:Decrypt' }),
    'GET h kms:Decrypt',
  );
});
