import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findingKinds, severities } from '../../src/finding/finding.ts';
import { createPolicy } from '../../src/policy/decide.ts';
import { actions, type Decision } from '../../src/policy/decision.ts';
import type { FindingChange } from '../../src/policy/judge.ts';
import { aChange, minute, policyOf, start } from './a-finding.ts';

const config = policyOf(`mode: enforce
guardrails: { revocationsMax: 3, activeShareMax: 0.05 }
risk: { identitiesMax: 6 }
rules:
  - { name: hard, when: { riskLevelMin: HIGH }, action: step-up, escalate: [revoke-session, revoke-identity], ttl: 7m, why: x }
  - { name: soft, when: { severityMin: medium }, action: throttle, escalate: [step-up], ttl: 3m, why: x }
  - { name: rest, action: notify, ttl: 20m, why: x }`);

const step = fc.record({
  identity: fc.constantFrom('user:acme:a', 'user:acme:b', 'user:acme:c', 'user:acme:d', 'user:acme:e'),
  finding: fc.integer({ min: 1, max: 3 }),
  kind: fc.constantFrom(...findingKinds),
  severity: fc.constantFrom(...severities),
  confidence: fc.double({ min: 0, max: 1, noNaN: true }),
  session: fc.constantFrom(null, 's1', 's2'),
  service: fc.boolean(),
  afterMs: fc.integer({ min: 0, max: 4 * minute }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function changesOf(steps: readonly Step[]): readonly FindingChange[] {
  let at = start;
  return steps.map(({ identity, finding, kind, severity, confidence, session, service, afterMs }) => {
    at += afterMs;
    const finding_id = `fnd_${identity}_${finding}`;
    return aChange(
      { identity, finding_id, kind, severity, confidence },
      { at, sessionId: session, actorKind: service ? 'service' : 'human', activeIdentities: 50 },
    );
  });
}

const sequences = fc.array(step, { maxLength: 120 }).map(changesOf);

test('no decision repeats an open one, none shares an id, and the guardrail is never exceeded', () => {
  fc.assert(
    fc.property(sequences, (changes) => {
      const policy = createPolicy(config);
      const made: Decision[] = [];
      for (const change of changes) {
        for (const decision of policy.onFinding(change).decisions) {
          if (decision.rule !== 'guardrail') assert.ok(!made.some((open) => repeats(open, decision)), 'repeated');
          made.push(decision);
        }
      }
      assert.equal(new Set(made.map((decision) => decision.decision_id)).size, made.length);
      const revocations = made.filter(({ action, mode }) => action.startsWith('revoke') && mode === 'enforce');
      for (const { made_at } of revocations) {
        const window = revocations.filter((each) => each.made_at > made_at - 10 * minute && each.made_at <= made_at);
        assert.ok(window.length <= 2, `${window.length} revocations in ten minutes, 5 % of 50 are 2`);
      }
    }),
    { verbose: 1 },
  );
});

test('one finding that is about two sessions in one millisecond ends both', () => {
  const policy = createPolicy(config);
  const about = (finding: string, severity: 'low' | 'critical', sessionId: string | null) =>
    policy.onFinding(
      aChange(
        { identity: 'user:acme:b', finding_id: finding, kind: 'rate_spike', severity, confidence: 0.8 },
        { at: start, sessionId, actorKind: 'human', activeIdentities: 50 },
      ),
    ).decisions;
  about('fnd_2', 'critical', null);
  const made = [...about('fnd_1', 'low', 's1'), ...about('fnd_1', 'low', null)];
  assert.deepEqual(
    made.map(({ action, scope }) => [action, scope]),
    [
      ['revoke-session', 'session'],
      ['revoke-session', 'identity'],
    ],
  );
  assert.notEqual(made[0]!.decision_id, made[1]!.decision_id);
});

function repeats(open: Decision, next: Decision): boolean {
  if (open.identity !== next.identity || open.expires_at <= next.made_at || open.rule === 'guardrail') return false;
  if (open.mode === 'shadow' && next.mode === 'enforce') return false;
  if (open.action === 'revoke-session' && next.action === 'revoke-session') {
    return open.session_id === null || open.session_id === next.session_id;
  }
  return actions.indexOf(open.action) >= actions.indexOf(next.action);
}

test('a snapshot taken anywhere, and memory freed at any time, change no result', () => {
  fc.assert(
    fc.property(sequences, fc.nat(), (changes, cut) => {
      const undisturbed = createPolicy(config);
      const expected = changes.map((change) => undisturbed.onFinding(change));
      let policy = createPolicy(config);
      const actual = changes.map((change, i) => {
        if (i === cut % (changes.length + 1)) {
          const next = createPolicy(config);
          next.restore(policy.snapshot());
          policy = next;
        }
        if (i % 3 === 0) policy.advance(change.at);
        return policy.onFinding(change);
      });
      assert.deepEqual(actual, expected);
    }),
    { verbose: 1 },
  );
});
