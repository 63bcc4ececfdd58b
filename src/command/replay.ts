import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { SingleBar } from 'cli-progress';
import { loadConfig } from '../config/config.ts';
import { loadHmacKey } from '../config/hmac-key.ts';
import { systemClock } from '../core/clock.ts';
import { describeError, GaitError } from '../core/errors.ts';
import { noun } from '../core/noun.ts';
import { visible } from '../core/visible.ts';
import { type RawRecord, RecordSplitter } from '../event/decode/split-records.ts';
import { type Finding, severities } from '../finding/finding.ts';
import type { DeadLetter } from '../identity/dead-letter.ts';
import type { Ingest } from '../identity/ingest.ts';
import { Shard } from '../pipeline.ts';
import { assembleIngest, assembleModel, checkFormat, readMap, readPolicy, shardOptions } from '../role/assemble.ts';
import { openEnrichment } from '../role/enrichment.ts';
import { round } from '../role/pack.ts';
import { readFeedback } from './feedback-file.ts';
import { type LineFile, openLineFile } from './line-file.ts';

export type ReplayOptions = {
  readonly files: readonly string[];
  readonly format: string;
  readonly map?: string | undefined;
  readonly config?: string | undefined;
  readonly findings?: string | undefined;
  readonly scores?: string | undefined;
  readonly signals?: string | undefined;
  readonly deadLetters?: string | undefined;
  /** What people said of an earlier run: a file with what `GET /v1/suppressions` answers. */
  readonly feedback?: string | undefined;
  readonly json?: boolean | undefined;
};

/** A file costs nothing to wait for, so events up to this far out of order are put right. */
const reorderWindowMs = 2000;
/** Records between two looks at what came out. */
const recordsPerDrain = 512;

type Run = {
  readonly ingest: Ingest;
  readonly shard: Shard;
  readonly recordBytesMax: number;
  readonly scores: LineFile;
  readonly signals: LineFile;
  readonly deadLetters: LineFile;
  readonly findings: Map<string, Finding>;
  readonly identities: Set<string>;
  /** By reason: how many, and where the first was. */
  readonly refused: Map<string, { count: number; readonly first: string }>;
  events: number;
  decisions: number;
};

/** `gait replay`: files through the same pipeline, offline and in event time. The same files give the same bytes. */
export async function replay(options: ReplayOptions): Promise<void> {
  const config = loadConfig(options.config);
  // Now, and not at the first record, which an empty file does not have.
  if (options.map === undefined) checkFormat(options.format);
  const map = options.map === undefined ? undefined : readMap(options.map);
  const parts = { config, policy: readPolicy(config), model: await assembleModel(config) };
  const forShard = shardOptions(parts, { shard: 0, shards: 1 });
  const said = options.feedback === undefined ? [] : readFeedback(options.feedback);
  const suppressions = [...(forShard.suppressions ?? []), ...said];
  const run: Run = {
    ingest: assembleIngest({ config, key: loadHmacKey(config), enrich: openEnrichment(config).enrich }, () => ({
      format: options.format,
      map,
    })),
    shard: new Shard({ ...forShard, reorderWindowMs, suppressions }),
    recordBytesMax: config.ingest.recordBytesMax,
    scores: await openLineFile(options.scores),
    signals: await openLineFile(options.signals),
    deadLetters: await openLineFile(options.deadLetters),
    findings: new Map(),
    identities: new Set(),
    refused: new Map(),
    events: 0,
    decisions: 0,
  };
  const findings = await openLineFile(options.findings);
  const bar = await progressBar(options);
  for (const file of options.files) await replayFile(run, file, (bytes) => bar?.increment(bytes));
  run.shard.flush();
  await drain(run);
  for (const finding of run.findings.values()) await findings.write(finding);
  for (const file of [run.scores, run.signals, run.deadLetters, findings]) await file.close();
  await forShard.cold.close();
  bar?.stop();
  process.stdout.write(options.json ? `${JSON.stringify(summarise(run))}\n` : describe(run));
  if (run.events === 0 && run.refused.size > 0)
    throw new GaitError(
      'INPUT_UNREADABLE',
      'nothing in it was an event: docs/sources.md says what each gateway must log, and --map reads any other JSON',
    );
}

async function replayFile(run: Run, file: string, progress: (bytes: number) => void): Promise<void> {
  const splitter = new RecordSplitter(run.recordBytesMax);
  let sinceDrain = 0;
  try {
    for await (const chunk of unpacked(file, progress)) {
      for (const record of splitter.push(chunk)) {
        await replayRecord(run, file, record);
        if (++sinceDrain % recordsPerDrain === 0) await drain(run);
      }
    }
    for (const record of splitter.end()) await replayRecord(run, file, record);
  } catch (cause) {
    if (cause instanceof GaitError) throw cause;
    throw new GaitError('INPUT_UNREADABLE', `${file}: ${describeError(cause)}`, { cause });
  }
}

async function replayRecord(run: Run, file: string, record: RawRecord): Promise<void> {
  const position = { topic: file, partition: 0, offset: record.line, index: record.index };
  const now = systemClock.now();
  if (record.size > record.bytes.length) {
    const cause = `larger than ${run.recordBytesMax} bytes`;
    return refuse(
      run,
      run.ingest.refuse({ reason: 'record-too-large', cause, bytes: record.bytes, size: record.size }, position, now),
    );
  }
  const { events, deadLetters } = run.ingest.ingest(record.bytes, position, now);
  for (const event of events) run.shard.accept(event);
  run.events += events.length;
  for (const letter of deadLetters) await refuse(run, letter);
}

