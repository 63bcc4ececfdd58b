import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Decision, Receipt } from '../../src/policy/decision.ts';
import { type CallsSince, DecisionWatch } from '../../src/policy/decision-watch.ts';
import { aDecision } from '../signal/a-decision.ts';
import { start } from './a-finding.ts';

const second = 1000;
const made = { made_at: start, updated_at: start, expires_at: start + 900 * second } as const;

function aWatch(...decisions: readonly Partial<Decision>[]) {
  const watch = new DecisionWatch({ afterMs: 60 * second, throttle: { perMinute: 60, burst: 10 } });
  for (const fields of decisions)
    watch.onDecision(aDecision({ decision_id: 'dec_1', action: 'revoke-session', ...made, ...fields }));
  const look = (at: number, calls: readonly Partial<CallsSince>[] | null) => {
    const [due] = watch.due(start + at, 10);
    if (due === undefined) return 'not due';
    const whole = calls?.map((some) => ({ source: '', calls: 1, passed: 0, refused: 0, ...some })) ?? null;
    const { receipts, isAlarming } = watch.judge(due, whole, start + at);
    return [
      ...receipts.map(({ target, state, attempts }) => `${target} ${state} ${attempts}`),
      ...(isAlarming ? ['alarm'] : []),
    ];
  };
  return { watch, look };
}

const receipt = (fields: Partial<Receipt>): Receipt => ({
  decision_id: 'dec_1',
  target: 'nginx-1',
  state: 'seen',
  attempts: 1,
  status: null,
  detail: '',
  at: start + second,
  ...fields,
});

test('a decision whose calls stopped is effective, and the gateway whose log names it has acknowledged it', () => {
  const { watch, look } = aWatch({});
  watch.onReceipt(receipt({}));
  assert.equal(watch.unseen(start + 61 * second), 0);
  assert.equal(look(30 * second, []), 'not due');
  const stopped = ['nginx-1 acknowledged 7', 'nginx-1 effective 0', 'traffic effective 0'];
  assert.deepEqual(look(61 * second, [{ source: 'nginx-1', calls: 7, refused: 7 }]), stopped);
  const more = [{ source: 'nginx-1', calls: 3, refused: 3 }];
  assert.deepEqual(look(122 * second, more), [], 'what was told is not told again');
});

test('of two points the one that lets calls through is told apart from the one that refuses them, and stops in its own time', () => {
  const { look } = aWatch({});
  const first = look(61 * second, [
    { source: 'edge-1', calls: 7, refused: 7 },
    { source: 'edge-2', calls: 5, passed: 5 },
  ]);
  assert.deepEqual(first, [
    'edge-1 acknowledged 7',
    'edge-1 effective 0',
    'edge-2 ineffective 5',
    'traffic ineffective 5',
    'alarm',
  ]);
  const later = look(122 * second, [{ source: 'edge-2', calls: 3, refused: 3 }]);
  assert.deepEqual(later, ['edge-2 acknowledged 3', 'edge-2 effective 0', 'traffic effective 0']);
});

test('a point that no call came through, and calls that name no point, say nothing of any point', () => {
  const { watch, look } = aWatch({});
  watch.onReceipt(receipt({ target: 'bouncer' }));
  const calls = [{ calls: 4, passed: 1 }, { source: 'traffic', calls: 2 }, { source: 'x'.repeat(201) }];
  assert.deepEqual(look(61 * second, calls), ['traffic ineffective 1', 'alarm']);
});

test('the alarm says through which points calls passed, the leakiest first', () => {
  const { watch } = aWatch({});
  const calls = [
    { source: 'edge-1', calls: 7, passed: 0, refused: 7 },
    { source: 'edge-2', calls: 5, passed: 4, refused: 1 },
    { source: '', calls: 9, passed: 8, refused: 0 },
  ];
  const { receipts } = watch.judge(watch.due(start + 62 * second, 1)[0]!, calls, start + 62 * second);
  const said = '12 of 21 calls passed in 60 s (through no named point 8, edge-2 4); taken by nobody';
  assert.equal(receipts.at(-1)?.detail, said);
});

test('calls through a point from before it had the decision say nothing of it', () => {
  const { watch } = aWatch({});
  watch.onReceipt(receipt({ target: 'edge-1', at: start + second }));
  watch.onReceipt(receipt({ target: 'bouncer', state: 'delivered', at: start + 30 * second }));
  // Its second step does not begin its time anew.
  watch.onReceipt(receipt({ target: 'bouncer', state: 'acknowledged', at: start + 50 * second }));
  const look = watch.due(start + 61 * second, 1)[0]!;
  assert.equal(look.from, start + 3 * second);
  assert.deepEqual([...look.takenAt], [['bouncer', start + 32 * second]]);
});

test('calls that go on are an alarm, once; when they stop after all that is told as well', () => {
  const { watch, look } = aWatch({});
  assert.equal(watch.unseen(start + 61 * second), 1);
  assert.deepEqual(look(61 * second, [{ calls: 12, passed: 12 }]), ['traffic ineffective 12', 'alarm']);
  assert.deepEqual(look(122 * second, [{ calls: 9, passed: 9 }]), []);
  assert.deepEqual(look(183 * second, [{ calls: 5, refused: 5 }]), ['traffic effective 0']);
});

