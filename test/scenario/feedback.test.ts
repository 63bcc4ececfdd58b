import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Scope, taughtBy } from '../../src/finding/suppression.ts';
import { createPolicy } from '../../src/policy/decide.ts';
import type { AnyNotice } from '../../src/policy/notice.ts';
import { policyOf } from '../policy/a-finding.ts';
import { aNotice } from '../policy/a-notice.ts';
import { Outputs, shardWith } from '../property/traffic.ts';
import { eventsOf } from './play.ts';

const walker = 'user:acme:clerk-09';
const until = Date.UTC(2027, 0, 1);
const policy = policyOf('mode: enforce\nrules: [{ name: r, action: step-up, ttl: 90d, why: x }]');
const fresh = () => shardWith({ findingsPer1000PerDay: 1, policy: createPolicy(policy) });

/** What a verdict on each of the walker's findings teaches. */
function lessonsOf({ findings }: Outputs, scope: Scope) {
  const own = [...findings.values()].filter(({ identity, state }) => identity === walker && state === 'open');
  assert.ok(own.length > 0);
  return own.map((finding) => {
    const said = {
      verdict_id: finding.finding_id,
      scope,
      route: null,
      owner: 'desk',
      reason: 'the yearly audit',
      until,
    };
    return { finding, suppression: taughtBy(said, finding) };
  });
}

function runScenario(name: string, notices: readonly AnyNotice[] = []): Outputs {
  const shard = fresh();
  const outputs = new Outputs();
  for (const notice of notices) shard.notice(notice);
  for (const event of eventsOf(name)) shard.accept(event);
  outputs.drain(shard);
  return outputs;
}

const expecting = ({ suppression }: ReturnType<typeof lessonsOf>[number]): AnyNotice => ({
  notice: 'suppress',
  notice_id: `ntc_${suppression.suppression_id}`,
  identity: null,
  session_id: null,
  at: 0,
  by: 'desk',
  reason: 'the yearly audit',
  suppression,
});

test('a false verdict ends the finding and what was decided for it at once', () => {
  const shard = fresh();
  const outputs = new Outputs();
  for (const event of eventsOf('object-walk')) shard.accept(event);
  outputs.drain(shard);
  const lessons = lessonsOf(outputs, 'identity');
  const made = outputs.decisions.filter(({ identity }) => identity === walker);
  assert.deepEqual(
    made.map(({ action }) => action),
    ['step-up'],
  );
  for (const { finding, suppression } of lessons) {
    const { finding_id, identity, last_seen: at } = finding;
    shard.notice(aNotice('verdict', { finding_id, verdict: 'false-positive', suppression, identity, at }));
  }
  const { decisions, findings, said } = shard.drain();
  assert.deepEqual(
    decisions.map(({ decision_id, action }) => `${decision_id} ${action}`),
    [`${made[0]!.decision_id} restore`],
  );
  assert.deepEqual(
    findings.map(({ finding_id, state, suppressed_by }) => `${finding_id} ${state} ${suppressed_by}`).sort(),
    lessons.map((each) => `${each.finding.finding_id} suppressed ${each.suppression.suppression_id}`).sort(),
  );
  assert.deepEqual(
    said.verdicts.map(({ finding_id, verdict, ocsf_id, closes, state }) => ({
      finding_id,
      verdict,
      ocsf_id,
      closes,
      state,
    })),
    lessons.map(({ finding: { finding_id } }) => ({
      ...{ finding_id, verdict: 'false-positive', ocsf_id: 1, closes: 1, state: 'given' },
    })),
  );
});

test('the same traffic again is told no more, but stored as suppressed, and nothing is decided for it', () => {
  const lessons = lessonsOf(runScenario('object-walk'), 'identity');
  const again = runScenario('object-walk', lessons.map(expecting));
  const states = [...again.findings.values()].filter(({ identity }) => identity === walker).map(({ state }) => state);
  assert.ok(states.length > 0);
  assert.deepEqual(new Set(states), new Set(['suppressed']));
  assert.ok(!again.decisions.some(({ identity }) => identity === walker));
});

for (const name of ['token-replay', 'destructive-burst'])
  test(`what a walk through objects taught of all clerks hides no ${name}`, () => {
    const lessons = lessonsOf(runScenario('object-walk'), 'peer-group');
    assert.ok(lessons.every(({ suppression }) => suppression.peer_group === 'acme|human|clerk'));
    const [plain, taught] = [runScenario(name), runScenario(name, lessons.map(expecting))];
    const severe = (outputs: Outputs) =>
      [...outputs.findings.values()]
        .filter(({ severity, state }) => ['high', 'critical'].includes(severity) && state === 'open')
        .map(({ identity }) => identity)
        .sort();
    assert.ok(severe(plain).length > 0);
    assert.deepEqual([...new Set(severe(taught))], [...new Set(severe(plain))]);
  });
