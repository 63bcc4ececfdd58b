import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import type { Clock } from '../core/clock.ts';
import { sleep } from '../core/sleep.ts';
import { RecordSplitter } from '../event/decode/split-records.ts';
import type { Ingest } from '../identity/ingest.ts';
import type { Log } from '../log/log.ts';
import type { Intake } from './ingest.ts';

export type SampleOptions = {
  readonly log: Log;
  readonly path: string;
  /** A compacted topic that remembers how far the recording has been played. */
  readonly topic: string;
  readonly ingest: Ingest;
  readonly intake: Intake;
  readonly clock: Clock;
};

const sampleSource = 'sample';
/** Played at this pace, the 56 minutes of the recording take about six seconds. */
const recordsPerStep = 100;
const stepMs = 200;

/**
 * Plays the bundled recording through the live path, from where an earlier run stopped. A step that was written but not noted down is
 * written again, and the shard drops its events by their positions.
 */
export async function playSample(options: SampleOptions, signal: AbortSignal): Promise<{ readonly played: number }> {
  const { log, topic, ingest, intake, clock } = options;
  const done = await readProgress(log, topic);
  let line = 0;
  let waiting: { bytes: Buffer; line: number }[] = [];
  const step = async (): Promise<void> => {
    const parts = waiting.map((record) =>
      ingest.ingest(record.bytes, { topic: sampleSource, partition: 0, offset: record.line, index: 0 }, clock.now()),
    );
    await intake.append(
      sampleSource,
      parts.flatMap((part) => part.events),
      parts.flatMap((part) => part.deadLetters),
    );
    await log.append(topic, [{ key: sampleSource, value: String(waiting.at(-1)!.line) }]);
    waiting = [];
    await sleep(stepMs, signal);
  };
  const splitter = new RecordSplitter(1024 * 1024);
  for await (const chunk of createReadStream(options.path).pipe(createGunzip())) {
    for (const record of splitter.push(chunk as Buffer)) {
      line++;
      if (line > done) waiting.push({ bytes: record.bytes, line });
      if (waiting.length === recordsPerStep) await step();
      if (signal.aborted) return { played: line };
    }
  }
  if (waiting.length > 0) await step();
  return { played: line - done };
}

async function readProgress(log: Log, topic: string): Promise<number> {
  let line = 0;
  const reading = await log.tail({
    topic,
    from: 'earliest',
    onRecords: (records) => {
      for (const { value } of records) if (value !== null) line = Number(value.toString('latin1'));
    },
  });
  await reading.caughtUp;
  await reading.close();
  return line;
}
