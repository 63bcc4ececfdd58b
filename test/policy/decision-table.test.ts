import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { identityKey } from '../../src/identity/identity-key.ts';
import type { Decision } from '../../src/policy/decision.ts';
import { type Caller, type CallerNames, callerNamed, DecisionTable } from '../../src/policy/decision-table.ts';
import { aDecision } from '../signal/a-decision.ts';

const now = 1_767_225_600_000;

function caller(fields: Partial<CallerNames> = {}): Caller {
  const identity = identityKey('user', 'acme', 'alice');
  return callerNamed({ identity, tenant: 'acme', sessionId: null, tokenId: null, clientIp: null, ...fields });
}

function made(fields: Partial<Decision> = {}): Decision {
  return { ...aDecision({ made_at: now, expires_at: now + 60_000 }), ...fields };
}

function tableOf(...decisions: readonly Decision[]): DecisionTable {
  const table = new DecisionTable(1000);
  for (const decision of decisions) table.apply(decision, now);
  return table;
}

test('a decision is answered until it expires, to the millisecond, and not after', () => {
  const table = tableOf(made());
  assert.equal(table.find(caller(), now + 59_999)?.action, 'throttle');
  assert.equal(table.find(caller(), now + 60_000), undefined);
  table.sweep(now + 60_000);
  assert.equal(table.size, 0);
});

test('shadow decisions, and those that only tell, are never held', () => {
  const quiet = (['observe', 'notify'] as const).map((action) => made({ decision_id: action, action }));
  const table = tableOf(made({ mode: 'shadow' }), ...quiet);
  assert.equal(table.size, 0);
  assert.equal(table.find(caller(), now), undefined);
});

test('the newest version wins, whatever the order, and an ended decision that is sent again stays ended', () => {
  const table = tableOf(made({ version: 2, action: 'step-up' }), made({ version: 1 }));
  assert.equal(table.find(caller(), now)?.action, 'step-up');
  table.apply(made({ version: 3, action: 'restore', change: 'restored' }), now);
  table.apply(made({ version: 1 }), now);
  table.apply(made({ version: 2, action: 'step-up' }), now);
  assert.equal(table.find(caller(), now), undefined);
  assert.equal(table.size, 0);
});

test('a revocation is held for the tokens it means when its time is over, also where only its end was heard of; nobody is shown it', () => {
  const day = 86_400_000;
  const revoked = made({ action: 'revoke-session', issued_before: now, expires_at: now + 1000 });
  const ended = { ...revoked, version: 2, change: 'expired' } as const;
  const late = new DecisionTable(10);
  late.apply(ended, now + 2000);
  const table = tableOf(revoked);
  table.apply(ended, now + 1000);
  const { changes } = table;
  table.sweep(now + 2000);
  table.sweep(now + 3000);
  assert.deepEqual([...table.changedSince(changes)!], [caller().identity], 'its end is told, once');
  for (const each of [late, table]) {
    assert.equal(each.find(caller(), now + 2000, () => true)?.action, 'revoke-session');
    assert.equal(each.find(caller(), now + 2000), undefined);
    assert.equal(each.at(caller().identity, now + 2000), undefined);
    assert.deepEqual([...each.inForce(now + 2000)], []);
    each.sweep(now + day);
    assert.equal(each.size, 0);
  }
  late.apply({ ...made({ expires_at: now + 1000 }), version: 2, change: 'expired' }, now + 2000);
  assert.equal(late.size, 0, 'a throttle is over');
});

test('the strongest of several decisions is answered: of identity, session, token, address with and without tenant', () => {
  const address = identityKey('address', 'acme', '192.0.2.7');
  const anywhere = identityKey('address', null, '192.0.2.8');
  const table = tableOf(
    made({ decision_id: 'd1' }),
    made({ decision_id: 'd2', action: 'step-up' }),
    made({ decision_id: 'd3', action: 'revoke-session', scope: 'session', session_id: 's1' }),
    made({ decision_id: 'd4', action: 'revoke-session', scope: 'session', token_id: 't1' }),
    made({ decision_id: 'd5', identity: address, identity_kind: 'address' }),
    made({ decision_id: 'd6', identity: anywhere, identity_kind: 'address', tenant: '-' }),
  );
  const other = identityKey('user', 'acme', 'bob');
  const found = (fields: Partial<CallerNames>): string | undefined => table.find(caller(fields), now)?.id;
  assert.equal(found({}), 'd2');
  assert.equal(found({ sessionId: 's1' }), 'd3');
  assert.equal(found({ sessionId: 's2' }), 'd2');
  assert.equal(found({ tokenId: 't1' }), 'd4');
  assert.equal(found({ identity: other, clientIp: '192.0.2.7' }), 'd5');
  assert.equal(found({ identity: other, clientIp: '192.0.2.8' }), 'd6');
  assert.equal(found({ identity: other, clientIp: '192.0.2.9' }), undefined);
  assert.equal(found({ identity: other, tenant: 'globex', sessionId: 's1' }), undefined);
});

