import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Noted, noiseOf } from '../../src/finding/noise.ts';

const noted = (fields: Partial<Noted> = {}): Noted => ({
  kind: 'rate_spike',
  identity: 'user:acme:alice',
  peers: 'acme|human|clerk',
  route: null,
  verdict: null,
  ...fields,
});
const many = (count: number, of: (i: number) => Partial<Noted>) =>
  Array.from({ length: count }, (_, i) => noted(of(i)));

test('the noisiest is first: by false findings, then by findings', () => {
  const noise = noiseOf([
    ...many(5, (i) => ({ kind: 'off_hours', identity: `u${i}` })),
    ...many(2, () => ({ verdict: 'false-positive' })),
    noted({ verdict: 'test' }),
  ]);
  assert.deepEqual(
    noise.map(({ kind, findings, judged, false_positives, false_positive_share: share }) => [
      kind,
      findings,
      judged,
      false_positives,
      share,
    ]),
    [
      ['rate_spike', 3, 3, 2, 0.667],
      ['off_hours', 5, 0, 0, null],
    ],
  );
});

test('the narrowest scope that holds half is proposed: one identity, one route, one peer group', () => {
  const proposal = (findings: readonly Noted[]) => noiseOf(findings)[0]!.proposal;
  const identity = (i: number) => `u${i}`;
  assert.equal(proposal(many(4, (i) => ({ identity: i < 2 ? 'a' : identity(i), route: '/x' })))?.identity, 'a');
  assert.equal(proposal(many(4, (i) => ({ identity: identity(i), route: i < 2 ? '/x' : null })))?.route, '/x');
  assert.equal(proposal(many(4, (i) => ({ identity: identity(i) })))?.peer_group, 'acme|human|clerk');
  assert.equal(proposal(many(4, (i) => ({ identity: identity(i), peers: identity(i) }))), null);
  assert.equal(proposal(many(2, () => ({}))), null, 'two findings are no noise');
});

test('nothing that was right is ever in a proposal', () => {
  const [noise] = noiseOf([...many(9, () => ({})), noted({ verdict: 'true-positive' })]);
  assert.equal(noise!.proposal, null);
  assert.equal(noise!.true_positives, 1);
});
