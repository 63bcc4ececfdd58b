import { rowBytes } from '../../src/baseline/row-layout.ts';
import type { Model } from '../../src/score/model.ts';
import { Engine, introduceAll, shippedModel } from './engine.ts';
import {
  type Bench,
  type BenchOptions,
  eventsPerSecond,
  type Row,
  type Run,
  Stopwatch,
  thousands,
  throughput,
} from './measure.ts';
import { Naive } from './naive.ts';

const goalEventsPerSecond = 200_000;
const goalBytesPerIdentity = 512;
const chunk = 20_000;

/** Runs over one stream: each of `runs` takes so many events, and only the judging is timed. */
function measure(
  judge: (records: readonly Buffer[]) => void,
  of: { identities: number; runs: number; eventsPerRun: number },
): Run[] {
  const traffic = introduceAll(of.identities, judge);
  // The first events pay for compilation and for the caches.
  judge(traffic.take(chunk * 2));
  return Array.from({ length: of.runs }, () => {
    const watch = new Stopwatch();
    for (let done = 0; done < of.eventsPerRun; done += chunk) {
      const records = traffic.take(chunk);
      watch.time(() => judge(records));
    }
    return watch.run(of.eventsPerRun);
  });
}

function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}

async function engineRows(identities: number, { short }: BenchOptions): Promise<Row[]> {
  const size = { identities, runs: short ? 3 : 5, eventsPerRun: short ? 60_000 : 200_000 };
  const who = `${identities / 1000} k identities`;
  const naive = new Naive();
  const plain = measure((records) => records.forEach((record) => void naive.score(record)), size);
  const rows: Row[] = [{ what: `naive baseline, ${who}`, measured: throughput(plain) }];
  const models: [string, Model | null][] = [['without model', null]];
  const shipped = await shippedModel();
  if (typeof shipped === 'string')
    rows.push({ what: `bytes to verdict, ${who}, with model`, measured: `skipped: ${shipped}` });
  else models.push([`with model ${shipped.name}`, shipped]);
  for (const [label, model] of models) {
    const before = residentBytes();
    const engine = new Engine(model, identities);
    const runs = measure((records) => engine.judge(records), size);
    const rate = eventsPerSecond(runs);
    rows.push({
      what: `bytes to verdict, ${who}, ${label}`,
      goal: `>= ${thousands(goalEventsPerSecond)} k/s`,
      measured: throughput(runs),
      met: rate >= goalEventsPerSecond,
      note: `${(rate / eventsPerSecond(plain)).toFixed(2)} x naive; ${engine.findings} findings`,
    });
    if (model === null) rows.push(memoryRow(engine, residentBytes() - before, who));
  }
  return rows;
}

function memoryRow({ shard }: Engine, resident: number, who: string): Row {
  const { rows, population, recent } = shard.memory;
  const perIdentity = rows / shard.identities;
  return {
    what: `bytes per identity, ${who}`,
    goal: `<= ${goalBytesPerIdentity}`,
    measured: `${perIdentity.toFixed(0)} (row ${rowBytes}; the rest is table)`,
    met: perIdentity <= goalBytesPerIdentity,
    note: `apart: population ${megabytes(population)}, recent event ids ${megabytes(recent)}; resident memory grew by ${megabytes(resident)}, ${(resident / shard.identities).toFixed(0)} B per identity`,
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MB`;
}

export const engine: readonly Bench[] = [
  { name: 'engine-10k', run: (options) => engineRows(10_000, options) },
  { name: 'engine-100k', run: (options) => engineRows(100_000, options) },
  { name: 'engine-1m', long: true, run: (options) => engineRows(1_000_000, options) },
];