test('an identity that makes no call is no alarm, however long nobody has seen the decision', () => {
  const { watch, look } = aWatch({});
  assert.deepEqual(look(61 * second, []), []);
  assert.equal(watch.unseen(start + 61 * second), 1, 'the metric counts it');
});

test('calls that the store shows late are looked at all the same', () => {
  const { watch, look } = aWatch({});
  assert.deepEqual(look(61 * second, []), []);
  assert.equal(watch.due(start + 130 * second, 1)[0]?.from, start + 2 * second);
  assert.deepEqual(look(200 * second, [{ calls: 4, passed: 4 }]), ['traffic ineffective 4', 'alarm']);
});

test('only calls from after the first who took it count, and where nobody can be asked, that nobody took it is the alarm', () => {
  const { watch, look } = aWatch({});
  watch.onReceipt(receipt({ at: start + 40 * second }));
  assert.equal(watch.due(start + 61 * second, 1)[0]?.from, start + 42 * second);
  const blind = aWatch({});
  assert.deepEqual(blind.look(61 * second, null), ['traffic unseen 0', 'alarm']);
  const seen = aWatch({});
  seen.watch.onReceipt(receipt({ state: 'delivered', target: 'webhook' }));
  assert.deepEqual(seen.look(61 * second, null), []);
  assert.deepEqual(look(61 * second, [{}]), 'not due');
});

test('a throttled identity may go on as slowly as it is allowed to, after its burst', () => {
  const asAllowed = [{ source: 'nginx', calls: 300, passed: 70, refused: 230 }];
  assert.deepEqual(aWatch({ action: 'throttle' }).look(61 * second, asAllowed), [
    'nginx acknowledged 230',
    'nginx effective 70',
    'traffic effective 70',
  ]);
  assert.deepEqual(aWatch({ action: 'throttle' }).look(61 * second, [{ calls: 300, passed: 71 }]), [
    'traffic ineffective 71',
    'alarm',
  ]);
});

test('shadow decisions, notifications, and those that were restored or are over are not watched', () => {
  for (const fields of [{ mode: 'shadow' }, { action: 'notify' }, { action: 'observe' }] as const) {
    const { watch, look } = aWatch(fields);
    assert.deepEqual([watch.unseen(start + 61 * second), look(61 * second, [{ calls: 9, passed: 9 }])], [0, 'not due']);
  }
  const restored = aWatch({}, { version: 2, change: 'restored', action: 'restore' });
  assert.equal(restored.look(61 * second, []), 'not due');
  const over = aWatch({});
  assert.equal(over.look(901 * second, []), 'not due');
  assert.equal(over.watch.unseen(start + 901 * second), 0);
});

test('a restarted process that has read the receipts of an earlier one alarms nobody again', () => {
  const { watch, look } = aWatch();
  watch.onReceipt(receipt({ target: 'traffic', state: 'ineffective' }));
  watch.onReceipt(receipt({ target: 'edge-1', state: 'acknowledged' }));
  watch.onReceipt(receipt({ target: 'edge-1', state: 'ineffective' }));
  watch.onDecision(aDecision({ decision_id: 'dec_1', action: 'revoke-session', ...made }));
  assert.deepEqual(look(61 * second, [{ source: 'edge-1', calls: 12, passed: 11, refused: 1 }]), []);
});

test('a stronger version that has no effect is an alarm of its own, after a restart too; one that only lasts longer is not', () => {
  const passing = [{ calls: 12, passed: 12 }];
  const next = { version: 2, action: 'revoke-identity', updated_at: start + 100 * second } as const;
  const { watch, look } = aWatch({});
  assert.deepEqual(look(61 * second, passing), ['traffic ineffective 12', 'alarm']);
  watch.onDecision(aDecision({ decision_id: 'dec_1', ...made, ...next, change: 'escalated' }));
  assert.deepEqual(look(161 * second, passing), ['traffic ineffective 12', 'alarm']);
  watch.onDecision(aDecision({ decision_id: 'dec_1', ...made, ...next, version: 3, change: 'extended' }));
  assert.deepEqual(look(261 * second, passing), []);
  const again = aWatch({ ...next, change: 'escalated' });
  again.watch.onReceipt(receipt({ target: 'traffic', state: 'ineffective', at: start + 61 * second }));
  assert.deepEqual(again.look(161 * second, passing), ['traffic ineffective 12', 'alarm']);
});

test('what was read about a version that has been replaced meanwhile is no word about the newer one', () => {
  const { watch } = aWatch({});
  const due = watch.due(start + 61 * second, 1)[0]!;
  watch.onDecision(aDecision({ decision_id: 'dec_1', ...made, version: 2, change: 'escalated' }));
  const calls = [{ source: '', calls: 9, passed: 9, refused: 0 }];
  assert.deepEqual(watch.judge(due, calls, start + 62 * second), { receipts: [], isAlarming: false });
});