async function refuse(run: Run, letter: DeadLetter): Promise<void> {
  const known = run.refused.get(letter.reason);
  // The offset of a file's record is the line on which it starts.
  if (known === undefined)
    run.refused.set(letter.reason, { count: 1, first: `${letter.source}:${letter.offset}: ${letter.cause}` });
  else known.count++;
  await run.deadLetters.write(letter);
}

async function drain(run: Run): Promise<void> {
  const { verdicts, findings, decisions } = run.shard.drain();
  for (const { resolved, surprise, evidence, risk, top, findings: open } of verdicts) {
    const { event_id, identity, event } = resolved;
    run.identities.add(identity);
    const numbers = { surprise: round(surprise), evidence: round(evidence), risk: round(risk) };
    await run.scores.write({ event_id, ts: event.ts, identity, ...numbers, top, findings: open });
  }
  for (const finding of findings) run.findings.set(finding.finding_id, finding);
  for (const decision of decisions) await run.signals.write(decision);
  run.decisions += decisions.length;
}

/** How files begin that are packed in a way that we cannot undo. */
const packings = { zstd: '28b52ffd', xz: 'fd377a58', bzip2: '425a68', zip: '504b0304' };

/** The file's bytes, gunzipped when it begins like gzip; `-` is standard input. `progress` hears of bytes as they are in the file. */
async function* unpacked(file: string, progress: (bytes: number) => void): AsyncGenerator<Buffer> {
  const raw: AsyncIterable<Buffer> = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 18 });
  const chunks = raw[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done) return;
  const begins = first.value.toString('hex', 0, 4);
  const packing = Object.entries(packings).find(([, magic]) => begins.startsWith(magic));
  if (packing !== undefined) throw new Error(`is packed with ${packing[0]}; only gzip is unpacked here`);
  const all = Readable.from(counted(first, chunks, progress));
  const isGzip = first.value[0] === 0x1f && first.value[1] === 0x8b;
  // An error of the source ends the last stream with it, and so the loop below.
  yield* isGzip ? pipeline(all, createGunzip(), () => {}) : all;
}

async function* counted(
  first: IteratorResult<Buffer>,
  rest: AsyncIterator<Buffer>,
  progress: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  for (let next = first; !next.done; next = await rest.next()) {
    progress(next.value.length);
    yield next.value;
  }
}

/** Only on a terminal, and only when the sizes are known. */
async function progressBar({ files, json }: ReplayOptions): Promise<SingleBar | undefined> {
  if (!process.stderr.isTTY || json || files.includes('-')) return undefined;
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  const bar = new SingleBar({
    format: '{bar} {percentage} %  {eta_formatted} left',
    stream: process.stderr,
    clearOnComplete: true,
  });
  bar.start(
    sizes.reduce((a, b) => a + b, 0),
    0,
  );
  return bar;
}

function summarise(run: Run): object {
  const by = (pick: (finding: Finding) => string): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const finding of toldOf(run)) counts[pick(finding)] = (counts[pick(finding)] ?? 0) + 1;
    return counts;
  };
  return {
    events: run.events,
    duplicates: run.shard.counters.duplicates,
    late: run.shard.counters.late,
    identities: run.identities.size,
    dead_letters: Object.fromEntries([...run.refused].map(([reason, { count }]) => [reason, count])),
    findings: toldOf(run).length,
    suppressed: run.findings.size - toldOf(run).length,
    findings_by_kind: by(({ kind }) => kind),
    findings_by_severity: by(({ severity }) => severity),
    decisions: run.decisions,
  };
}

/** What people expect is in the files, and not among what is told. */
function toldOf({ findings }: Run): readonly Finding[] {
  return [...findings.values()].filter(({ state }) => state !== 'suppressed');
}

const titlesMax = 20;

function describe(run: Run): string {
  const refused = [...run.refused];
  const letters = refused.reduce((sum, [, { count }]) => sum + count, 0);
  const { duplicates, late } = run.shard.counters;
  const told = toldOf(run);
  const suppressed = run.findings.size - told.length;
  const worst = [...told].sort(
    (a, b) => severities.indexOf(b.severity) - severities.indexOf(a.severity) || b.surprise - a.surprise,
  );
  const lines = [
    `${run.events} ${noun(run.events, 'event')} of ${run.identities.size} ${noun(run.identities.size, 'identity', 'identities')}; ${duplicates} ${noun(duplicates, 'duplicate')} dropped, ${late} late`,
    `${letters === 0 ? 'no' : letters} dead ${noun(letters, 'letter')}`,
    ...refused.map(([reason, { count, first }]) => `  ${reason} ${count}, the first at ${visible(first, 200)}`),
    `${told.length} ${noun(told.length, 'finding')}, ${run.decisions} ${noun(run.decisions, 'decision')}${suppressed === 0 ? '' : `; ${suppressed} ${noun(suppressed, 'finding')} suppressed`}`,
    ...worst.slice(0, titlesMax).map(({ severity, title }) => `  ${severity.padEnd(8)}  ${visible(title, 400)}`),
    ...(worst.length > titlesMax ? [`  and ${worst.length - titlesMax} more`] : []),
  ];
  return `${lines.join('\n')}\n`;
}
