import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/config.ts';
import { createRedactor } from '../../src/event/redact.ts';
import type { EnforcementAnswer, EnforcementQuestion } from '../../src/http/parts.ts';
import { identityKey } from '../../src/identity/identity-key.ts';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import type { Log } from '../../src/log/log.ts';
import type { Decision } from '../../src/policy/decision.ts';
import type { EnforcementNotice } from '../../src/policy/enforce.ts';
import { type Enforcer, runEnforce } from '../../src/role/enforce.ts';
import { aDecision } from '../signal/a-decision.ts';

export const start = 1_767_225_600_000;
export const hmacKey = 'a key for tests only';
export const alice = identityKey('user', null, 'alice');

export type Bench = {
  readonly enforcer: Enforcer;
  readonly clock: { now: () => number; at: number };
  readonly notices: EnforcementNotice[];
  /** Issuers whose keys could not be fetched, as often as it was said. */
  readonly missing: string[];
  readonly publish: (...decisions: readonly Partial<Decision>[]) => Promise<void>;
  readonly ask: (headers: Record<string, string>, more?: Partial<EnforcementQuestion>) => Promise<EnforcementAnswer>;
  readonly log: Log;
  readonly config: Config;
};

export async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    assert.ok(tries < 5000, 'waited too long');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export async function enforce(t: TestContext, yaml = ''): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'gait-enforce-'));
  const outcome = parseConfig({ name: 'gait.yaml', text: () => `dataDir: ${folder}\n${yaml}` }, {});
  assert.ok(outcome.kind === 'ok', JSON.stringify(outcome));
  const { config } = outcome;
  const log = await openEmbeddedLog({ path: join(folder, 'log'), onTrouble: () => undefined });
  await log.ensureTopics([{ name: config.topics.signals, partitions: 1, cleanup: 'compact' }]);
  const clock = { at: start, now: () => clock.at };
  const notices: EnforcementNotice[] = [];
  const missing: string[] = [];
  const enforcer = await runEnforce({
    log,
    config,
    clock,
    redactor: createRedactor({ hmacKey }),
    ignoredMax: 3,
    notify: (notice) => notices.push(notice),
    answered: () => undefined,
    held: () => undefined,
    onKeysMissing: (issuer) => missing.push(issuer),
  });
  t.after(async () => {
    enforcer.release();
    await enforcer.consumption.close();
    await log.close();
    rmSync(folder, { recursive: true });
  });
  await until(enforcer.isReady);
  let made = 0;
  const publish: Bench['publish'] = async (...decisions) => {
    const before = enforcer.held.table.changes;
    const records = decisions.map((fields) => {
      const decision = { decision_id: `dec_${made++}`, identity: alice, tenant: '-', made_at: start, ...fields };
      return { ...aDecision({ expires_at: start + 600_000 }), ...decision };
    });
    const values = records.map((record) => ({ key: record.decision_id, value: JSON.stringify(record) }));
    await log.append(config.topics.signals, values);
    await until(() => enforcer.held.table.changes > before);
  };
  const ask: Bench['ask'] = async (headers, more) =>
    enforcer.ask({ headers, path: '/', point: 'nginx', verifiedClaims: null, clientIp: null, ...more });
  return { enforcer, clock, notices, missing, publish, ask, log, config };
}

/** A token that nobody has signed. */
export function forged(claims: Record<string, unknown>): Record<string, string> {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return { authorization: `Bearer ${part({ alg: 'none' })}.${part(claims)}.` };
}
