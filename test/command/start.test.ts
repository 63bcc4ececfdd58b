import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Finding } from '../../src/finding/finding.ts';
import { startGait, waitFor } from '../integration/gait-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'gait-start-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const labelsFile = join(import.meta.dirname, '../../../pipelines/sample/cloudtrail-attack-labels.csv.gz');
const findingLine = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ {2}(LOW|MEDIUM|HIGH|CRITICAL) /;

/** Ids of the recording's calls that an attack tool made. */
function attackCalls(): ReadonlySet<string> {
  const [header, ...rows] = gunzipSync(readFileSync(labelsFile)).toString().trimEnd().split('\n');
  const label = header!.split(',').indexOf('label');
  return new Set(rows.map((row) => row.split(',')).flatMap((cells) => (cells[label] === 'attack' ? [cells[0]!] : [])));
}

describe('gait start with nothing configured', { timeout: 120_000 }, () => {
  test('shows the first finding within 15 s, finds the attack calls, and stops at SIGTERM with 0', async () => {
    const began = performance.now();
    const gait = startGait({ folder, env: { GAIT_DATA_DIR: join(folder, 'data'), GAIT_HTTP_PORT: '0' } });
    const alive = [gait];
    await waitFor('a finding is on the screen', () => gait.printed.some((line) => findingLine.test(line)), {
      withinMs: 15_000,
      alive,
    });
    process.stdout.write(`# first finding after ${Math.round(performance.now() - began)} ms\n`);
    await waitFor('the sample is played', () => gait.output().includes('The sample has been played'), {
      withinMs: 60_000,
      alive,
    });
    const calls = attackCalls();
    assert.equal(calls.size, 237);
    const found = async (): Promise<boolean> => {
      const response = await fetch(`${gait.address()}/v1/findings?limit=100`).catch(() => undefined);
      if (!response?.ok) return false;
      const { findings } = (await response.json()) as { findings: Finding[] };
      return findings.some(({ event_ids }) => event_ids.some((id) => calls.has(id)));
    };
    await waitFor('a finding names an attack call', found, { withinMs: 20_000, alive, everyMs: 500 });
    const page = await (await fetch(`${gait.address()}/`)).text();
    assert.match(page, /<html/i);
    gait.kill('SIGTERM');
    assert.deepEqual(await gait.ended, { code: 0, signal: null });
    assert.match(gait.printed.at(-1)!, /^Stopping/);
  });
});
