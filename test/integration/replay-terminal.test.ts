import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { after, describe, test } from 'node:test';
import { Traffic } from '../bench/traffic.ts';
import { gait } from '../command/gait-command.ts';

const repository = join(import.meta.dirname, '../../..');
const cli = join(repository, 'dist/src/cli.js');
const sample = join(repository, 'pipelines/sample/cloudtrail-attack.jsonl.gz');
const folder = mkdtempSync(join(tmpdir(), 'gait-terminal-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const inCi = process.env.CI !== undefined;
const hasTerminal = spawnSync('script', ['--version']).status === 0;
const noTerminal = hasTerminal || inCi ? false : 'script (util-linux) is not here to make a terminal';

const barOf = (text: string): boolean => /\d+ % {2}\S+ left/.test(text);

test('progress is shown on a terminal and nowhere else', { skip: noTerminal }, async () => {
  const command = `'${process.execPath}' '${cli}' replay '${sample}'`;
  const { PATH } = process.env;
  const shown = spawnSync('script', ['-qec', command, '/dev/null'], {
    encoding: 'utf8',
    cwd: folder,
    env: { PATH, TERM: 'xterm' },
  });
  assert.equal(shown.status, 0, shown.stdout);
  assert.ok(barOf(shown.stdout), shown.stdout);
  assert.match(shown.stdout, /2900 events/);
  const { stdout, stderr } = await gait(['replay', sample], { cwd: folder });
  assert.deepEqual([barOf(stdout), stderr], [false, '']);
});

/** Kilobytes that the process has held at most so far; undefined when it has gone. */
function peakKilobytes(pid: number): number | undefined {
  try {
    // A process that has just ended still has a status, and no memory in it.
    const found = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return found === null ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}

const megabytes = 300;
const notHere = inCi && process.platform === 'linux' ? false : 'takes a minute; runs in CI, on Linux';

describe('a file much larger than memory should be', { skip: notHere, timeout: 280_000 }, () => {
  test(`${megabytes} MB are replayed in bounded memory`, async () => {
    const file = join(folder, 'large.jsonl');
    const startMs = Date.UTC(2025, 2, 3);
    const traffic = new Traffic({ identities: 5000, eventsPerSecond: 1000, startMs });
    const out = createWriteStream(file);
    let events = 0;
    for (let written = 0; written < megabytes * 1e6; events += 2000) {
      const chunk = Buffer.from(`${traffic.take(2000).join('\n')}\n`);
      written += chunk.length;
      if (!out.write(chunk)) await once(out, 'drain');
    }
    out.end();
    await finished(out);
    writeFileSync(join(folder, 'plain.yaml'), 'detect: { model: none, identitiesMax: 10000 }\n');
    let peak = 0;
    let watching: NodeJS.Timeout | undefined;
    const began = performance.now();
    const { code, stdout, stderr } = await gait(['replay', file, '--json', '--scores', 'scores', '-c', 'plain.yaml'], {
      cwd: folder,
      onStart: (pid) => {
        watching = setInterval(() => {
          peak = peakKilobytes(pid) ?? peak;
        }, 100);
      },
    });
    clearInterval(watching);
    assert.equal(code, 0, stderr);
    assert.equal((JSON.parse(stdout) as { events: number }).events, events);
    const seconds = (performance.now() - began) / 1000;
    process.stdout.write(`# ${events} events in ${seconds.toFixed(1)} s, at most ${Math.round(peak / 1024)} MB\n`);
    assert.ok(peak > 0 && peak < 600 * 1024, `${peak} kB`);
  });
});
