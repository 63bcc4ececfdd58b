import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Evaluation, evaluate } from '../../src/command/evaluate.ts';
import { pass } from '../../src/command/evaluate-engine.ts';
import { recordedSets } from '../../src/command/evaluate-sets.ts';
import { GaitError } from '../../src/core/errors.ts';
import type { Ranked, Spent } from '../../src/evaluate/measure.ts';

const folder = join(tmpdir(), `gait-evaluate-${process.pid}`);
mkdirSync(folder);
after(() => rmSync(folder, { recursive: true, force: true }));
const out = join(folder, 'out.json');

type Numbers = { readonly set: string; readonly ranked: readonly Ranked[]; readonly spent: readonly Spent[] };
const read = () => JSON.parse(readFileSync(out, 'utf8')) as Evaluation & { readonly sets: readonly Numbers[] };

test('the recorded sets are whole: events in order of time, none lost, every labelled call among them', () => {
  for (const [name, count] of Object.entries({
    'source-activity': 52_716,
    'rest-sessions': 24_532,
    cloudtrail: 2900,
    newcomers: 3000,
  })) {
    let last = 0;
    const traffic = pass(recordedSets[name]!(), ({ event }) => {
      assert.ok(event.ts >= last, name);
      last = event.ts;
    });
    assert.equal(traffic.size, count, name);
    const labelled = traffic.incidents.flatMap(({ ids }) => ids);
    assert.equal(traffic.incidentOf.filter((each) => each >= 0).length, new Set(labelled).size, name);
  }
});

test('rest-sessions is a floor that Gait stands on, and every peer is judged on the same events', async () => {
  await evaluate({ sets: 'rest-sessions', models: 'none', short: true, out });
  const { sets, claims } = read();
  const { ranked, spent } = sets[0]!;
  assert.deepEqual(
    ranked.map(({ detector }) => detector),
    [
      'Gait, no model',
      ...['isolation forest', 'ECOD', 'random cut forest', 'z-score per identity', 'fixed thresholds'],
    ],
  );
  assert.ok(ranked[0]!.items!.evidence.auroc > 0.95);
  const own = spent.find(({ detector }) => detector === ranked[0]!.detector)!;
  for (const { spending, outcomes } of spent) {
    assert.equal(outcomes.length, 205);
    assert.equal(spending.identityDays, own.spending.identityDays);
  }
  assert.ok(claims.some(({ claim }) => claim.includes('isolation forest')));
});

test('a folder of labelled traffic is evaluated by attack, family and look-alike', async () => {
  const events = Array.from({ length: 4000 }, (_, i) => ({
    ts: 1_700_000_000_000 + i * 60_000,
    event_id: `e${i}`,
    subject: `u${i % 20}`,
    client_ip: `198.51.100.${i % 20}`,
    method: 'GET',
    path: i > 3900 && i % 20 === 3 ? '/admin/keys' : '/orders',
    status: i > 3900 && i % 20 === 3 ? 403 : 200,
  }));
  const incidentOf = (user: number, kind: string) => {
    const own = events.filter(({ subject }, i) => i > 3900 && subject === `u${user}`);
    const [family, recipe] = kind === 'attack' ? ['objects', 'probing'] : ['rate', 'batch'];
    const span = { first_ts: own[0]!.ts, last_ts: own.at(-1)!.ts, ids: own.map(({ event_id }) => event_id) };
    return {
      incident: `i${user}`,
      recipe,
      family,
      kind,
      pace: 'fast',
      identities: [`user:-:u${user}`],
      ...span,
      expected: ['novelty.'],
    };
  };
  const lines = (records: readonly object[]): string => records.map((record) => `${JSON.stringify(record)}\n`).join('');
  writeFileSync(join(folder, 'events.ndjson'), lines(events));
  writeFileSync(join(folder, 'labels.ndjson'), lines([incidentOf(3, 'attack'), incidentOf(4, 'look-alike')]));
  await evaluate({ data: folder, models: 'none', short: true, out });
  const { sets, tables } = read();
  assert.equal(sets.length, 1);
  assert.deepEqual(Object.keys(sets[0]!.ranked[0]!.rankings.byFamily), ['objects']);
  assert.ok(sets[0]!.ranked[0]!.rankings.events.auroc > 0.9);
  assert.ok(tables.some(({ title, rows }) => title.includes('look-alikes') && rows[0]![0] === 'batch'));
});

test('an unknown set is a usage error that names the known ones', async () => {
  await assert.rejects(
    evaluate({ sets: 'nobody' }),
    (error) =>
      error instanceof GaitError && error.exitCode === 2 && /source-activity, rest-sessions/.test(error.message),
  );
});
