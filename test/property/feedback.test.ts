import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Scope, type Suppression, scopes, taughtBy } from '../../src/finding/suppression.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import type { Shard } from '../../src/pipeline.ts';
import type { AnyNotice } from '../../src/policy/notice.ts';
import { Outputs, runAll, shardWith, start, steps, trafficOf } from './traffic.ts';

const settings = { numRuns: 25, endOnFailure: true } as const;
const until = start + 366 * 86_400_000;
const said = { identity: null, session_id: null, at: start, by: 'desk', reason: 'known' } as const;

function suppress(suppression: Suppression): AnyNotice {
  return { ...said, notice: 'suppress', notice_id: `ntc_s${suppression.suppression_id}`, suppression };
}

function lift({ suppression_id }: Suppression): AnyNotice {
  return { ...said, notice: 'unsuppress', notice_id: `ntc_l${suppression_id}`, suppression_id };
}

/** What false verdicts on everything that is told would teach. */
function lessons({ findings }: Outputs, scope: Scope): Suppression[] {
  return [...findings.values()].map((finding) =>
    taughtBy(
      { verdict_id: finding.finding_id, scope, route: '/api/*', owner: 'desk', reason: 'known', until },
      finding,
    ),
  );
}

function feed(shard: Shard, outputs: Outputs, events: readonly ResolvedEvent[]): void {
  for (const event of events) shard.accept(event);
  outputs.drain(shard);
}

const scope = fc.constantFrom(...scopes);
const half = (events: readonly ResolvedEvent[]): number => events.length >> 1;

test('what people say changes what is told, and nothing that is measured: scores are the same', () => {
  let [told, without] = [0, 0];
  fc.assert(
    fc.property(steps, scope, (plan, how) => {
      const events = trafficOf(plan);
      const plain = runAll(events);
      const taught = shardWith({ suppressions: lessons(plain, how) });
      const quiet = runAll(events, taught);
      const measured = ({ verdicts }: Outputs) =>
        verdicts.map(({ event_id, seq, surprise, evidence, top }) => ({ event_id, seq, surprise, evidence, top }));
      assert.deepEqual(measured(quiet), measured(plain));
      if (how !== 'identity') return;
      told += [...plain.findings.values()].length;
      without += [...quiet.findings.values()].filter(({ state }) => state !== 'suppressed').length;
    }),
    settings,
  );
  assert.ok(without < told / 10, `${without} of ${told} findings were told again`);
});

test('said and taken back before the first event, it has never been: the same bytes', () => {
  fc.assert(
    fc.property(steps, scope, (plan, how) => {
      const events = trafficOf(plan);
      const plain = runAll(events);
      const shard = shardWith();
      const all = lessons(plain, how);
      for (const each of all) shard.notice(suppress(each));
      for (const each of all) shard.notice(lift(each));
      assert.equal(JSON.stringify([...runAll(events, shard).findings]), JSON.stringify([...plain.findings]));
    }),
    settings,
  );
});

test('said in the middle and taken back later, what is open then is what would be open anyway', () => {
  let quieter = 0;
  fc.assert(
    fc.property(steps, scope, fc.integer({ min: 1, max: 40 }), (plan, how, gap) => {
      const events = trafficOf(plan);
      const [from, to] = [half(events), Math.min(events.length, half(events) + gap)];
      const [plain, shard, outputs, seen] = [shardWith(), shardWith(), new Outputs(), new Outputs()];
      feed(plain, seen, events.slice(0, from));
      feed(shard, outputs, events.slice(0, from));
      const all = lessons(outputs, how);
      for (const each of all) shard.notice(suppress(each));
      feed(plain, seen, events.slice(from, to));
      feed(shard, outputs, events.slice(from, to));
      for (const each of all) shard.notice(lift(each));
      const before = outputs.verdicts.length;
      if (JSON.stringify(outputs.verdicts) !== JSON.stringify(seen.verdicts)) quieter++;
      feed(plain, seen, events.slice(to));
      feed(shard, outputs, events.slice(to));
      const open = ({ verdicts }: Outputs) =>
        verdicts.slice(before).map(({ event_id, findings }) => ({ event_id, findings }));
      assert.deepEqual(open(outputs), open(seen));
    }),
    settings,
  );
  assert.ok(quieter > 3, `only ${quieter} runs were any quieter`);
});

test('a checkpoint in the middle of what people said changes nothing', () => {
  fc.assert(
    fc.property(steps, scope, fc.boolean(), (plan, how, full) => {
      const events = trafficOf(plan);
      const run = (restarts: boolean): Outputs => {
        let shard = shardWith();
        const outputs = new Outputs();
        feed(shard, outputs, events.slice(0, half(events)));
        const saved = [...shard.checkpoint(true)].flat();
        for (const each of lessons(outputs, how)) shard.notice(suppress(each));
        feed(shard, outputs, events.slice(half(events), half(events) + 20));
        if (restarts) {
          const records = full
            ? [...shard.checkpoint(true)].flat()
            : [...saved, ...[...shard.checkpoint(false)].flat()];
          shard = shardWith();
          shard.restore(records);
          shard.restored();
        }
        feed(shard, outputs, events.slice(half(events) + 20));
        shard.flush();
        outputs.drain(shard);
        return outputs;
      };
      assert.deepEqual(run(true), run(false));
    }),
    settings,
  );
});
