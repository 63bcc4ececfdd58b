import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { shardWith } from '../property/traffic.ts';
import { currentVersion, folder, layout, readState, recordedEvents } from './state.ts';

const versions = readdirSync(folder).flatMap(
  (name) => /^state-v(\d+)\.bin\.gz$/.exec(name)?.slice(1).map(Number) ?? [],
);

test('the current version has its recording, and what its bytes mean has not changed since', () => {
  assert.ok(
    versions.includes(currentVersion),
    `no state-v${currentVersion}.bin.gz: node dist/test/compat/state.js writes it`,
  );
  assert.equal(
    readState(currentVersion).about.layout,
    layout(),
    'rows, hashes or bins mean something else now: raise `version` in src/baseline/snapshot.ts, read the old ones or refuse them, and record the new one',
  );
});

for (const version of versions) {
  test(`state of version ${version} is read, and what it knew is still known`, () => {
    const { records, about } = readState(version);
    const shard = shardWith({ findingsPer1000PerDay: 1 });
    shard.restore(records);
    shard.restored();
    assert.deepEqual([shard.identities, shard.counters.accepted], [about.identities, about.accepted]);

    const events = recordedEvents();
    for (const event of events.slice(-500)) shard.accept(event);
    assert.equal(shard.counters.duplicates, 500, 'positions and ids are remembered');

    // One more usual call of everybody, at the usual hour of the first day after the last.
    const dayMs = 86_400_000;
    const last = events.at(-1)!.event.ts;
    const next = (ts: number): number => ts + Math.ceil((last + 3_600_000 - ts) / dayMs) * dayMs;
    const usual = new Map(events.slice(0, 5000).map((event) => [event.identity, event]));
    for (const each of [...usual.values()].sort((a, b) => next(a.event.ts) - next(b.event.ts))) {
      if (each.event.status !== 200) continue;
      shard.accept({ ...each, event_id: `again-${each.identity}`, position: null, event: { ...each.event, ts: next(each.event.ts) } });
    }
    shard.flush();
    const { verdicts } = shard.drain();
    const again = verdicts.filter(({ resolved }) => resolved.event_id.startsWith('again-'));
    assert.ok(again.length > 40);
    // An area that the identity knows, but uses less than its peers do, may be named without being new.
    const strangers = again.filter(
      ({ surprise, top }) => top.includes('context.client') || (surprise >= 2 && top.includes('novelty.area')),
    );
    assert.deepEqual(
      strangers.map(({ resolved }) => resolved.identity),
      [],
      'their usual functions and clients are new to nobody',
    );
    assert.ok(again.every(({ surprise, evidence, risk }) => [surprise, evidence, risk].every(Number.isFinite)));
    const accused = again.find(({ resolved }) => resolved.identity === about.open.identity);
    assert.ok(accused!.findings.includes(about.open.finding), 'the open finding is still open');
  });

  test(`the recording of version ${version} is small`, () => {
    assert.ok(statSync(join(folder, `state-v${version}.bin.gz`)).size < 200_000);
  });
}
