import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { restSessions } from '../../pipelines/evaluate/rest-sessions.ts';
import { roc } from '../../pipelines/evaluate/roc.ts';
import { sourceActivity } from '../../pipelines/evaluate/source-activity.ts';
import { type Evaluation, evaluate } from '../../src/command/evaluate.ts';
import { GaitError } from '../../src/core/errors.ts';

const out = join(tmpdir(), `gait-evaluate-${process.pid}.json`);
after(() => rmSync(out, { force: true }));

const item = (score: number, attack: boolean, incident = '') => ({ score, attack, incident });

test('AUROC is the share of pairs in the right order, ties counted half', () => {
  const items = [item(3, true, 'a'), item(2, false), item(2, true, 'b'), item(1, false), item(0, true, 'c')];
  // Of 6 pairs: 3>2, 3>1, 2>1 are right, 2=2 is a tie, 0<2 and 0<1 are wrong.
  const { auroc, hits, incidents } = roc(items);
  assert.ok(Math.abs(auroc - 3.5 / 6) < 1e-12);
  assert.deepEqual(hits, [1 / 3, 1 / 3, 1 / 3]);
  assert.deepEqual(incidents, [1, 1, 1]);
});

test('a hit rate counts only what stands above the threshold of its false-positive rate', () => {
  const ordinary = Array.from({ length: 100 }, (_, i) => item(i, false));
  const { hits } = roc([...ordinary, item(98.5, true, 'a'), item(94.5, true, 'b'), item(50.5, true, 'c')]);
  assert.deepEqual(hits, [0, 1 / 3, 2 / 3]);
});

test('the recorded sets are whole: events in order of time, none lost', () => {
  for (const [set, count] of [
    [sourceActivity, 52_716],
    [restSessions, 24_532],
  ] as const) {
    const ids = new Set<string>();
    let last = 0;
    for (const { event, event_id } of set.events()) {
      assert.ok(event.ts >= last, set.name);
      last = event.ts;
      ids.add(event_id);
    }
    assert.equal(ids.size, count, set.name);
  }
});

test('sessions as events: counts of requests, POSTs, log-ins and refusals are those of the recording', () => {
  const first = [...restSessions.events()].filter((event) => event.event_id.startsWith('s-0002/')).map((e) => e.event);
  assert.equal(first.length, 62);
  assert.equal(first.filter((event) => event.method === 'POST').length, 36);
  assert.equal(first.filter((event) => event.path === '/login').length, 36);
  assert.equal(first.filter((event) => event.status === 401).length, 36);
  assert.equal(first.at(-1)!.ts, 1_596_556_207_819);
});

test('the table has a row without a model, one per rival and one with the network, and is written as asked', async () => {
  await evaluate({ sets: ['rest-sessions'], out });
  const { rows, cost } = JSON.parse(readFileSync(out, 'utf8')) as Evaluation;
  assert.deepEqual(
    rows.map((row) => row.model),
    ['none', 'largest deviation', 'pca-v1', 'deviation-v1'],
  );
  assert.ok(Object.values(cost).every((us) => us > 0));
  // The set is a floor: a detector that cannot tell its tools from its visitors is broken.
  for (const { evidence, meanSurprise, incidents } of rows) {
    assert.equal(incidents, 205);
    assert.ok(evidence.auroc > 0.95, `AUROC of evidence ${evidence.auroc}`);
    assert.ok(meanSurprise.auroc > 0.85, `AUROC of mean surprise ${meanSurprise.auroc}`);
  }
});

test('an unknown set is a usage error that names the known ones', async () => {
  await assert.rejects(
    evaluate({ sets: 'nab' }),
    (error) =>
      error instanceof GaitError && error.exitCode === 2 && /source-activity, rest-sessions/.test(error.message),
  );
});
