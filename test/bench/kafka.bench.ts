import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brokerMissing, startBroker } from '../../src/command/kafka-broker.ts';
import { sleep } from '../../src/core/sleep.ts';
import type { Finding } from '../../src/finding/finding.ts';
import { openKafkaLog } from '../../src/log/kafka.ts';
import type { Log } from '../../src/log/log.ts';
import type { Decision } from '../../src/policy/decision.ts';
import { GaitProcess } from './gait-process.ts';
import { type Bench, type BenchOptions, quantile, type Row, thousands } from './measure.ts';
import { identitiesHeld, startOnce, startRow } from './service.bench.ts';
import { Traffic } from './traffic.ts';

const goalEventsPerSecond = 80_000;
const goalLatencyMs = 250;
const reorderWindowMs = 250;
const partitions = 4;
const source = 'api-traffic';

type Setting = { readonly log: Log; readonly start: () => Promise<GaitProcess>; readonly short: boolean };

async function kafkaRows({ short }: BenchOptions): Promise<readonly Row[]> {
  const missing = await brokerMissing();
  if (missing !== undefined) return [{ what: 'Kafka to verdict', measured: `skipped: ${missing}` }];
  const folder = mkdtempSync(join(tmpdir(), 'gait-bench-kafka-'));
  const broker = await startBroker({
    port: 0,
    dataDir: folder,
    libsDir: join(tmpdir(), 'gait-kafka-libs'),
    partitions,
  });
  const address = `127.0.0.1:${broker.port}`;
  const log = openKafkaLog({ brokers: [address], clientId: 'bench', onTrouble: () => {} });
  const yaml = `dataDir: ${folder}\nroles: [ingest, detect, serve]\nlog: {kind: kafka, brokers: ['${address}'], partitions: ${partitions}}\nsources: [{topic: ${source}, format: canonical}]`;
  const setting: Setting = { log, short, start: () => GaitProcess.start(folder, yaml) };
  try {
    const { row, rate } = await throughputRow(setting);
    const starts: number[] = [];
    for (let run = 0; run < (short ? 1 : 3); run++) starts.push(await startOnce(setting.start, () => wake(log)));
    return [row, startRow('Kafka', starts), ...(await latencyRows(setting, rate / 2))];
  } finally {
    await log.close();
    await broker.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Un-keyed, a record per event, over all partitions. */
async function produce(log: Log, records: readonly Buffer[]): Promise<void> {
  await log.append(
    source,
    records.map((value, i) => ({ value, partition: i % partitions })),
  );
}

/** An event for every shard, so that each has something to say. */
async function wake(log: Log): Promise<void> {
  const traffic = new Traffic({ identities: 1000, eventsPerSecond: 1000, startMs: Date.now(), seed: Date.now() });
  await produce(log, traffic.take(200));
}

/** Everything is in the topic before Gait starts; the clock runs from its first verdicts to its last. */
async function throughputRow({ log, start, short }: Setting): Promise<{ row: Row; rate: number }> {
  await log.ensureTopics([{ name: source, partitions, cleanup: 'delete' }]);
  const traffic = new Traffic({ identities: identitiesHeld, eventsPerSecond: 2000, startMs: Date.now() - 3_600_000 });
  for (let first = 0; first < identitiesHeld; first += 5000) await produce(log, traffic.introduce(first, 5000));
  const more = short ? 200_000 : 600_000;
  for (let done = 0; done < more; done += 5000) await produce(log, traffic.take(5000));
  const gait = await start();
  const from = await gait.until(({ verdicts }) => verdicts >= identitiesHeld / 2, 120_000);
  const to = await gait.until(({ verdicts }) => verdicts >= (identitiesHeld + more) * 0.99, 300_000);
  await gait.until(({ verdicts }) => verdicts >= identitiesHeld + more, 30_000);
  await gait.stop();
  const events = to.numbers.verdicts - from.numbers.verdicts;
  const rate = events / ((to.at - from.at) / 1000);
  const cpu = to.numbers.cpuSeconds - from.numbers.cpuSeconds;
  const measured = `${thousands(rate)} k/s, ${thousands(events / cpu)} k per CPU second (${((cpu * 1e6) / events).toFixed(1)} µs of CPU per event)`;
  const goal = `>= ${thousands(goalEventsPerSecond)} k/s`;
  const note = `one process, ${partitions} partitions, ${identitiesHeld / 1000} k identities; the broker has the same cores`;
  return { row: { what: 'Kafka to verdict', goal, measured, met: rate >= goalEventsPerSecond, note }, rate };
}

const stepMs = 20;
/** A process that was just started runs slowly until its code is compiled, and works off what came meanwhile. */
const warmUpMs = 10_000;

/** At half of the measured throughput: now and then a call of one of a few attackers, each of which has an open finding. */
async function latencyRows({ log, start, short }: Setting, perSecond: number): Promise<readonly Row[]> {
  const gait = await start();
  // A start has a row of its own: what is measured here begins when all shards have their state and have caught up.
  await wake(log);
  await gait.until(({ identities }) => identities >= identitiesHeld, 60_000);
  const findings: number[] = [];
  const updates: number[] = [];
  const decisions: number[] = [];
  let measuring = false;
  const tail = async (topic: string, hear: (value: string, now: number) => void): Promise<void> => {
    const tailing = await log.tail({
      topic,
      // Whether a finding is new only those know who heard of all.
      from: 'earliest',
      onRecords: (records) => {
        const now = Date.now();
        for (const { value } of records) if (value !== null) hear(value.toString('utf8'), now);
      },
    });
    await tailing.caughtUp;
  };
  const told = new Map<string, Finding>();
  await tail('gait.findings', (value, now) => {
    const finding = JSON.parse(value) as Finding;
    const before = told.get(finding.finding_id);
    told.set(finding.finding_id, finding);
    // A version that a decision or the policy made has no event of its own: it was there already.
    if (!measuring || (before?.last_seen ?? 0) >= finding.last_seen) return;
    (before?.severity === finding.severity ? updates : findings).push(now - finding.last_seen);
  });
  await tail('gait.signals', (value, now) => {
    if (measuring) decisions.push(now - (JSON.parse(value) as Decision).made_at);
  });
  // Of a seed of its own: what was sent before has the same event ids, and repeats cost next to nothing.
  const traffic = new Traffic({ identities: identitiesHeld, eventsPerSecond: perSecond, startMs: Date.now(), seed: 2 });
  const endMs = warmUpMs + (short ? 8000 : 25_000);
  const begin = performance.now();
  for (let step = 0; performance.now() - begin < endMs; step++) {
    measuring = performance.now() - begin > warmUpMs;
    const late = (step + 1) * stepMs - (performance.now() - begin);
    if (late > 0) await sleep(late);
    await sendStep(log, traffic, { step, count: Math.round((perSecond * stepMs) / 1000) });
  }
  await sleep(1000);
  await gait.stop();
  const row = (what: string, values: readonly number[], remark = ''): Row => {
    const beyond = quantile(values, 0.99) - reorderWindowMs;
    return {
      what: `event to ${what}, at ${thousands(perSecond)} k/s through Kafka`,
      goal: `p99 <= ${goalLatencyMs} ms beyond the window`,
      measured: `p50 ${quantile(values, 0.5)} ms, p99 ${quantile(values, 0.99)} ms`,
      met: beyond <= goalLatencyMs,
      note: `${values.length} seen; of it ${reorderWindowMs} ms reorder window, so ${beyond.toFixed(0)} ms beyond it at p99${remark}`,
    };
  };
  const later = `; ${updates.length} that only saw more are told when their frame of ten seconds ends: p99 ${quantile(updates, 0.99)} ms`;
  const rows = [row('finding, opened or worse', findings, later)];
  if (decisions.length >= 100) rows.push(row('signal', decisions));
  return rows;
}

/** Events of this moment, several to a record so that the sender leaves the cores to Gait. */
async function sendStep(log: Log, traffic: Traffic, { step, count }: { step: number; count: number }): Promise<void> {
  const now = Date.now();
  const lines = traffic.take(count).map((line) => line.toString('latin1').replace(/"ts":\d+/, `"ts":${now}`));
  const attacker = `"subject":"u-attacker-${step % 300}"`;
  lines.push(
    lines[0]!
      .replace(/"subject":"[^"]*"/, attacker)
      .replace(/"status":\d+/, '"status":403')
      .replace('/v1/', `/admin${step % 50}/`),
  );
  const size = Math.ceil(lines.length / partitions);
  const records = Array.from({ length: partitions }, (_, partition) => ({
    partition,
    value: `[${lines.slice(partition * size, (partition + 1) * size).join(',')}]`,
  })).filter(({ value }) => value !== '[]');
  await log.append(source, records);
}

export const kafka: readonly Bench[] = [{ name: 'kafka', run: kafkaRows }];
