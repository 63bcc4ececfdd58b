import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IdentityKey } from '../../src/identity/resolved-event.ts';
import { createPolicy } from '../../src/policy/decide.ts';
import type { Decision } from '../../src/policy/decision.ts';
import { callerNamed, DecisionTable } from '../../src/policy/decision-table.ts';
import { readNotice } from '../../src/policy/notice.ts';
import { aChange, hour, minute, policyOf, start } from './a-finding.ts';
import { aNotice, lockOut } from './a-notice.ts';

const stepUp = (rest = '') =>
  createPolicy(
    policyOf(`mode: enforce
${rest}
rules: [{ name: r, action: step-up, escalate: [revoke-session], ttl: 1h, why: Because. }]`),
  );
const told = (decisions: readonly Decision[]): readonly string[] =>
  decisions.map(({ version, change, scope, action, mode }) => `${version} ${change} ${action} ${scope} ${mode}`);
const call = (sessionId: string | null, at = start, finding = 'fnd_1') =>
  aChange({ finding_id: finding }, { sessionId, tokenId: 'j', clientIp: '192.0.2.1', at });

test('a person decides: who, why and until when are theirs, and the same again extends it', () => {
  const policy = stepUp();
  const [made] = policy.onNotice(aNotice('decide', lockOut));
  assert.ok(made);
  const { by, why, rule, identity_kind, tenant, expires_at, issued_before } = made;
  assert.deepEqual(
    { by, why, rule, identity_kind, tenant },
    { by: 'desk', why: 'Asked by phone.', rule: 'manual', identity_kind: 'user', tenant: 'acme' },
  );
  assert.deepEqual([expires_at, issued_before], [start + hour, start]);
  const [more, ...rest] = policy.onNotice(aNotice('decide', { ...lockOut, at: start + minute }));
  assert.deepEqual(rest, []);
  assert.deepEqual(
    [more?.decision_id, more?.version, more?.change, more?.expires_at],
    [made.decision_id, 2, 'extended', start + minute + hour],
  );
});

test('a person’s decision ends what policy decided by itself, and stands above it until its time is over', () => {
  const policy = stepUp();
  assert.deepEqual(told(policy.onFinding(call('s1')).decisions), ['1 made step-up identity enforce']);
  const calm = { action: 'observe', mode: 'enforce', ttl_ms: 10 * minute } as const;
  assert.deepEqual(told(policy.onNotice(aNotice('decide', calm))), [
    '1 made observe identity enforce',
    '2 restored restore identity enforce',
  ]);
  assert.deepEqual(policy.onFinding(call('s1', start + 5 * minute, 'fnd_2')).decisions, []);
  assert.equal(policy.onFinding(call('s1', start + 10 * minute, 'fnd_2')).decisions.length, 1);
});

test('a rehearsed decision of a person replaces nothing, and one about a session leaves the others alone', () => {
  const policy = stepUp();
  policy.onFinding(call('s1'));
  assert.deepEqual(told(policy.onNotice(aNotice('decide', { ...lockOut, mode: 'shadow' }))), [
    '1 made revoke-identity identity shadow',
  ]);
  assert.deepEqual(
    told(policy.onNotice(aNotice('decide', { ...lockOut, action: 'revoke-session', session_id: 's2' }))),
    ['1 made revoke-session session enforce'],
  );
});

test('a person refuses one token: no session, no other token and no policy is in its way, and it is taken back alone', () => {
  const policy = stepUp();
  const refuse = { ...lockOut, action: 'revoke-session', token_id: 'j1' } as const;
  const [made] = policy.onNotice(aNotice('decide', refuse));
  assert.deepEqual([made?.scope, made?.session_id, made?.token_id], ['session', null, 'j1']);
  assert.equal(policy.onNotice(aNotice('decide', refuse))[0]?.change, 'extended');
  assert.deepEqual(told(policy.onNotice(aNotice('decide', { ...refuse, token_id: 'j2' }))), [
    '1 made revoke-session session enforce',
  ]);
  const table = new DecisionTable(10);
  table.apply(made!, start);
  const { identity } = made!;
  const found = (tokenId: string) =>
    table.find(callerNamed({ identity, tenant: 'acme', sessionId: null, tokenId, clientIp: null }), start)?.id;
  assert.deepEqual([found('j1'), found('j2')], [made?.decision_id, undefined]);
  // A call without a session is not the one that was refused.
  assert.deepEqual(told(policy.onFinding(call(null)).decisions), ['1 made step-up identity enforce']);
  const back = policy.onNotice(aNotice('restore', { decision_id: made!.decision_id }));
  assert.deepEqual(told(back), ['3 restored restore session enforce']);
});

