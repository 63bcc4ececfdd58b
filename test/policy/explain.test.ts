import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPolicy } from '../../src/policy/decide.ts';
import type { Decision } from '../../src/policy/decision.ts';
import { explain } from '../../src/policy/explain.ts';
import type { FindingChange } from '../../src/policy/judge.ts';
import { aChange, minute, policyOf, start } from './a-finding.ts';
import { aNotice, lockOut } from './a-notice.ts';

const config = policyOf(`mode: enforce
guardrails: { revocationsMax: 0 }
rules:
  - { name: noise, when: { severityMin: low, kinds: [off_hours] }, action: observe, ttl: 1h, why: x }
  - { name: strong, when: { riskLevelMin: HIGH }, action: revoke-identity, ttl: 1h, why: x }
  - { name: usual, when: { severityMin: high }, action: throttle, escalate: [step-up], ttl: 1h, why: Because. }
  - { name: rest, action: observe, ttl: 1h, why: x }`);

/** What the store would hold after a change: the finding as it was rated, and every decision in its newest version. */
function told(change: FindingChange, more: (made: readonly Decision[]) => Parameters<typeof aNotice>[] = () => []) {
  const policy = createPolicy(config);
  const { risk, decisions } = policy.onFinding(change);
  const after = more(decisions).flatMap((notice) => policy.onNotice(aNotice(...notice)));
  const newest = new Map([...decisions, ...after].map((each) => [each.decision_id, each]));
  const finding = { ...change.finding, risk, last_seen: change.at };
  const all = [...newest.values()];
  const pages = all.filter(({ rule }) => rule === 'guardrail');
  return { decisions, explained: explain(config, { finding, call: change, decisions: all }, pages) };
}

test('the rule that won is named, and of each other the first condition that failed', () => {
  const { explained, decisions } = told(aChange({}, { sessionId: 's1' }));
  assert.deepEqual(explained.rules, [
    { rule: 'noise', failed: 'kinds' },
    { rule: 'strong', failed: 'riskLevelMin' },
    { rule: 'usual', failed: null },
    { rule: 'rest', failed: null },
  ]);
  const { rule, why, ladder, step, offence, risk, session_risk, covered_by, outcome } = explained;
  assert.deepEqual(
    { rule, why, ladder, step, offence, risk, session_risk },
    {
      rule: 'usual',
      why: 'Because.',
      ladder: ['throttle', 'step-up'],
      step: 'throttle',
      offence: 1,
      risk: 60,
      session_risk: 60,
    },
  );
  assert.equal(covered_by, decisions[0]?.decision_id);
  assert.match(outcome, /^Decision dec_\w+ of rule usual stands\.$/);
});

test('what a person decided, took back or vouched for is told', () => {
  const manual = told(aChange(), () => [['decide', { ...lockOut, action: 'observe' }]]);
  assert.equal(manual.explained.outcome, 'A person decided observe: Asked by phone.');
  const back = told(aChange(), ([made]) => [['restore', { decision_id: made!.decision_id, at: start + minute }]]);
  assert.match(back.explained.outcome, /^desk took dec_\w+ back: Asked by phone\.$/);
  const vouched = policyOf(`rules: [{ name: r, action: throttle, ttl: 1h, why: x }]
allowlist: [{ identity: "user:*", until: "2027-01-01T00:00:00Z", owner: ops, reason: a test }]`);
  const { finding, ...call } = aChange();
  const { outcome } = explain(vouched, { finding: { ...finding, last_seen: start }, call, decisions: [] }, []);
  assert.equal(outcome, 'Rule r would ask for throttle, but ops vouches for it: a test');
});

test('a guardrail that has tripped, a closed finding and the lack of a rule are told', () => {
  const { explained } = told(aChange({ severity: 'critical' }));
  assert.equal(explained.rule, 'strong');
  assert.ok(explained.guardrail_until !== null);
  assert.match(told(aChange({ state: 'closed' })).explained.outcome, /closed finding decides nothing/);
  const { finding, ...call } = aChange();
  const none = explain(policyOf('rules: []'), { finding, call, decisions: [] }, []);
  assert.deepEqual([none.rule, none.outcome], [null, 'No rule holds, so nothing is decided.']);
});
