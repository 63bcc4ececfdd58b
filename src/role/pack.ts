import { hash64 } from '../core/hash.ts';
import { writeLine } from '../identity/event-line.ts';
import { LineWriter } from '../identity/line-writer.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';
import type { NewRecord } from '../log/log.ts';
import type { Verdict } from '../pipeline.ts';

/** Events in a record: a client takes 15 µs for a record whatever is in it. */
const linesPerRecord = 500;
/** Key of the records that carry no events but the time up to which there are none. */
export const tickKey = 'tick';

/** The shard of an identity: the same for every process that writes to the topic. */
export function partitionOf(identity: string, partitions: number): number {
  return partitions === 1 ? 0 : hash64(identity).low % partitions;
}

/** Records of `gait.events`: each holds lines of one partition only, in the order of the events. */
export function packEvents(events: readonly ResolvedEvent[], partitions: number): NewRecord[] {
  const packs = new Map<number, Pack>();
  for (const event of events) {
    const partition = partitionOf(event.identity, partitions);
    const pack = packs.get(partition) ?? newPack();
    packs.set(partition, pack);
    startLine(pack);
    writeLine(pack.writer, event);
    pack.writer.plain('}');
  }
  return [...packs].flatMap(([partition, pack]) => endPack(pack).map((value) => ({ partition, value })));
}

/** Makes records of `gait.scores`: each line is the event's with what became of it; the names are the columns of the store. */
export class ScorePacker {
  readonly #shard: number;
  readonly #pack = newPack();

  constructor(shard: number) {
    this.#shard = shard;
  }

  add(verdicts: readonly Verdict[]): void {
    const { writer } = this.#pack;
    for (const { resolved, seq, surprise, evidence, risk, top, findings } of verdicts) {
      startLine(this.#pack);
      writeLine(writer, resolved);
      const numbers = `"surprise":${round(surprise)},"evidence":${round(evidence)},"risk":${round(risk)}`;
      writer.plain(`,"shard":${this.#shard},"seq":${seq},${numbers},"top":`);
      writer.list(top);
      writer.plain(',"findings":');
      writer.list(findings);
      writer.plain('}');
    }
  }

  /** All that was added, once. */
  end(): NewRecord[] {
    return endPack(this.#pack).map((value) => ({ partition: this.#shard, value }));
  }
}

type Pack = { readonly writer: LineWriter; lines: number; readonly values: Buffer[] };

/** Writers that nobody uses at the moment: their memory is worth keeping. */
const freeWriters: LineWriter[] = [];

function newPack(): Pack {
  return { writer: freeWriters.pop() ?? new LineWriter(), lines: 0, values: [] };
}

function startLine(pack: Pack): void {
  const { writer, lines, values } = pack;
  if (lines > 0 && lines % linesPerRecord === 0) values.push(writer.take());
  else if (lines > 0) writer.plain('\n');
  pack.lines++;
}

function endPack({ writer, lines, values }: Pack): readonly Buffer[] {
  if (lines > 0) values.push(writer.take());
  freeWriters.push(writer);
  return values;
}

/** Four decimals: enough to sort by, and the same text on every machine. */
export function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
