import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import { sleep } from '../../src/core/sleep.ts';
import { openStore } from '../../src/store/clickhouse.ts';
import { type GaitProcess, startGait, waitFor } from '../integration/gait-process.ts';

const seed = Number(process.env.GAIT_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const root = mkdtempSync(join(tmpdir(), 'gait-embedded-crash-'));
after(() => rmSync(root, { recursive: true, force: true }));

const events = 2900;
const crashes = 4;
const findingLine = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ {2}/;

function start(name: string): GaitProcess {
  const folder = join(root, name);
  const env = { GAIT_DATA_DIR: folder, GAIT_HTTP_PORT: '0', GAIT_HMAC_KEY: 'a key for tests only' };
  return startGait({ folder: root, env });
}

const metric = (text: string, name: string): number =>
  text
    .split('\n')
    .filter((line) => line.startsWith(name))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);

/** Everything that was read has been judged, told and stored; asked over HTTP, since the engine's folder is the process's own. */
async function settled(gait: GaitProcess): Promise<void> {
  const played = (): boolean => gait.printed.some((line) => line.startsWith('The sample has been played'));
  await waitFor('the sample is played', played, { withinMs: 120_000, alive: [gait] });
  let before = '';
  let same = 0;
  const quiet = async (): Promise<boolean> => {
    const text = await (await fetch(`${gait.address()}/metrics`)).text();
    const now = JSON.stringify([
      metric(text, 'gait_insert_rows_total'),
      gait.printed.length,
      metric(text, 'gait_verdict_latency_seconds_count'),
    ]);
    same = now === before ? same + 1 : 0;
    before = now;
    return same >= 6;
  };
  await waitFor('nothing more happens', quiet, { withinMs: 60_000, alive: [gait], everyMs: 500 });
}

async function stop(gait: GaitProcess, signal: NodeJS.Signals): Promise<void> {
  const began = performance.now();
  gait.kill(signal);
  const { code } = await gait.ended;
  assert.equal(code, 0, gait.output().slice(-2000));
  assert.ok(performance.now() - began < 10_000, 'stops within a few seconds');
}

async function rowsOf(name: string) {
  const store = await openStore({ path: join(root, name, 'store') });
  try {
    const [findings, decisions, counts] = await Promise.all([
      store.query('SELECT * EXCEPT stored_at FROM gait.findings ORDER BY finding_id'),
      store.query('SELECT * EXCEPT stored_at FROM gait.decisions ORDER BY decision_id'),
      store.query(
        `SELECT (SELECT count() FROM gait.events) AS events, (SELECT uniqExact(event_id) FROM gait.events) AS ids,
                (SELECT sum(events) FROM gait.events_per_minute) AS minutes, (SELECT count() FROM gait.dead_letters) AS dead`,
      ),
    ]);
    return { findings: findings.map(withoutRun), decisions: decisions.map(withoutRun), counts: counts[0] };
  } finally {
    await store.close();
  }
}

/** A version counts from the time at which the first record was written, which is another in each run. */
function withoutRun(row: unknown): object {
  const { version, ...rest } = row as Record<string, unknown>;
  assert.ok(Number(version) > 0);
  return rest;
}

describe('gait start on a folder of its own', { timeout: 600_000 }, () => {
  test('killed at any point and started again, it ends with the findings and decisions of a run without a crash, and tells each once', async () => {
    process.stdout.write(`# seed of the crashes: GAIT_TEST_SEED=${seed}\n`);
    const random = seededRandom(seed);
    const calm = start('calm');
    await settled(calm);
    await stop(calm, 'SIGTERM');

    const told: string[] = [];
    for (let i = 0; i < crashes; i++) {
      const gait = start('crashed');
      await waitFor('it listens', () => gait.address() !== undefined, { withinMs: 60_000, alive: [gait] });
      await sleep(random.next() * 2500);
      gait.kill('SIGKILL');
      await gait.ended;
      told.push(...gait.printed.filter((line) => findingLine.test(line)));
    }
    const last = start('crashed');
    await settled(last);
    told.push(...last.printed.filter((line) => findingLine.test(line)));
    await stop(last, 'SIGINT');

    const again = start('crashed');
    await settled(again);
    assert.deepEqual(
      again.printed.filter((line) => findingLine.test(line)),
      [],
      'a start after the end repeats nothing',
    );
    await stop(again, 'SIGTERM');

    assert.equal(new Set(told).size, told.length, 'no line was told twice');
    const [expected, actual] = [await rowsOf('calm'), await rowsOf('crashed')];
    assert.deepEqual(expected.counts, { events, ids: events, minutes: events, dead: 0 });
    assert.ok(expected.findings.length > 0 && expected.decisions.length > 0);
    assert.deepEqual(actual, expected);
  });
});
