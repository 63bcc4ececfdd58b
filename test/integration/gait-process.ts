import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { sleep } from '../../src/core/sleep.ts';

const cli = join(import.meta.dirname, '../../src/cli.js');

/** A `gait start` of a test, as a process of its own. */
export type GaitProcess = {
  /** Lines of standard output, without their ends, as they come. */
  readonly printed: string[];
  /** Everything that it wrote on either stream. */
  readonly output: () => string;
  readonly pid: number | undefined;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Exit code and signal, once the process has gone and all of its output was read. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Address of the dashboard, as printed. */
  readonly address: () => string | undefined;
};

const running = new Set<ChildProcess>();
const killAll = (): void => {
  for (const child of running) child.kill('SIGKILL');
};
// A test that failed, or was ended from outside, leaves nobody behind and waits for nobody.
after(killAll);
process.once('exit', killAll);

/** `config` becomes a file (JSON is YAML) in `folder`, which is also the process's working directory. */
export function startGait(options: {
  readonly folder: string;
  readonly config?: object;
  readonly env?: Readonly<Record<string, string>>;
  readonly name?: string;
}): GaitProcess {
  const { folder, config, env = {}, name = 'gait' } = options;
  const args = [cli, 'start'];
  if (config !== undefined) {
    const file = join(folder, `${name}.yaml`);
    writeFileSync(file, JSON.stringify(config, null, 1));
    args.push('--config', file);
  }
  const { PATH } = process.env;
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const printed: string[] = [];
  let output = '';
  createInterface({ input: child.stdout }).on('line', (line) => printed.push(line));
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
  });
  return {
    printed,
    output: () => output,
    pid: child.pid,
    kill: (signal) => void child.kill(signal),
    ended,
    address: () => printed.flatMap((line) => /^Dashboard: (\S+)\/$/.exec(line)?.[1] ?? [])[0],
  };
}

/** Waits for a condition; a process of the test that ends early fails it at once, with what it had to say. */
export async function waitFor(
  what: string,
  condition: () => boolean | Promise<boolean>,
  options: { readonly withinMs: number; readonly alive?: readonly GaitProcess[]; readonly everyMs?: number },
): Promise<void> {
  const { withinMs, alive = [], everyMs = 50 } = options;
  const deadline = performance.now() + withinMs;
  let gone: GaitProcess | undefined;
  for (const one of alive) {
    void one.ended.then(() => {
      gone = one;
    });
  }
  for (;;) {
    if (await condition()) return;
    if (gone !== undefined) throw new Error(`a process ended while waiting: ${what}\n${gone.output().slice(-4000)}`);
    if (performance.now() > deadline) {
      throw new Error(
        [`not within ${withinMs} ms: ${what}`, ...alive.map((one) => one.output().slice(-4000))].join('\n'),
      );
    }
    await sleep(everyMs);
  }
}
