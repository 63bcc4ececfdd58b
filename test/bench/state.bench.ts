import { featureCount } from '../../src/feature/registry.ts';
import { batchMax } from '../../src/score/batch.ts';
import { Engine, introduceAll, shippedModel } from './engine.ts';
import { type Bench, type BenchOptions, duration, median, type Row } from './measure.ts';

const identities = 100_000;

function seconds(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

/** A checkpoint as the shard makes it and takes it back; the log's part is in the rows that start a process. */
async function stateRows({ short }: BenchOptions): Promise<readonly Row[]> {
  const engine = new Engine(null, identities);
  const traffic = introduceAll(identities, (records) => engine.judge(records));
  const runs = short ? 3 : 7;
  const full: number[] = [];
  const increment: number[] = [];
  const restore: number[] = [];
  let bytes = 0;
  for (let run = 0; run < runs; run++) {
    engine.judge(traffic.take(20_000));
    increment.push(seconds(() => void [...engine.shard.checkpoint(false)].flat()));
    let records: Buffer[] = [];
    full.push(
      seconds(() => {
        records = [...engine.shard.checkpoint(true)].flat();
      }),
    );
    bytes = records.reduce((sum, record) => sum + record.length, 0);
    const { shard } = new Engine(null, identities);
    restore.push(
      seconds(() => {
        shard.restore(records);
        shard.restored();
      }),
    );
  }
  const size = `${(bytes / 2 ** 20).toFixed(0)} MB`;
  return [
    { what: 'full checkpoint, 100 k identities', measured: duration(full), note: `${size}, made in memory` },
    { what: 'increment after 20 k events, 100 k identities', measured: duration(increment) },
    { what: 'restore, 100 k identities', measured: duration(restore), note: `${size}, from memory` },
  ];
}

async function modelRows({ short }: BenchOptions): Promise<readonly Row[]> {
  const model = await shippedModel();
  const what = `model, per event at batches of ${batchMax}`;
  if (typeof model === 'string') return [{ what, measured: `skipped: ${model}` }];
  const vectors = Float32Array.from({ length: batchMax * featureCount }, (_, i) => Math.sin(i) * 3);
  const micros: number[] = [];
  for (let run = 0; run < (short ? 50 : 400); run++) {
    const took = seconds(() => void model.score(vectors, batchMax));
    if (run >= 10) micros.push((took * 1e6) / batchMax);
  }
  const spread = `${Math.min(...micros).toFixed(2)} to ${Math.max(...micros).toFixed(2)}`;
  return [{ what, measured: `${median(micros).toFixed(2)} µs (${spread})`, note: `${model.name} on ${model.backend}` }];
}

export const state: readonly Bench[] = [
  { name: 'model', run: modelRows },
  { name: 'state', run: stateRows },
];
