import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseConfig } from '../../src/config/config.ts';
import { systemClock } from '../../src/core/clock.ts';
import { sleep } from '../../src/core/sleep.ts';
import { identityKey } from '../../src/identity/identity-key.ts';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import type { Receipt } from '../../src/policy/decision.ts';
import { runEffect } from '../../src/role/effect.ts';
import { AnswerCounts } from '../../src/role/enforce-answers.ts';
import { runSeen } from '../../src/role/seen.ts';
import { aDecision } from '../signal/a-decision.ts';
import { embeddedStores, writerOf } from '../store/embedded-store.ts';
import { batchOf, scoreLine } from '../store/score-lines-of.ts';

describe('effect of decisions', () => {
  const { openMigrated } = embeddedStores();

  test('what enforcement points were answered and what the calls did become receipts, and a decision without effect a page', async (context) => {
    const path = mkdtempSync(join(tmpdir(), 'gait-effect-'));
    const stop = new AbortController();
    const log = await openEmbeddedLog({ path });
    context.after(async () => {
      stop.abort();
      await log.close();
      rmSync(path, { recursive: true, force: true });
    });
    const alerts = {
      unseenAfterMs: 1000,
      channels: [{ name: 'siem', kind: 'webhook', url: 'https://siem.example', secrets: [`whsec_${'A'.repeat(24)}`] }],
    };
    const parsed = parseConfig({ name: 'test', text: () => JSON.stringify({ alerts }) }, {});
    assert.ok(parsed.kind === 'ok');
    const { config } = parsed;
    const { signals, receipts, alerts: pages } = config.topics;
    await log.ensureTopics(
      [signals, receipts, pages].map((name) => ({ name, partitions: 1, cleanup: 'delete' }) as const),
    );

    const store = await openMigrated('effect');
    const now = systemClock.now();
    const calls = (identity: string, fields: object) =>
      Array.from({ length: 5 }, (_, i) => ({ identity, ts: now - 4000 + i * 100, status: 200, ...fields }));
    const lines = [
      ...calls('user:acme:alice', { decision_id: 'dec_stopped', enforced: true, status: 401 }),
      ...calls('user:acme:bob', { source: 'edge-2' }),
      ...calls('user:acme:dave', { source: 'bouncer', ts: now - 5000 }),
      ...calls('user:acme:dave', { source: 'edge-1', decision_id: 'dec_fetched', enforced: true, status: 403 }),
      ...calls('user:acme:carol', { auth_time: Math.floor(now / 1000) }),
      ...calls('user:acme:carol', { session_id: 'other' }),
      ...calls('user:acme:frank', { session_id: 's1', auth_time: Math.floor(now / 1000) }),
      ...calls('user:acme:erin', { client_ip: '2001:db8::7' }),
    ].map((fields, i) => scoreLine(i, fields));
    await writerOf(store).scores(batchOf('scores', [lines]));

    const made = { action: 'revoke-session', made_at: now - 10_000, updated_at: now - 10_000 } as const;
    const session = { scope: 'session', session_id: 's1', issued_before: now - 10_000 } as const;
    const identity = identityKey('address', null, '2001:db8::7');
    const address = { action: 'throttle', identity, identity_kind: 'address', tenant: '-' } as const;
    const decisions = [
      aDecision({ ...made, decision_id: 'dec_stopped' }),
      aDecision({ ...made, decision_id: 'dec_goes_on', identity: 'user:acme:bob' as never }),
      aDecision({ ...made, ...session, decision_id: 'dec_logged_in', identity: 'user:acme:carol' as never }),
      aDecision({ ...made, decision_id: 'dec_fetched', identity: 'user:acme:dave' as never }),
      aDecision({ ...made, ...session, decision_id: 'dec_session', identity: 'user:acme:frank' as never }),
      aDecision({ ...made, ...address, decision_id: 'dec_address' }),
      aDecision({ ...made, decision_id: 'dec_shadow', identity: 'user:acme:bob' as never, mode: 'shadow' }),
    ];
    await log.append(
      signals,
      decisions.map((decision) => ({ key: decision.decision_id, value: JSON.stringify(decision) })),
    );

    const counts = new AnswerCounts();
    counts.count({ kind: 'revoked', held: { id: 'dec_stopped' } as never }, 'gateway', now - 9000);
    counts.count({ kind: 'revoked', held: { id: 'dec_fetched' } as never }, 'edge-1', now - 9000);
    counts.hand('dec_fetched', 'bouncer', now - 6500);
    const written: Receipt[] = [];
    const paged: string[] = [];
    await log.tail({
      topic: receipts,
      from: 'earliest',
      onRecords: (records) => void written.push(...records.map(({ value }) => JSON.parse(String(value)) as Receipt)),
    });
    await log.tail({
      topic: pages,
      from: 'earliest',
      onRecords: (records) => void paged.push(...records.map(({ value }) => String(value))),
    });
    let unseen = -1;
    const onTrouble = (detail: string): void => assert.fail(detail);
    runSeen({ log, topic: receipts, counts, onTrouble, everyMs: 20 }, stop.signal);
    await until(() => written.length === 3);
    const effect = {
      log,
      config,
      store,
      clock: systemClock,
      unseen: (n: number) => (unseen = n),
      onTrouble,
      everyMs: 20,
    };
    await runEffect(effect, stop.signal);
    await until(() => written.length === 15);
    // Two more rounds: nothing is told twice.
    await sleep(60);
    assert.deepEqual(
      written.map(({ decision_id, target, state, attempts }) => `${decision_id} ${target} ${state} ${attempts}`).sort(),
      [
        'dec_address gateway effective 5',
        'dec_address traffic effective 5',
        // The bouncer fetched it after the calls that passed.
        'dec_fetched bouncer seen 1',
        'dec_fetched edge-1 acknowledged 5',
        'dec_fetched edge-1 effective 0',
        'dec_fetched edge-1 seen 1',
        'dec_fetched traffic effective 0',
        'dec_goes_on edge-2 ineffective 5',
        'dec_goes_on traffic ineffective 5',
        'dec_session gateway ineffective 5',
        'dec_session traffic ineffective 5',
        'dec_stopped gateway acknowledged 5',
        'dec_stopped gateway effective 0',
        'dec_stopped gateway seen 1',
        'dec_stopped traffic effective 0',
      ],
    );
    assert.equal(unseen, 4);
    assert.equal(paged.length, 2);
    assert.match(
      paged[0]!,
      /"kind":"page".*decision without effect.*revoke-session of user:acme:bob \(dec_goes_on\): 5 of 5 calls passed in \d+ s \(through edge-2 5\); taken by nobody/,
    );
  });
});

async function until(holds: () => boolean): Promise<void> {
  const deadline = systemClock.now() + 10_000;
  while (!holds()) {
    assert.ok(systemClock.now() < deadline, 'waited ten seconds in vain');
    await sleep(10);
  }
}
