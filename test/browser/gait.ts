import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { freePort } from '../integration/enforcement.ts';
import { type GaitProcess, startGait, waitFor } from '../integration/gait-process.ts';

export type Running = { readonly gait: GaitProcess; readonly address: string; readonly folder: string };

/** `gait start` as a user has it, on a free port; without a configuration it plays its sample. */
export async function runGait(config?: object): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'gait-browser-'));
  after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const port = await freePort();
  const gait = startGait({ folder, ...(config && { config }), env: { GAIT_HTTP_PORT: String(port) } });
  await waitFor('Gait listens', () => gait.address() !== undefined, { withinMs: 60_000, alive: [gait] });
  return { gait, address: `http://127.0.0.1:${port}`, folder };
}

/** Asks until the answer is as wanted. */
export async function untilAnswer<T>(running: Running, path: string, isReady: (answer: T) => boolean): Promise<T> {
  let answer: T | undefined;
  const asked = async (): Promise<boolean> => {
    const response = await fetch(running.address + path).catch(() => undefined);
    answer = response?.ok ? ((await response.json()) as T) : undefined;
    return answer !== undefined && isReady(answer);
  };
  await waitFor(path, asked, { withinMs: 180_000, alive: [running.gait], everyMs: 250 });
  return answer!;
}