test('each of many decisions about one identity can be taken back, the first as well', () => {
  const policy = stepUp();
  const refuse = (token_id: string) =>
    policy.onNotice(aNotice('decide', { ...lockOut, action: 'revoke-session', token_id }))[0];
  const made = Array.from({ length: 40 }, (_, i) => refuse(`j${i}`)!);
  for (const { decision_id } of made)
    assert.deepEqual(told(policy.onNotice(aNotice('restore', { decision_id }))), [
      '2 restored restore session enforce',
    ]);
  const [first] = made;
  assert.deepEqual(policy.onNotice(aNotice('restore', { decision_id: first!.decision_id })), [], 'once');
});

test('who is on the allowlist is not acted on by a person either', () => {
  const until = '2027-01-01T00:00:00Z';
  const policy = stepUp(`allowlist: [{ identity: "user:acme:*", until: "${until}", owner: ops, reason: test }]`);
  const [made] = policy.onNotice(aNotice('decide', lockOut));
  assert.deepEqual([made?.action, made?.mode], ['observe', 'shadow']);
  assert.match(made?.why ?? '', /would be revoke-identity\): allowed by ops/);
});

test('an address in an allowed network is acted on by no person, and whom somebody vouches for since is escalated by nobody', () => {
  const list = (what: string) => `allowlist: [{ ${what}, until: "2027-01-01T00:00:00Z", owner: ops, reason: test }]`;
  const allowed = stepUp(list('network: 192.0.2.0/24'));
  const [made] = allowed.onNotice(aNotice('decide', { ...lockOut, identity: 'address:-:192.0.2.5' as IdentityKey }));
  assert.deepEqual([made?.action, made?.mode], ['observe', 'shadow']);
  const before = stepUp();
  const [asked] = before.onFinding(call('s1')).decisions;
  for (const what of [`identity: "${asked!.identity}"`, 'network: 192.0.2.0/24']) {
    const after = stepUp(list(what));
    after.restore(before.snapshot());
    assert.deepEqual(after.onNotice(aNotice('step-up-ignored', { decision_id: asked!.decision_id })), [], what);
  }
});

test('what a person took back is not begun anew until its time would have been over', () => {
  const policy = stepUp();
  const [made] = policy.onFinding(call('s1')).decisions;
  const [ended, ...rest] = policy.onNotice(aNotice('restore', { decision_id: made!.decision_id, at: start + minute }));
  assert.deepEqual(rest, []);
  assert.deepEqual(
    [ended?.decision_id, ended?.version, ended?.action, ended?.by, ended?.updated_at],
    [made?.decision_id, 2, 'restore', 'desk', start + minute],
  );
  assert.deepEqual(policy.onFinding(call('s1', start + 2 * minute)).decisions, []);
  assert.deepEqual(policy.onNotice(aNotice('restore', { decision_id: null, at: start + minute })), []);
  assert.equal(policy.onFinding(call('s1', start + hour)).decisions.length, 1);
});

test('an answered step-up goes on for older tokens alone; answered from another session it goes on for that of the odd call', () => {
  const same = stepUp();
  const [made] = same.onFinding(call('s1')).decisions;
  const answer = { decision_id: made!.decision_id, at: start + minute };
  assert.deepEqual(told(same.onNotice(aNotice('step-up-succeeded', { ...answer, session_id: 's1' }))), [
    '2 narrowed step-up identity enforce',
  ]);
  // A second theft is a story of its own.
  assert.equal(same.onFinding(call('s1', start + 2 * minute)).decisions.length, 1);
  const other = stepUp();
  other.onFinding(call('s1'));
  const [narrowed] = other.onNotice(aNotice('step-up-succeeded', { ...answer, session_id: 's2' }));
  assert.deepEqual(told([narrowed!]), ['2 narrowed step-up session enforce']);
  assert.equal(narrowed?.session_id, 's1');
  // It still does what a new one about the thief's session would do, and a call of the owner's is judged by itself.
  assert.deepEqual(other.onFinding(call('s1', start + 2 * minute)).decisions, []);
});

test('a step-up that goes on for older tokens stands in the way of nothing, and can still be taken back', () => {
  const policy = stepUp();
  const [made] = policy.onFinding(call('s1')).decisions;
  policy.onNotice(aNotice('step-up-succeeded', { decision_id: made!.decision_id, session_id: 's1' }));
  assert.deepEqual(told(policy.onFinding(call('s1', start + minute, 'fnd_2')).decisions), [
    '1 made step-up identity enforce',
  ]);
  const back = policy.onNotice(aNotice('restore', { decision_id: made!.decision_id, at: start + 2 * minute }));
  assert.deepEqual(told(back), ['3 restored restore identity enforce']);
});

test('who proved himself is trusted more: risk falls, the ladder begins anew, and the same evidence does not count again', () => {
  const policy = stepUp();
  const before = policy.onFinding(call('s1')).risk;
  policy.onNotice(aNotice('step-up-succeeded', { decision_id: null, session_id: 's1' }));
  assert.equal(policy.riskOf('user:acme:alice', start), before / 5);
  assert.ok(policy.onFinding({ ...call('s1'), change: 'updated' }).risk <= before / 5 + 0.1);
});

