import { createDecoder } from '../../src/event/decode/decoder.ts';
import { createRedactor } from '../../src/event/redact.ts';
import { createRouteTemplater } from '../../src/event/route-template.ts';
import { emptyObservation, observe } from '../../src/feature/observation.ts';
import { decodeLines } from '../../src/identity/event-line.ts';
import { createIngest } from '../../src/identity/ingest.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { packEvents } from '../../src/role/pack.ts';
import { startMs } from './engine.ts';
import { type Bench, type BenchOptions, median, quantile, type Row } from './measure.ts';
import { Traffic } from './traffic.ts';

const goalMicroseconds = { ingest: 1.5, unpack: 1.5, observe: 0.3 } as const;
/** Small enough to stay in the caches: what is measured is the work, and not the memory of a machine that others use as well. */
const eventsPerRound = 2000;

/** CPU of all threads, garbage collection included, in µs per event. */
function cpuOf(work: () => unknown, rounds: number): readonly number[] {
  const measured: number[] = [];
  for (let round = 0; round < rounds * 1.25; round++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    if (round >= rounds / 4) measured.push((user + system) / eventsPerRound);
  }
  return measured;
}

function rowOf(what: string, measured: readonly number[], goal?: number): Row {
  const middle = median(measured);
  const text = `${middle.toFixed(2)} µs of CPU (${quantile(measured, 0.1).toFixed(2)} to ${quantile(measured, 0.9).toFixed(2)})`;
  return goal === undefined
    ? { what, measured: text }
    : { what, measured: text, goal: `<= ${goal} µs`, met: middle <= goal };
}

function wayInRows({ short }: BenchOptions): Row[] {
  const rounds = short ? 100 : 400;
  const records = new Traffic({ identities: 10_000, eventsPerSecond: 2000, startMs }).take(eventsPerRound);
  const redactor = createRedactor({ hmacKey: 'bench' });
  const sourceFor = () => ({ decoder: createDecoder({ format: 'canonical', redactor }) });
  const ingest = createIngest({ redactor, templater: createRouteTemplater(), sourceFor });
  const nowMs = startMs + 86_400_000;
  const resolve = (record: Buffer, offset: number): ResolvedEvent =>
    ingest.ingest(record, { topic: 'api-traffic', partition: 0, offset, index: 0 }, nowMs).events[0]!;
  const events = records.map(resolve);
  const packs = packEvents(events, 1).map(({ value }) => value as Buffer);
  const observation = emptyObservation();
  return [
    rowOf(
      'JSON.parse of the same bytes',
      cpuOf(() => records.forEach((record) => void JSON.parse(record.toString())), rounds),
    ),
    rowOf(
      'bytes to resolved event',
      cpuOf(() => records.forEach((record, i) => void resolve(record, i)), rounds),
      goalMicroseconds.ingest,
    ),
    rowOf(
      'resolved event to line',
      cpuOf(() => packEvents(events, 1), rounds),
    ),
    rowOf(
      'line to resolved event',
      cpuOf(() => packs.forEach((pack) => void decodeLines(pack)), rounds),
      goalMicroseconds.unpack,
    ),
    rowOf(
      'observation of an event',
      cpuOf(() => events.forEach((event) => void observe(event, observation)), rounds),
      goalMicroseconds.observe,
    ),
  ];
}

export const wayIn: readonly Bench[] = [{ name: 'way-in', run: async (options) => wayInRows(options) }];
