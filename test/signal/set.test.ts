import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SetContext, setsOf } from '../../src/signal/set.ts';
import { aDecision } from './a-decision.ts';

const okta: SetContext = {
  profile: {
    name: 'okta',
    audience: 'https://acme.okta.com',
    profile: 'okta',
    subjects: 'email',
    legacySubject: false,
  },
  issuer: 'https://gait.example.com',
  streamId: 'stream_okta',
  toldLevel: undefined,
  iat: 1_766_000_000,
};
const alice = aDecision({
  action: 'revoke-session',
  identity: 'user:-:alice@acme.com' as never,
  tenant: '-',
  risk_level: 'HIGH',
  updated_at: 1_766_000_000_500,
});

test('Okta is told in its own words: its event, levels in small letters with one before, the person inside the event', () => {
  const [risk, revoked] = setsOf(alice, okta);
  const user = { format: 'email', email: 'alice@acme.com' };
  const said = {
    subject: { user },
    event_timestamp: 1_766_000_000,
    initiating_entity: 'policy',
    reason_admin: { en: alice.why },
  };
  assert.deepEqual(risk?.events, {
    'https://schemas.okta.com/secevent/okta/event-type/user-risk-change': {
      current_level: 'high',
      previous_level: 'low',
      ...said,
    },
  });
  assert.deepEqual(revoked?.events, { 'https://schemas.openid.net/secevent/caep/event-type/session-revoked': said });
  assert.deepEqual([risk?.iss, risk?.aud, risk?.iat], [okta.issuer, 'https://acme.okta.com', okta.iat]);
  const [next] = setsOf({ ...alice, risk_level: 'MEDIUM' }, { ...okta, toldLevel: 'HIGH' });
  const [event] = Object.values(next?.events ?? {});
  assert.deepEqual([event?.previous_level, event?.current_level], ['high', 'medium']);
});

test('Okta hears nothing of whom it cannot know, nor of a step-up or a shadow decision', () => {
  assert.deepEqual(setsOf({ ...alice, identity: 'user:-:u-123' as never }, okta), []);
  assert.deepEqual(setsOf({ ...alice, identity: 'address:-:192.0.2.1' as never, identity_kind: 'address' }, okta), []);
  assert.deepEqual(setsOf({ ...alice, mode: 'shadow' }, okta), []);
  assert.deepEqual(setsOf({ ...alice, action: 'step-up' }, { ...okta, toldLevel: 'HIGH' }), []);
});

test('the same version makes the same tokens, and another version, stream or event another id', () => {
  const ids = (decision = alice, context = okta): readonly string[] => setsOf(decision, context).map(({ jti }) => jti);
  assert.deepEqual(ids(), ids());
  const all = [...ids(), ...ids({ ...alice, version: 2 }), ...ids(alice, { ...okta, streamId: 'stream_2' })];
  assert.equal(new Set(all).size, 6);
});

test('an answered step-up is told as sufficient again; narrowed to the odd session it is not', () => {
  const caep = { ...okta, profile: { ...okta.profile, profile: 'caep' as const } };
  const narrowed = aDecision({ ...alice, action: 'step-up', change: 'narrowed', version: 2, scope: 'identity' });
  const told = setsOf(narrowed, { ...caep, toldLevel: 'HIGH' });
  const [claims] = told.flatMap(({ events }) => Object.values(events));
  assert.equal(told.length, 1);
  assert.deepEqual([claims?.current_level, claims?.change_direction], ['sufficient', 'increase']);
  assert.deepEqual(setsOf({ ...narrowed, scope: 'session', session_id: 's-81' }, { ...caep, toldLevel: 'HIGH' }), []);
});

test('whatever ends a step-up or a throttle, receivers are told that it is over; of a revocation nothing is left to tell', () => {
  const caep = { ...okta, profile: { ...okta.profile, profile: 'caep' as const }, toldLevel: 'HIGH' as const };
  const claimsOf = (changes: Partial<typeof alice>) =>
    setsOf({ ...alice, ...changes, version: 2 }, caep).flatMap(({ events }) => Object.values(events));
  for (const change of ['restored', 'expired', 'answered'] as const) {
    const ending = (action: typeof alice.action) =>
      change === 'expired' ? { change, action } : { change, action: 'restore' as const, ended: action };
    const [assurance, ...none] = claimsOf(ending('step-up'));
    assert.deepEqual([assurance?.current_level, assurance?.change_direction], ['sufficient', 'increase'], change);
    const [throttle, ...nothing] = claimsOf(ending('throttle'));
    assert.deepEqual(throttle?.claims, { gait_action: null, risk_level: 'HIGH' }, change);
    assert.deepEqual([...none, ...nothing, ...claimsOf(ending('revoke-session'))], []);
  }
  const [risk] = claimsOf({ change: 'expired', action: 'throttle', risk_level: 'LOW' });
  assert.deepEqual([risk?.previous_level, risk?.current_level], ['HIGH', 'LOW'], 'the level falls with it');
});

test('somebody of another issuer than the home is named by that issuer, not by the one of the configuration', () => {
  const caep = {
    ...okta,
    profile: { ...okta.profile, profile: 'caep' as const, subjects: 'iss_sub' as const, subjectIssuer: 'https://home' },
  };
  const subjectOf = (identity: string) =>
    setsOf({ ...alice, session_id: null, identity: identity as never }, caep)[0]?.sub_id;
  assert.deepEqual(subjectOf('user:-:bob'), { format: 'iss_sub', iss: 'https://home', sub: 'bob' });
  assert.deepEqual(subjectOf('user:-:bob%@https://b.example'), {
    format: 'iss_sub',
    iss: 'https://b.example',
    sub: 'bob',
  });
});

test('of a single token that is refused no session is said to be over', () => {
  const decision = aDecision({
    action: 'revoke-session',
    scope: 'session',
    session_id: null,
    token_id: 'j1',
    risk_level: 'LOW',
  });
  const profile = { name: 'r', audience: 'a', profile: 'caep', subjects: 'iss_sub', legacySubject: false } as const;
  assert.deepEqual(setsOf(decision, { profile, issuer: 'i', streamId: 's', toldLevel: undefined, iat: 1 }), []);
});

test('a step-up and a throttle are told in CAEP’s words when they are made, beside the level', () => {
  const caep = { ...okta, profile: { ...okta.profile, profile: 'caep' as const } };
  const told = (action: typeof alice.action) =>
    setsOf({ ...alice, action }, caep).map(({ events }) => {
      const [[type, claims] = []] = Object.entries(events);
      const { event_timestamp: _, initiating_entity, reason_admin: __, ...own } = claims!;
      assert.equal(initiating_entity, 'policy');
      return [type!.replace('https://schemas.openid.net/secevent/caep/event-type/', ''), own];
    });
  const level = ['risk-level-change', { principal: 'USER', current_level: 'HIGH', risk_reason: alice.rule }];
  assert.deepEqual(told('step-up'), [
    level,
    ['assurance-level-change', { namespace: 'gait', current_level: 'insufficient', change_direction: 'decrease' }],
  ]);
  assert.deepEqual(told('throttle'), [
    level,
    ['token-claims-change', { claims: { gait_action: 'throttle', risk_level: 'HIGH' } }],
  ]);
  assert.deepEqual(told('revoke-identity'), [level, ['session-revoked', {}]]);
});
