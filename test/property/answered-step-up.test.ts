import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../src/finding/finding.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import type { Shard } from '../../src/pipeline.ts';
import { createPolicy } from '../../src/policy/decide.ts';
import type { Decision } from '../../src/policy/decision.ts';
import { policyOf } from '../policy/a-finding.ts';
import { aNotice } from '../policy/a-notice.ts';
import { eventsOf } from '../scenario/play.ts';
import { Outputs, shardWith } from './traffic.ts';

const policy = policyOf('mode: enforce\nrules: [{ name: r, action: step-up, ttl: 1h, why: x }]');
const shard = (): Shard => shardWith({ findingsPer1000PerDay: 1, policy: createPolicy(policy) });
const thief = 'user:acme:clerk-05';
const events = eventsOf('stolen-token');

/** Until the thief is challenged: the shard, what it said, and the event after which it did. */
function untilChallenged(): { shard: Shard; outputs: Outputs; next: number; challenge: Decision } {
  const it = shard();
  const outputs = new Outputs();
  for (const [i, event] of events.entries()) {
    it.accept(event);
    if (event.identity !== thief) continue;
    outputs.drain(it);
    const challenge = outputs.decisions.find(({ identity }) => identity === thief);
    if (challenge !== undefined) return { shard: it, outputs, next: i + 1, challenge };
  }
  throw new Error('the stolen token was not noticed');
}

const findingsOf = (outputs: Outputs): readonly Finding[] =>
  [...outputs.findings.values()].filter(({ identity }) => identity === thief);

test('an answered step-up ends the findings, and a theft after it is a story and a challenge of its own', () => {
  const { shard: it, outputs, next, challenge } = untilChallenged();
  const at = challenge.made_at + 1000;
  it.notice(aNotice('step-up-succeeded', { decision_id: challenge.decision_id, identity: challenge.identity, at }));
  outputs.drain(it);
  assert.ok(findingsOf(outputs).length > 0);
  for (const { state } of findingsOf(outputs)) assert.equal(state, 'closed');
  for (const event of events.slice(next)) it.accept(event);
  it.flush();
  outputs.drain(it);
  const again = findingsOf(outputs).filter(({ state }) => state === 'open');
  assert.ok(again.length > 0, 'the thief goes on, and is found again');
  assert.ok(outputs.decisions.some(({ identity, made_at }) => identity === thief && made_at > at));
});

test('a notice has the same effect after a checkpoint as without one', () => {
  const notice = aNotice('decide', { action: 'throttle', mode: 'enforce', ttl_ms: 60_000 });
  const half = events.length >> 1;
  const run = (restart: boolean): readonly unknown[] => {
    let it = shard();
    const outputs = new Outputs();
    const feed = (part: readonly ResolvedEvent[]): void => {
      for (const event of part) it.accept(event);
      outputs.drain(it);
    };
    feed(events.slice(0, half));
    it.notice(notice);
    outputs.drain(it);
    if (restart) {
      const records = [...it.checkpoint(true)].flat();
      it = shard();
      it.restore(records);
      it.restored();
    }
    it.notice(notice);
    feed(events.slice(half));
    it.flush();
    outputs.drain(it);
    return outputs.decisions;
  };
  assert.deepEqual(run(true), run(false));
});