test('the first decision about a token or an address is found, and the next after all before have ended', () => {
  const address = identityKey('address', null, '192.0.2.8');
  const about = [
    made({ decision_id: 'a', identity: address, identity_kind: 'address', tenant: '-' }),
    made({ decision_id: 't', action: 'revoke-session', scope: 'session', token_id: 't1' }),
    made({ decision_id: 's', action: 'revoke-session', scope: 'session', session_id: 's1' }),
  ];
  const calls = [{ clientIp: '192.0.2.8' }, { tokenId: 't1' }, { sessionId: 's1' }];
  const table = tableOf();
  for (let version = 1; version < 6; version += 2) {
    for (const [i, decision] of about.entries()) {
      table.apply({ ...decision, version }, now);
      assert.equal(table.find(caller(calls[i]!), now)?.id, decision.decision_id);
      table.apply({ ...decision, version: version + 1, action: 'restore', change: 'restored' }, now);
      assert.equal(table.find(caller(calls[i]!), now), undefined);
    }
  }
});

test('a decision that is narrowed to a session is no longer about the identity', () => {
  const table = tableOf(made({ action: 'step-up' }));
  table.apply(made({ action: 'step-up', version: 2, change: 'narrowed', scope: 'session', session_id: 's1' }), now);
  assert.equal(table.find(caller({ sessionId: 's2' }), now), undefined);
  assert.equal(table.find(caller({ sessionId: 's1' }), now)?.action, 'step-up');
});

test('a restored decision ends, and others about the same identity go on', () => {
  const other = made({ decision_id: 's', action: 'revoke-session', scope: 'session', session_id: 's1' });
  const table = tableOf(made(), other, made({ version: 2, action: 'restore', change: 'restored' }));
  assert.deepEqual(
    [...table.inForce(now)].map(({ id }) => id),
    ['s'],
  );
});

test('a step-up that its owner answered elsewhere goes on for older tokens alone, until a person ends it', () => {
  const table = tableOf(made({ action: 'step-up' }));
  table.apply(made({ action: 'step-up', version: 2, change: 'narrowed' }), now);
  assert.equal(table.find(caller(), now)?.isCleared, true);
  table.apply(made({ action: 'restore', version: 3, change: 'restored' }), now);
  assert.equal(table.find(caller(), now), undefined);
});

test('a record taken out of the topic ends its decision', () => {
  const table = tableOf(made(), made({ decision_id: 'b', action: 'step-up' }));
  table.forget('b');
  assert.equal(table.find(caller(), now)?.action, 'throttle');
});

test('at the limit what has ended goes first, then what would end soonest, and the number forgotten is known', () => {
  const table = new DecisionTable(100);
  const user = (i: number) => identityKey('user', 'acme', `u${i}`);
  const at = (i: number, expiresAt: number) => made({ decision_id: `d${i}`, identity: user(i), expires_at: expiresAt });
  table.apply(at(0, now + 10), now);
  for (let i = 1; i < 100; i++) table.apply(at(i, now + 1000 + i), now);
  table.apply(at(100, now + 5000), now + 10);
  assert.deepEqual([table.size, table.dropped], [100, 0]);
  table.apply(at(101, now + 5000), now + 10);
  assert.deepEqual([table.size, table.dropped], [100, 1]);
  assert.equal(table.find(caller({ identity: user(1) }), now + 10), undefined);
  assert.equal(table.find(caller({ identity: user(101) }), now + 10)?.id, 'd101');
});

test('a decision takes at most 400 bytes of memory, whatever it says about whom', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const actions = ['throttle', 'step-up', 'revoke-session', 'revoke-identity'] as const;
  const texts = Array.from({ length: 20_000 }, (_, i) =>
    JSON.stringify(
      made({
        decision_id: `dec_${String(i).padStart(24, '0')}`,
        identity: identityKey('user', 'acme', `user-${String(i).padStart(9, '0')}@example.com`),
        action: actions[i % 4]!,
        issued_before: now,
        ...(i % 2 === 0 && { scope: 'session', session_id: `session-${i}` }),
      }),
    ),
  );
  const table = new DecisionTable(100_000);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (const text of texts) table.apply(JSON.parse(text) as Decision, now);
  collect();
  const bytes = (process.memoryUsage().heapUsed - before) / texts.length;
  assert.equal(table.size, texts.length);
  assert.ok(bytes > 50 && bytes <= 400, `${bytes} bytes`);
});
