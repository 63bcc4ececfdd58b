import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Decision, Receipt } from '../../src/policy/decision.ts';
import { type CallsSince, DecisionWatch } from '../../src/policy/decision-watch.ts';
import { aDecision } from '../signal/a-decision.ts';
import { start } from './a-finding.ts';

const second = 1000;
const made = { made_at: start, updated_at: start, expires_at: start + 900 * second } as const;

function aWatch(...decisions: readonly Partial<Decision>[]) {
  const watch = new DecisionWatch({ afterMs: 60 * second, perMinute: 60 });
  for (const fields of decisions)
    watch.onDecision(aDecision({ decision_id: 'dec_1', action: 'revoke-session', ...made, ...fields }));
  const look = (at: number, calls: readonly Partial<CallsSince>[] | null) => {
    const [due] = watch.due(start + at, 10);
    if (due === undefined) return 'not due';
    const whole = calls?.map((some) => ({ source: 'nginx', calls: 1, passed: 0, refused: 0, ...some })) ?? null;
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

test('a decision whose calls stopped is effective, and its gateway has acknowledged it in its log', () => {
  const { watch, look } = aWatch({});
  watch.onReceipt(receipt({}));
  assert.equal(watch.unseen(start + 61 * second), 0);
  assert.equal(look(30 * second, []), 'not due');
  assert.deepEqual(look(61 * second, [{ calls: 7, refused: 7 }]), ['nginx acknowledged 7', 'traffic effective 0']);
  assert.deepEqual(look(122 * second, [{ calls: 3 }]), [], 'what was told is not told again');
});

test('calls that go on are an alarm, once; when they stop after all that is told as well', () => {
  const { watch, look } = aWatch({});
  assert.equal(watch.unseen(start + 61 * second), 1);
  assert.deepEqual(look(61 * second, [{ calls: 12, passed: 12 }]), ['traffic ineffective 12', 'alarm']);
  assert.deepEqual(look(122 * second, [{ calls: 9, passed: 9 }]), []);
  assert.deepEqual(look(183 * second, [{ calls: 5, refused: 5 }]), ['nginx acknowledged 5', 'traffic effective 0']);
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

test('a throttled identity may go on as slowly as it is allowed to', () => {
  assert.deepEqual(aWatch({ action: 'throttle' }).look(61 * second, [{ calls: 300, passed: 58, refused: 242 }]), [
    'nginx acknowledged 242',
    'traffic effective 58',
  ]);
  assert.deepEqual(aWatch({ action: 'throttle' }).look(61 * second, [{ calls: 300, passed: 300 }]), [
    'traffic ineffective 300',
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
  watch.onDecision(aDecision({ decision_id: 'dec_1', action: 'revoke-session', ...made }));
  assert.deepEqual(look(61 * second, [{ calls: 12, passed: 12 }]), []);
});
