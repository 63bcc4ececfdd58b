import { spawn } from 'node:child_process';
import { join } from 'node:path';

const cli = join(import.meta.dirname, '../../src/cli.js');

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** Runs a `gait` command that ends by itself; `input` becomes its standard input. */
export function gait(
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly input?: Buffer;
    readonly env?: Readonly<Record<string, string>>;
    readonly onStart?: (pid: number) => void;
  },
): Promise<Ended> {
  const { PATH } = process.env;
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: options.cwd,
    env: { PATH, GAIT_HMAC_KEY: 'a key for tests only', ...options.env },
    stdio: 'pipe',
  });
  options.onStart?.(child.pid!);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A command that does not read its input closes it, which is its right.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}
