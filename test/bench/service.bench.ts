import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import autocannon from 'autocannon';
import { GaitProcess, newline } from './gait-process.ts';
import { type Bench, type BenchOptions, duration, type Row, thousands } from './measure.ts';
import { Traffic } from './traffic.ts';

const batchLines = 500;
const goalIngest = 30_000;
const goalStartSeconds = 2;
export const identitiesHeld = 100_000;

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'gait-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** HTTP ingest into the embedded log, then a stop and a start with what was learned. */
async function embeddedRows({ short }: BenchOptions): Promise<readonly Row[]> {
  return inFolder(async (folder) => {
    const yaml = `dataDir: ${folder}\nroles: [ingest, detect, serve]\nlog: {kind: embedded}`;
    const first = await GaitProcess.start(folder, yaml);
    const ingest = await httpRow(first, short);
    await fill(first);
    await first.stop();
    const seconds: number[] = [];
    for (let run = 0; run < (short ? 1 : 3); run++)
      seconds.push(await startOnce(() => GaitProcess.start(folder, yaml)));
    return [ingest, startRow('embedded log', seconds)];
  });
}

async function httpRow(gait: GaitProcess, short: boolean): Promise<Row> {
  const traffic = new Traffic({ identities: 10_000, eventsPerSecond: 20_000, startMs: Date.now() - 600_000 });
  // autocannon sends the same bodies over and over, so the ids are left out: each line is a new event.
  const requests = Array.from({ length: 20 }, () => ({
    body: Buffer.concat(traffic.take(batchLines).flatMap((line) => [withoutId(line), newline])),
  }));
  const run = (seconds: number) =>
    autocannon({
      url: `${gait.address}/v1/events?format=canonical`,
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      connections: 4,
      duration: seconds,
      requests,
    });
  await run(2);
  const before = await gait.numbers();
  const result = await run(short ? 4 : 10);
  const after = await gait.numbers();
  const rate = (result['2xx'] * batchLines) / result.duration;
  const events = after.eventsIn - before.eventsIn;
  const perCpu = events / (after.cpuSeconds - before.cpuSeconds);
  return {
    what: `HTTP ingest, batches of ${batchLines}, to the embedded log`,
    goal: `>= ${thousands(goalIngest)} k/s`,
    measured: `${thousands(rate)} k/s, ${thousands(perCpu)} k per CPU second, detection included`,
    met: rate >= goalIngest,
    note: `${result.latency.p50} ms p50, ${result.latency.p99} ms p99 per batch; ${result.non2xx} not taken`,
  };
}

function withoutId(line: Buffer): Buffer {
  return Buffer.from(line.toString('latin1').replace(/"event_id":"[^"]*",/, ''), 'latin1');
}

/** Sees to it that the service holds the identities, and has judged everything it was sent. */
async function fill(gait: GaitProcess): Promise<void> {
  const traffic = new Traffic({ identities: identitiesHeld, eventsPerSecond: 20_000, startMs: Date.now() - 10_000 });
  for (let first = 0; first < identitiesHeld; first += 2000) await gait.post(traffic.introduce(first, 2000));
  await gait.until(
    ({ identities, verdicts, eventsIn }) => identities >= identitiesHeld && verdicts >= eventsIn,
    120_000,
  );
}

/** Seconds from the start of the process to the first verdict on restored state. */
export async function startOnce(start: () => Promise<GaitProcess>, wake?: () => Promise<void>): Promise<number> {
  const gait = await start();
  try {
    const traffic = new Traffic({ identities: 1000, eventsPerSecond: 1000, startMs: Date.now(), seed: Date.now() });
    await (wake?.() ?? gait.post(traffic.take(200)));
    const { at } = await gait.until(({ identities }) => identities >= identitiesHeld, 60_000);
    return (at - gait.startedAt) / 1000;
  } finally {
    await gait.stop();
  }
}

export function startRow(log: string, seconds: readonly number[]): Row {
  return {
    what: `start with ${identitiesHeld / 1000} k identities of state, ${log}`,
    goal: `<= ${goalStartSeconds} s`,
    measured: duration(seconds),
    met: Math.min(...seconds) <= goalStartSeconds,
    note: 'from starting the process to a verdict on restored state',
  };
}

export const service: readonly Bench[] = [{ name: 'embedded', run: embeddedRows }];
