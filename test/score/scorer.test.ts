import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import { context } from '../../src/feature/context.ts';
import { featureCount } from '../../src/feature/registry.ts';
import { emptyJudgement, Scorer } from '../../src/score/scorer.ts';
import { Bench, call, minute, monday } from '../feature/moment.ts';

function trained(events = 2000) {
  const bench = new Bench(context);
  const scorer = new Scorer();
  const random = seededRandom(3);
  const out = new Float32Array(featureCount);
  const judgement = emptyJudgement();
  const judge = (fields: Parameters<typeof call>[0]) => {
    scorer.judge(bench.moment(call(fields)), { out, offset: 0 }, judgement);
    return { behaviourP: judgement.behaviourP, p: scorer.fuse(judgement, null), members: judgement.memberCount };
  };
  for (let i = 0; i < events; i++) {
    const fields = {
      ts: monday + i * minute,
      client_ip: `10.0.${Math.floor(random.next() * 4)}.1`,
      response_bytes: 500,
    };
    judge(fields);
    bench.learn(call(fields));
    if (i % 50 === 0) scorer.advance();
  }
  return { scorer, judge, next: { ts: monday + events * minute, response_bytes: 500 } };
}

test('an ordinary call is ordinary, and one from elsewhere is improbable', () => {
  const { judge, next } = trained();
  const usual = judge({ ...next, client_ip: '10.0.1.1' });
  const odd = judge({ ...next, client_ip: '203.0.113.5' });
  assert.ok(usual.p > 0.05 && usual.behaviourP > 0.05, JSON.stringify(usual));
  assert.ok(odd.p < usual.p / 5, JSON.stringify({ usual, odd }));
});

test('only what an event says takes part: sizes above the usual and failures join, and what is usual cancels nothing', () => {
  const { judge, next } = trained(200);
  assert.equal(judge({ ...next, response_bytes: null }).members, 1);
  assert.equal(judge({ ...next, response_bytes: 0 }).members, 1);
  assert.equal(judge({ ...next, response_bytes: 10_000_000 }).members, 2);
  assert.equal(judge({ ...next, response_bytes: 10_000_000, status: 404 }).members, 3);
});

test('a model without a weight changes nothing, one with a weight can only be heard up to it', () => {
  const scorer = new Scorer();
  const judgement = { ...emptyJudgement(), memberCount: 1 };
  judgement.members[0] = 0.2;
  const alone = scorer.fuse(judgement, null);
  assert.equal(scorer.fuse(judgement, { p: 1e-12, weight: 0 }), alone);
  const half = scorer.fuse(judgement, { p: 1e-12, weight: 0.5 });
  assert.ok(half < alone && half >= alone / 2 - 1e-9, `${half} of ${alone}`);
  assert.ok(scorer.fuse(judgement, { p: 1e-12, weight: 1 }) < 1e-9);
});

test('restored, it gives the same p-values', () => {
  const { scorer } = trained(500);
  const restored = new Scorer();
  restored.restore(structuredClone(scorer.snapshot()));
  for (let s = -5; s < 20; s += 0.5) assert.equal(restored.modelP(s, 1), scorer.modelP(s, 1));
  const judgement = { ...emptyJudgement(), memberCount: 1, historyClass: 3 };
  judgement.members[0] = 0.003;
  assert.equal(restored.fuse(judgement, null), scorer.fuse(judgement, null));
});
