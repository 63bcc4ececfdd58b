import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PolicyRule } from '../../src/config/policy-file.ts';
import { type Circumstances, failedCondition, stepFor } from '../../src/policy/rule.ts';
import { aFinding, policyOf } from './a-finding.ts';

const plain: Circumstances = {
  finding: aFinding(),
  at: Date.UTC(2026, 0, 2, 21, 30),
  risk: 60,
  level: 'MEDIUM',
  session: { risk: 30, level: 'LOW' },
  host: 'api.example.com',
  actorKind: 'human',
  route: '/orders/{id}',
};

const person = { identityKind: 'user', actorKind: 'human' } as const;
const tags = policyOf(`rules: []
tags: { money: { routes: ["/pay*", "/orders/*"] }, staff: { hosts: [staff.example.com] }, both: { routes: ["/orders/*"], hosts: ["api.*"] } }`).tags;

function ruleOf(text: string): PolicyRule {
  const declared = 'tags: { money: { routes: [x] }, staff: { routes: [x] }, both: { routes: [x] } }';
  const [rule] = policyOf(`${declared}\nrules: [{ name: r, action: throttle, ttl: 1m, why: because, ${text} }]`).rules;
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
    ['when: { sessionRiskMin: 30 }', true],
    ['when: { sessionRiskMin: 31 }', false],
    ['when: { sessionRiskLevelMin: LOW }', true],
    ['when: { sessionRiskLevelMin: MEDIUM }', false],
    ['when: { tags: [staff, money] }', true],
    ['when: { tags: [staff] }', false],
    ['when: { tags: [both] }', true],
    ['when: { hours: { from: "21:00", to: "22:00", timeZone: UTC } }', true],
    ['when: { hours: { from: "22:00", to: "06:00", timeZone: UTC } }', false],
  ];
  for (const [when, matches] of cases) {
    assert.equal(failedCondition(ruleOf(when), plain, tags) === undefined, matches, when);
  }
});

test('the first condition that fails is named, in the order in which they are asked', () => {
  assert.equal(failedCondition(ruleOf('when: { riskMin: 99, kinds: [off_hours] }'), plain, tags), 'kinds');
  assert.equal(
    failedCondition(ruleOf('when: { sessionRiskMin: 1 }'), { ...plain, session: null }, tags),
    'sessionRiskMin',
  );
});

test('hours are those of the time zone, over midnight and over the change of the clocks', () => {
  const night = ruleOf('when: { hours: { from: "22:00", to: "06:00", days: [fri], timeZone: Europe/Berlin } }');
  const at = (iso: string): boolean => failedCondition(night, { ...plain, at: Date.parse(iso) }, tags) === undefined;
  // Friday 2 January 2026, 22:30 in Berlin; the early hours of Saturday belong to Friday's night, those of Friday to Thursday's.
  assert.equal(at('2026-01-02T21:30:00Z'), true);
  assert.equal(at('2026-01-03T04:59:00Z'), true);
  assert.equal(at('2026-01-03T05:00:00Z'), false);
  assert.equal(at('2026-01-02T04:59:00Z'), false);
  // In summer Berlin is two hours ahead.
  assert.equal(at('2026-07-03T20:00:00Z'), true);
  assert.equal(at('2026-07-03T19:59:00Z'), false);
});

test('the ladder climbs by offence and stays on its last step', () => {
  const rule = ruleOf('escalate: [step-up, revoke-session]');
  assert.deepEqual(
    [1, 2, 3, 4, 99].map((offence) => stepFor(rule, offence, person)),
    ['throttle', 'step-up', 'revoke-session', 'revoke-session', 'revoke-session'],
  );
});

test('what cannot step up is throttled or revoked as the rule says, an address never revoked', () => {
  const rule = (text = '') => ruleOf(`escalate: [step-up] ${text}`);
  const service = { identityKind: 'client', actorKind: 'service' } as const;
  const key = { identityKind: 'api-key', actorKind: null } as const;
  const address = { identityKind: 'address', actorKind: null } as const;
  assert.equal(stepFor(rule(), 2, service), 'throttle');
  assert.equal(stepFor(rule(', insteadOfStepUp: revoke-identity'), 2, service), 'revoke-identity');
  assert.equal(stepFor(rule(), 2, key), 'throttle');
  assert.equal(stepFor(rule(', insteadOfStepUp: revoke-identity'), 2, address), 'throttle');
});
