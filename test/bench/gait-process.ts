import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../../src/core/sleep.ts';

export type Numbers = {
  readonly verdicts: number;
  readonly identities: number;
  readonly eventsIn: number;
  /** Of the whole process, all threads. */
  readonly cpuSeconds: number;
};

const cli = join(import.meta.dirname, '../../src/cli.js');

/** Those that `npm start`, the image and the `gait` command set. */
export const nodeFlags = ['--max-semi-space-size=64', '--no-memory-reducer'];

/** `gait start` in a process of its own, as an operator runs it, seen through its metrics. */
export class GaitProcess {
  readonly address: string;
  readonly startedAt: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, address: string, startedAt: number) {
    this.#child = child;
    this.address = address;
    this.startedAt = startedAt;
  }

  /** Resolves when its HTTP server listens. */
  static async start(folder: string, yaml: string): Promise<GaitProcess> {
    const config = join(folder, 'gait.yaml');
    writeFileSync(config, `${yaml}\nhttp: {port: 0}\nlogging: {level: error}\nstore: {kind: 'off'}\n`);
    const startedAt = performance.now();
    const child = spawn(process.execPath, [...nodeFlags, cli, 'start', '--config', config], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    const address = await new Promise<string>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        printed = (printed + chunk.toString('utf8')).slice(-10_000);
        const found = /Dashboard: (\S+)\//.exec(printed);
        if (found?.[1] !== undefined) resolve(found[1]);
      });
      child.once('exit', (code) => reject(new Error(`gait ended with ${code}: ${printed}`)));
    });
    return new GaitProcess(child, address, startedAt);
  }

  async numbers(): Promise<Numbers> {
    const text = await (await fetch(`${this.address}/metrics`)).text();
    const sum = (name: string): number =>
      [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce(
        (all, m) => all + Number(m[1]),
        0,
      );
    return {
      verdicts: sum('gait_verdict_latency_seconds_count'),
      identities: sum('gait_identities_held'),
      eventsIn: sum('gait_events_in_total'),
      cpuSeconds: sum('gait_process_cpu_seconds_total'),
    };
  }

  /** Looks every 50 ms; fails after the deadline. */
  async until(what: (numbers: Numbers) => boolean, withinMs: number): Promise<{ numbers: Numbers; at: number }> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const numbers = await this.numbers();
      const at = performance.now();
      if (what(numbers)) return { numbers, at };
      if (at > deadline) throw new Error(`waited ${withinMs} ms in vain; it stands at ${JSON.stringify(numbers)}`);
      await sleep(50);
    }
  }

  async post(lines: readonly Buffer[]): Promise<void> {
    const body = Buffer.concat(lines.flatMap((line) => [line, newline]));
    const answer = await fetch(`${this.address}/v1/events?format=canonical`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body,
    });
    if (answer.status !== 202) throw new Error(`HTTP ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
    await answer.arrayBuffer();
  }

  /** In order: it drains and checkpoints. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    await ended;
  }
}

export const newline = Buffer.from('\n');