test('a step-up that is not answered becomes the next step of its ladder, in the same decision', () => {
  const policy = stepUp();
  const [made] = policy.onFinding(call('s1')).decisions;
  const ignored = { decision_id: made!.decision_id, at: start + minute };
  const [next] = policy.onNotice(aNotice('step-up-ignored', ignored));
  assert.deepEqual(told([next!]), ['2 escalated revoke-session session enforce']);
  assert.deepEqual([next?.decision_id, next?.session_id], [made?.decision_id, 's1']);
  assert.deepEqual(policy.onNotice(aNotice('step-up-ignored', ignored)), []);
});

test('the guardrail counts what an ignored step-up would revoke', () => {
  const policy = stepUp('guardrails: { revocationsMax: 0 }');
  const [made] = policy.onFinding(call('s1')).decisions;
  const said = policy.onNotice(aNotice('step-up-ignored', { decision_id: made!.decision_id }));
  assert.deepEqual(
    said.map(({ action, rule }) => `${action} ${rule}`),
    ['notify guardrail'],
  );
});

test('a false alarm ends what rests on it alone and takes its share of the risk away', () => {
  const policy = stepUp();
  const first = policy.onFinding(call('s1')).risk;
  policy.onFinding(call('s1', start, 'fnd_2'));
  const ended = policy.onNotice(
    aNotice('verdict', { finding_id: 'fnd_2', verdict: 'false-positive', suppression: null }),
  );
  assert.equal(policy.riskOf('user:acme:alice', start), first);
  assert.deepEqual(told(ended), ['2 restored restore session enforce']);
  const [end] = policy.onNotice(
    aNotice('verdict', { finding_id: 'fnd_1', verdict: 'false-positive', suppression: null }),
  );
  assert.equal(end?.change, 'restored');
  assert.equal(policy.riskOf('user:acme:alice', start), 0);
});

test('the same notice twice is one, also after a snapshot', () => {
  const policy = stepUp();
  const notice = aNotice('decide', lockOut);
  assert.equal(policy.onNotice(notice).length, 1);
  const later = stepUp();
  later.restore(policy.snapshot());
  assert.deepEqual([...policy.onNotice(notice), ...later.onNotice(notice)], []);
});

test('what is no notice, or one of a later version, is passed over', () => {
  const notice = aNotice('decide', lockOut);
  const read = (value: unknown) => readNotice(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
  assert.deepEqual(read(notice), notice);
  for (const broken of [
    '{',
    'null',
    { ...notice, notice: 'promote' },
    { ...notice, identity: 'alice' },
    { ...notice, identity: 'king:acme:alice' },
    { ...notice, at: 'now' },
    { ...notice, action: 'restore' },
    { ...notice, ttl_ms: 0 },
    { ...notice, by: 'x'.repeat(2000) },
  ]) {
    assert.equal(read(broken), null, JSON.stringify(broken).slice(0, 80));
  }
});

test('what has ended says what it was, and the end of an enforced decision is told once, after every restart the same', () => {
  const policy = createPolicy(
    policyOf('rules: [{ name: r, action: throttle, mode: enforce, ttl: 1h, why: Because. }]'),
  );
  const [first] = policy.onFinding(call('s1')).decisions;
  const [end] = policy.onNotice(aNotice('restore', { decision_id: first!.decision_id }));
  assert.deepEqual([end?.action, end?.ended], ['restore', 'throttle']);
  const [second] = policy.onFinding(call('s1', start + hour, 'fnd_2')).decisions;
  const [mine] = policy.onNotice(aNotice('decide', { ...lockOut, mode: 'shadow', at: start + hour }));
  assert.ok(second && mine);
  assert.deepEqual(policy.advance(start + 2 * hour - 1), []);
  const again = createPolicy(policyOf('rules: []'));
  again.restore(policy.snapshot());
  const [told, ...rest] = policy.advance(start + 3 * hour);
  assert.deepEqual(rest, [], 'neither what was taken back nor what was rehearsed');
  const { decision_id, version, change, action, updated_at } = told!;
  const wanted = [second.decision_id, 2, 'expired', 'throttle', second.expires_at];
  assert.deepEqual([decision_id, version, change, action, updated_at], wanted);
  assert.ok(told!.risk < second.risk, 'the risk is that of its end');
  assert.deepEqual(again.advance(start + 3 * hour), [told]);
  assert.deepEqual(policy.advance(start + 4 * hour), []);
});

test('the end of a step-up that was answered is told no second time', () => {
  const policy = stepUp();
  const [made] = policy.onFinding(call('s1')).decisions;
  const answer = { decision_id: made!.decision_id, session_id: 's1', at: start + minute };
  assert.equal(policy.onNotice(aNotice('step-up-succeeded', answer))[0]?.change, 'narrowed');
  assert.deepEqual(policy.advance(start + 2 * hour), []);
});
