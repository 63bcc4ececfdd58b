import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IdentityKey } from '../../src/identity/resolved-event.ts';
import { DecisionTable } from '../../src/policy/decision-table.ts';
import { aDecision } from '../signal/a-decision.ts';
import { ask, sampleParts, serve } from './client.ts';

test('a bouncer is not told to let an address go while another decision says the same about it', async (t) => {
  const table = new DecisionTable(100);
  let now = 1000;
  const held = { table, now: () => now, nextChange: async () => undefined, handed: () => undefined };
  const server = await serve(sampleParts({ held }));
  t.after(server.close);
  const decide = (tenant: string, expires_at: number): void => {
    const identity = `address:${tenant}:192.0.2.1` as IdentityKey;
    const about = { decision_id: `dec_${tenant}`, identity, tenant, action: 'revoke-identity', expires_at } as const;
    table.apply(aDecision({ ...about, made_at: 0 }), now);
  };
  const pull = async (): Promise<readonly number[]> => {
    const { text } = await ask(server, '/v1/decisions/stream');
    const said = JSON.parse(text) as { new: unknown[]; deleted: unknown[] };
    return [said.new.length, said.deleted.length];
  };
  decide('acme', 5000);
  decide('other', 9000);
  assert.deepEqual(await pull(), [2, 0]);
  now = 6000;
  assert.deepEqual(await pull(), [0, 0], 'the one of the other tenant goes on');
  now = 9000;
  assert.deepEqual(await pull(), [0, 1]);
});
