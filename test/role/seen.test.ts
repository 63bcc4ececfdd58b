import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identityKey } from '../../src/identity/identity-key.ts';
import type { Log } from '../../src/log/log.ts';
import { DecisionTable } from '../../src/policy/decision-table.ts';
import { AnswerCounts } from '../../src/role/enforce-answers.ts';
import { runSeen } from '../../src/role/seen.ts';
import { apiKey, ask, sampleParts, serve } from '../http/client.ts';
import { aDecision } from '../signal/a-decision.ts';

const now = 1_767_225_600_000;

/** The receipts that are written in one round. */
async function receiptsOf(counts: AnswerCounts): Promise<readonly string[]> {
  const receipts: string[] = [];
  const stop = new AbortController();
  const append: Log['append'] = async (_topic, records) => {
    for (const { key, value } of records) receipts.push(`${key} ${JSON.parse(String(value)).detail}`);
    stop.abort();
  };
  const onTrouble = (detail: string): never => assert.fail(detail);
  await runSeen({ log: { append } as Log, topic: 'receipts', counts, onTrouble }, stop.signal).done;
  return receipts.sort();
}

test('whoever fetches decisions has seen them: what is new to a bouncer, what is in a bundle of OPA', async (t) => {
  const table = new DecisionTable(100);
  const address = { identity: identityKey('address', null, '192.0.2.7'), identity_kind: 'address' } as const;
  const times = { made_at: now, expires_at: now + 60_000 };
  table.apply(aDecision({ decision_id: 'dec_alice', ...times }), now);
  table.apply(aDecision({ decision_id: 'dec_address', ...times, ...address }), now);
  const counts = new AnswerCounts();
  const handed = (ids: Iterable<string>, point: string): void => {
    for (const id of ids) counts.hand(id, point, now);
  };
  const held = { table, now: () => now, nextChange: async () => undefined, handed };
  const keys = [apiKey('bouncer', 'enforce'), apiKey('opa', 'enforce')];
  const server = await serve(sampleParts({ held }), { keys });
  t.after(() => server.close());
  const asBouncer = { headers: { 'x-api-key': 'bouncer' } };
  for (const query of ['?startup=true', '', '']) await ask(server, `/v1/decisions/stream${query}`, asBouncer);
  await ask(server, '/v1/decisions?ip=192.0.2.8', asBouncer);
  const bundle = await ask(server, '/v1/opa/bundle.tar.gz', { headers: { authorization: 'Bearer opa' } });
  assert.deepEqual(await receiptsOf(counts), [
    'dec_address/bouncer/seen fetched 1 time',
    'dec_address/opa/seen fetched 1 time',
    'dec_alice/opa/seen fetched 1 time',
  ]);
  await ask(server, '/v1/decisions?ip=192.0.2.7', asBouncer);
  const same = { authorization: 'Bearer opa', 'if-none-match': String(bundle.headers.etag) };
  assert.equal((await ask(server, '/v1/opa/bundle.tar.gz', { headers: same })).status, 304);
  // As a proxy that changes the form of an answer passes it on.
  const weak = { ...same, 'if-none-match': `W/${same['if-none-match']}` };
  assert.equal((await ask(server, '/v1/opa/bundle.tar.gz', { headers: weak })).status, 304);
  assert.deepEqual(await receiptsOf(counts), ['dec_address/bouncer/seen fetched 2 times']);
});
