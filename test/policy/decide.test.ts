import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPolicy } from '../../src/policy/decide.ts';
import type { FindingChange } from '../../src/policy/judge.ts';
import { aChange, hour, minute, policyOf, start } from './a-finding.ts';

const enforcing = (rule: string, rest = '') =>
  policyOf(`mode: enforce\n${rest}\nrules: [{ name: r, ttl: 10m, why: Because., ${rule} }]`);
const actionsOf = (policy: ReturnType<typeof createPolicy>, change: FindingChange) =>
  policy.onFinding(change).decisions.map(({ action, mode }) => `${action} ${mode}`);

test('a decision says who, what, why, on which findings and until when', () => {
  const { decisions } = createPolicy(
    policyOf('rules: [{ name: r, ttl: 10m, why: Because., action: throttle }]'),
  ).onFinding(aChange());
  assert.equal(decisions.length, 1);
  const { decision_id, ...rest } = decisions[0]!;
  assert.match(decision_id, /^dec_[0-9a-f]{24}$/);
  assert.deepEqual(rest, {
    version: 1,
    change: 'made',
    scope: 'identity',
    by: 'policy',
    session_risk: null,
    token_id: null,
    client_ip: null,
    acr_values: [],
    max_age: null,
    issued_before: null,
    updated_at: start,
    identity: 'user:acme:alice',
    identity_kind: 'user',
    tenant: 'acme',
    action: 'throttle',
    ended: null,
    mode: 'shadow',
    rule: 'r',
    why: 'Because.',
    finding_ids: ['fnd_1'],
    incident_id: 'inc_fnd_1',
    risk: 60,
    risk_level: 'MEDIUM',
    session_id: null,
    made_at: start,
    expires_at: start + 10 * minute,
    shard: 0,
  });
});

test('a decision is not repeated while it is open, and going on afterwards is the next offence', () => {
  const policy = createPolicy(enforcing('action: throttle, escalate: [step-up]'));
  assert.deepEqual(actionsOf(policy, aChange()), ['throttle enforce']);
  assert.deepEqual(actionsOf(policy, aChange({}, { change: 'updated', at: start + 9 * minute })), []);
  assert.deepEqual(actionsOf(policy, aChange({}, { change: 'updated', at: start + 10 * minute })), ['step-up enforce']);
});

test('two findings of one incident are one offence, two incidents are two', () => {
  const rule = 'action: throttle, escalate: [step-up]';
  const one = createPolicy(enforcing(rule));
  actionsOf(one, aChange({ incident_id: 'i' }));
  assert.deepEqual(actionsOf(one, aChange({ finding_id: 'fnd_2', incident_id: 'i' })), []);
  const two = createPolicy(enforcing(rule));
  actionsOf(two, aChange());
  assert.deepEqual(actionsOf(two, aChange({ finding_id: 'fnd_2' })), ['step-up enforce']);
});

test('after the offence window the ladder begins anew, under another decision id', () => {
  const policy = createPolicy(enforcing('action: throttle, escalate: [step-up]', 'offenceWindow: 1h'));
  const first = policy.onFinding(aChange()).decisions[0];
  const later = policy.onFinding(aChange({}, { change: 'updated', at: start + 2 * hour })).decisions[0];
  assert.equal(later?.action, 'throttle');
  assert.notEqual(later?.decision_id, first?.decision_id);
});

test('a revoked session does not cover another session of the same identity', () => {
  const policy = createPolicy(enforcing('action: revoke-session'));
  assert.equal(policy.onFinding(aChange({}, { sessionId: 's1' })).decisions[0]?.session_id, 's1');
  assert.deepEqual(actionsOf(policy, aChange({}, { change: 'updated', sessionId: 's1' })), []);
  assert.deepEqual(actionsOf(policy, aChange({}, { change: 'updated', sessionId: 's2' })), ['revoke-session enforce']);
});

test('an open shadow decision does not stand in the way of an enforced one', () => {
  const policy = createPolicy(
    policyOf(`mode: shadow
rules:
  - { name: strong, when: { severityMin: critical }, action: throttle, ttl: 1h, mode: enforce, why: x }
  - { name: weak, action: throttle, ttl: 1h, why: x }`),
  );
  assert.deepEqual(actionsOf(policy, aChange()), ['throttle shadow']);
  assert.deepEqual(actionsOf(policy, aChange({ severity: 'critical' }, { change: 'escalated' })), ['throttle enforce']);
  assert.deepEqual(actionsOf(policy, aChange({}, { change: 'updated' })), []);
});

test('whoever is on the allowlist is learned and shown but never acted on, until the entry ends', () => {
  const policy = createPolicy(
    enforcing(
      'action: revoke-identity',
      `allowlist:
  - { identity: "user:acme:a*", until: "2026-01-01T01:00:00Z", owner: platform team, reason: load test }
  - { network: 192.0.2.0/24, until: "2027-01-01T00:00:00Z", owner: security, reason: penetration test }`,
    ),
  );
  const { decisions, risk } = policy.onFinding(aChange());
  assert.equal(risk, 60, 'the risk is shown all the same');
  assert.deepEqual(
    decisions.map(({ action, mode, why }) => ({ action, mode, why })),
    [
      {
        action: 'observe',
        mode: 'shadow',
        why: 'Because. Not acted on (would be revoke-identity): allowed by platform team: load test',
      },
    ],
  );
  const bob = { identity: 'user:acme:bob' };
  assert.deepEqual(actionsOf(policy, aChange(bob, { clientIp: '::ffff:192.0.2.7' })), ['observe shadow']);
  assert.deepEqual(actionsOf(policy, aChange(bob, { clientIp: '192.0.3.1' })), ['revoke-identity enforce']);
  assert.deepEqual(actionsOf(policy, aChange({}, { at: start + hour })), ['revoke-identity enforce']);
});

