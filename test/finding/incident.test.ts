import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyEvent } from '../../src/event/traffic-event.ts';
import { type CaseFile, openCase } from '../../src/finding/case-file.ts';
import { incidentOf } from '../../src/finding/incident.ts';
import type { IdentityKey, ResolvedEvent } from '../../src/identity/resolved-event.ts';

const day = 86_400_000;
const noon = Date.UTC(2026, 0, 5, 12);

type Claim = {
  readonly identity?: string;
  readonly kind?: ResolvedEvent['identity_kind'];
  readonly ip?: string | null;
  readonly token?: string;
  readonly tenant?: string;
  readonly firstSeen?: number;
  /** What the case has gathered, as shares of it. */
  readonly reasons?: readonly (readonly [feature: string, share: number])[];
};

function incident(claim: Claim): string {
  const { identity = 'user:acme:ann', kind = 'user', ip = '192.0.2.7', token = null, tenant = 'acme' } = claim;
  const { firstSeen = noon, reasons = [['rate.calls_1m', 1]] } = claim;
  const event = { ...emptyEvent(), client_ip: ip, token_id: token, tenant };
  return incidentOf({
    resolved: { identity: identity as IdentityKey, identity_kind: kind, event } as ResolvedEvent,
    file: {
      ...openCase(firstSeen),
      tallies: Object.fromEntries(reasons.map(([feature, nats]) => [feature, { nats }])) as CaseFile['tallies'],
    },
  });
}

const away = [['context.network', 0.6]] as const;

test('accounts that one network speaks against are one incident of that day and tenant', () => {
  const first = incident({ reasons: away });
  assert.equal(
    incident({ identity: 'user:acme:bob', ip: '192.0.2.99', reasons: away, firstSeen: noon + 3_600_000 }),
    first,
  );
  assert.equal(
    incident({ identity: 'address:acme:192.0.2.7', kind: 'address', reasons: [['errors.ratio', 1]] }),
    first,
  );
  assert.equal(incident({ identity: 'user:acme:eve', reasons: [['source.entered', 0.9]] }), first);
  const others: Claim[] = [{ ip: '192.0.3.7' }, { tenant: 'other' }, { firstSeen: noon + day }];
  for (const other of others) assert.notEqual(incident({ reasons: away, ...other }), first, JSON.stringify(other));
});

test('what the place says in passing, or an ordinary place, joins nobody: colleagues behind one address stay apart', () => {
  const alone = incident({});
  assert.notEqual(incident({ identity: 'user:acme:bob' }), alone);
  assert.notEqual(alone, incident({ reasons: away }));
  assert.equal(
    incident({
      reasons: [
        ['rate.calls_1m', 0.95],
        ['context.network', 0.05],
      ],
    }),
    alone,
  );
  assert.equal(incident({ reasons: [['context.client', 1]] }), alone, 'a new program is no place');
  assert.notEqual(incident({ firstSeen: noon + 1 }), alone);
});

test('what the place says counts although five other reasons are shown before it', () => {
  const others = ['context.client', 'rate.calls_1m', 'novelty.route', 'errors.denied', 'patterns.change'] as const;
  const first = incident({ reasons: away });
  const reasons = [...others.map((feature) => [feature, 0.17] as const), ['context.network', 0.15] as const];
  assert.equal(incident({ reasons }), first);
});

test('claims that a token speaks against are joined by it, wherever it is used', () => {
  const token = { token: 'jti-1', reasons: [['token.two_contexts', 0.5]] as const };
  const first = incident(token);
  assert.equal(
    incident({ ...token, identity: 'client:acme:app', kind: 'client', ip: '198.51.100.1', firstSeen: noon + day }),
    first,
  );
  assert.notEqual(incident({ ...token, token: 'jti-2' }), first);
  assert.equal(incident({ reasons: token.reasons }), incident({}), 'without a token it is the identity’s');
});

test('IPv6 networks are the first three groups, however they are written, and what is no address joins nobody', () => {
  const first = incident({ reasons: away, ip: '2001:db8:1::5' });
  assert.equal(incident({ reasons: away, ip: '2001:DB8:1:2:3:4:5:6' }), first);
  assert.notEqual(incident({ reasons: away, ip: '2001:db8:2::5' }), first);
  assert.equal(incident({ reasons: away, ip: '2001::5' }), incident({ reasons: away, ip: '2001:0:0:7::' }));
  for (const ip of ['nonsense', '::ffff:192.0.2.1', null])
    assert.equal(incident({ reasons: away, ip }), incident({}), String(ip));
});
