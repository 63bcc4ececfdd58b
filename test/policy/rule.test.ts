import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PolicyRule } from '../../src/config/policy-file.ts';
import { type Circumstances, firstMatch, globMatches, stepFor } from '../../src/policy/rule.ts';
import { aFinding, policyOf } from './a-finding.ts';

const plain: Circumstances = {
  finding: aFinding(),
  risk: 60,
  level: 'MEDIUM',
  actorKind: 'human',
  route: '/orders/{id}',
};

function ruleOf(text: string): PolicyRule {
  const [rule] = policyOf(`rules: [{ name: r, action: throttle, ttl: 1m, why: because, ${text} }]`).rules;
  assert.ok(rule);
  return rule;
}

test('each condition excludes what it does not describe', () => {
  const cases: readonly [string, boolean][] = [
    ['when: {}', true],
    ['when: { kinds: [new_context, rate_spike] }', true],
    ['when: { kinds: [rate_spike] }', false],
    ['when: { severityMin: high }', true],
    ['when: { severityMin: critical }', false],
    ['when: { confidenceMin: 1 }', true],
    ['when: { riskMin: 60 }', true],
    ['when: { riskMin: 60.1 }', false],
    ['when: { riskLevelMin: LOW }', true],
    ['when: { riskLevelMin: HIGH }', false],
    ['when: { identityKinds: [user] }', true],
    ['when: { identityKinds: [address] }', false],
    ['when: { actorKind: human }', true],
    ['when: { actorKind: service }', false],
    ['when: { routes: ["/admin/*", "/orders/*"] }', true],
    ['when: { routes: ["/orders"] }', false],
    ['when: { tenants: [acme] }', true],
    ['when: { tenants: ["b*"] }', false],
    ['when: { severityMin: high, kinds: [rate_spike] }', false],
  ];
  for (const [when, matches] of cases) {
    assert.equal(firstMatch([ruleOf(when)], plain) !== undefined, matches, when);
  }
});

test('the first matching rule wins', () => {
  const { rules } = policyOf(`rules:
    - { name: never, when: { kinds: [off_hours] }, action: observe, ttl: 1m, why: x }
    - { name: first, action: notify, ttl: 1m, why: x }
    - { name: second, action: throttle, ttl: 1m, why: x }`);
  assert.equal(firstMatch(rules, plain)?.name, 'first');
});

test('the ladder climbs by offence and stays on its last step', () => {
  const rule = ruleOf('escalate: [step-up, revoke-session]');
  assert.deepEqual(
    [1, 2, 3, 4, 99].map((offence) => stepFor(rule, offence, plain)),
    ['throttle', 'step-up', 'revoke-session', 'revoke-session', 'revoke-session'],
  );
});

test('what cannot step up is throttled or revoked as the rule says, an address never revoked', () => {
  const rule = (text = '') => ruleOf(`escalate: [step-up] ${text}`);
  const service = { ...plain, actorKind: 'service' as const };
  const key = { ...plain, actorKind: null, finding: aFinding({ identity_kind: 'api-key' }) };
  const address = { ...plain, actorKind: null, finding: aFinding({ identity_kind: 'address' }) };
  assert.equal(stepFor(rule(), 2, service), 'throttle');
  assert.equal(stepFor(rule(', insteadOfStepUp: revoke-identity'), 2, service), 'revoke-identity');
  assert.equal(stepFor(rule(), 2, key), 'throttle');
  assert.equal(stepFor(rule(', insteadOfStepUp: revoke-identity'), 2, address), 'throttle');
});

test('a star stands for any run of characters and nothing else is special', () => {
  for (const [glob, text, matches] of [
    ['*', '', true],
    ['a*', 'a', true],
    ['a*c', 'abc', true],
    ['a*c', 'ac', true],
    ['a*a', 'a', false],
    ['*b*b*', 'abcb', true],
    ['*b*b', 'ab', false],
    ['a.c', 'abc', false],
    ['(a+)+$', 'aaaa', false],
    ['user:acme:*', 'user:acme:alice', true],
  ] as const) {
    assert.equal(globMatches(glob, text), matches, `${glob} ${text}`);
  }
});
