import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/config.ts';
import type { VerdictDraft } from '../../src/http/feedback-parts.ts';
import type { Log } from '../../src/log/log.ts';
import { createFeedback, type FeedbackOptions } from '../../src/role/feedback.ts';
import { aFinding, policyOf, start } from '../policy/a-finding.ts';

const who = { caller: 'carla', from: '192.0.2.1' };

/** What is written in which order, and nothing that is there but one finding. */
function aFeedback() {
  const written: string[] = [];
  const parsed = parseConfig({ name: 'test', text: () => '{}' }, {});
  assert.ok(parsed.kind === 'ok');
  const given = {
    finding_id: 'fnd_1',
    verdict: 'false-positive',
    identity: 'user:acme:alice',
    suppression_id: 'sup_1',
  };
  const queries = {
    finding: async (id: string) => (id === 'fnd_1' ? { ...aFinding(), cause: {} } : undefined),
    past: async () => [],
    verdict: async (id: string) => (id === 'vdt_1' ? given : undefined),
    suppression: async (id: string) => (id === 'sup_1' ? { state: 'active' } : undefined),
  };
  const feedback = createFeedback({
    config: parsed.config,
    policy: policyOf('rules: []'),
    log: {} as Log,
    clock: { now: () => start },
    audit: async ({ who: by, from, action, about }) => void written.push(`audit ${by} ${from} ${action} ${about}`),
    tell: async (notices) => void written.push(...notices.map(({ notice, by }) => `tell ${notice} ${by}`)),
    queries: queries as unknown as FeedbackOptions['queries'],
  });
  return { feedback, written };
}

const draft: VerdictDraft = {
  verdict: 'false-positive',
  scope: 'identity',
  expiresMs: 60_000,
  note: 'was her',
  route: null,
};

test('whatever a person says of a finding is in the audit under his key and address before the shards hear of it', async () => {
  const { feedback, written } = aFeedback();
  await feedback.giveVerdict('fnd_1', draft, who);
  await feedback.undoVerdict('vdt_1', who);
  const suppressed = { identity: null, peer_group: null, route: '/x', network: null, kinds: [], owner: 'carla' };
  const id = await feedback.suppress({ ...suppressed, reason: 'a drill', expiresMs: 60_000 }, who);
  await feedback.liftSuppression('sup_1', who);
  assert.deepEqual(written, [
    'audit carla 192.0.2.1 verdict.false-positive user:acme:alice',
    'tell verdict carla',
    'audit carla 192.0.2.1 verdict.undo user:acme:alice',
    'tell verdict-undone carla',
    'tell unsuppress carla',
    `audit carla 192.0.2.1 suppression.make ${id}`,
    'tell suppress carla',
    'audit carla 192.0.2.1 suppression.lift sup_1',
    'tell unsuppress carla',
  ]);
});

test('what is not there is neither judged nor taken back, and leaves no trace', async () => {
  const { feedback, written } = aFeedback();
  assert.equal(await feedback.giveVerdict('fnd_2', draft, who), undefined);
  assert.equal(await feedback.undoVerdict('vdt_2', who), false);
  assert.equal(await feedback.liftSuppression('sup_2', who), false);
  assert.deepEqual(written, []);
});