test('beyond the cap on revocations everything becomes shadow and one page goes out', () => {
  const policy = createPolicy(
    enforcing('action: revoke-identity', 'guardrails: { revocationsMax: 2, activeShareMax: 1 }'),
  );
  const decided = Array.from({ length: 5 }, (_, i) =>
    actionsOf(policy, aChange({ identity: `user:acme:${i}` }, { at: start + i })),
  );
  assert.deepEqual(decided, [
    ['revoke-identity enforce'],
    ['revoke-identity enforce'],
    ['revoke-identity shadow', 'notify enforce'],
    ['revoke-identity shadow'],
    ['revoke-identity shadow'],
  ]);
  const later = aChange({ identity: 'user:acme:9' }, { at: start + 11 * minute });
  assert.deepEqual(actionsOf(policy, later), ['revoke-identity enforce']);
});

test('the cap holds as a share of the active identities', () => {
  const policy = createPolicy(
    enforcing('action: revoke-identity', 'guardrails: { revocationsMax: 100, activeShareMax: 0.01 }'),
  );
  const revoked = Array.from({ length: 300 }, (_, i) =>
    actionsOf(policy, aChange({ identity: `user:acme:${i}` }, { activeIdentities: 1000 })),
  );
  assert.equal(revoked.flat().filter((text) => text === 'revoke-identity enforce').length, 10);
});

test('the shares of all shards add up to the cap', () => {
  const config = enforcing('action: revoke-identity', 'guardrails: { revocationsMax: 10, activeShareMax: 1 }');
  const enforced = [0, 1, 2, 3].flatMap((shard) => {
    const policy = createPolicy(config, { shard, shards: 4 });
    return Array.from({ length: 10 }, (_, i) => actionsOf(policy, aChange({ identity: `user:acme:${shard}.${i}` })));
  });
  assert.equal(enforced.flat().filter((text) => text === 'revoke-identity enforce').length, 10);
});

test('a closed finding decides nothing', () => {
  assert.deepEqual(actionsOf(createPolicy(enforcing('action: throttle')), aChange({ state: 'closed' })), []);
});

test('an identity whose risk has decayed is forgotten, and one with an open decision is not', () => {
  const policy = createPolicy(enforcing('action: throttle'));
  policy.onFinding(aChange());
  policy.advance(start + 24 * hour);
  assert.equal(policy.size(), 1);
  assert.equal(policy.riskOf('user:acme:alice', start + 24 * hour), 3.8);
  policy.advance(start + 48 * hour);
  assert.equal(policy.size(), 0);
  assert.equal(policy.riskOf('user:acme:alice', start + 48 * hour), 0);
});

test('at the limit the identity touched longest ago is forgotten', () => {
  const policy = createPolicy(enforcing('action: throttle', 'risk: { identitiesMax: 2 }'));
  for (const name of ['a', 'b', 'a', 'c']) policy.onFinding(aChange({ identity: name }));
  assert.equal(policy.size(), 2);
  assert.equal(policy.riskOf('b', start), 0);
  assert.equal(policy.riskOf('a', start), 60);
});

test('a snapshot of another version is refused', () => {
  const policy = createPolicy(enforcing('action: throttle'));
  assert.throws(() => policy.restore('{"version":3}'), { code: 'STATE_INVALID' });
});

test('each session has a risk of its own; the identity has that of all', () => {
  const policy = createPolicy(enforcing('action: revoke-session'));
  const risks = (finding_id: string, sessionId: string) =>
    policy.onFinding(aChange({ finding_id }, { sessionId })).decisions.map((of) => [of.session_risk, of.risk]);
  assert.deepEqual(risks('fnd_1', 's1'), [[60, 60]]);
  assert.deepEqual(risks('fnd_2', 's2'), [[60, 84]]);
});

test('a rule is in shadow or in earnest by its own word, whatever the file says', () => {
  const decided = (file: string, rule: string): readonly string[] =>
    actionsOf(
      createPolicy(policyOf(`mode: ${file}\nrules: [{ name: r, ttl: 10m, why: x, action: throttle${rule} }]`)),
      aChange(),
    );
  assert.deepEqual(decided('enforce', ', mode: shadow'), ['throttle shadow']);
  assert.deepEqual(decided('shadow', ', mode: enforce'), ['throttle enforce']);
  assert.deepEqual(decided('enforce', ', mode: inherit'), ['throttle enforce']);
  assert.deepEqual(decided('shadow', ''), ['throttle shadow']);
});

test('all that an allowance names must hold: a route alone, or a route of one identity', () => {
  const allowing = (what: string) =>
    createPolicy(
      enforcing('action: throttle', `allowlist: [{ ${what}, until: "2027-01-01T00:00:00Z", owner: o, reason: r }]`),
    );
  const on = (what: string, route: string): readonly string[] => actionsOf(allowing(what), aChange({}, { route }));
  assert.deepEqual(on('route: "/export/*"', '/export/{id}'), ['observe shadow']);
  assert.deepEqual(on('route: "/export/*"', '/orders/{id}'), ['throttle enforce']);
  assert.deepEqual(on('route: "/export/*", identity: "user:acme:bob"', '/export/{id}'), ['throttle enforce']);
});
