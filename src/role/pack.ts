import { hash64 } from '../core/hash.ts';
import { encodeLine } from '../identity/event-line.ts';
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
  const lines = new Map<number, string[]>();
  for (const event of events) {
    const partition = partitionOf(event.identity, partitions);
    const list = lines.get(partition);
    if (list === undefined) lines.set(partition, [encodeLine(event)]);
    else list.push(encodeLine(event));
  }
  return [...lines].flatMap(([partition, list]) => packLines(list).map((value) => ({ partition, value })));
}

/** A line of `gait.scores`: the event's line with what became of it; the names are the columns of the store. */
export function scoreLine(verdict: Verdict, shard: number): string {
  const { resolved, seq, surprise, evidence, risk, top, findings } = verdict;
  const numbers = `"surprise":${round(surprise)},"evidence":${round(evidence)},"risk":${round(risk)}`;
  const lists = `"top":${JSON.stringify(top)},"findings":${JSON.stringify(findings)}`;
  return `${encodeLine(resolved).slice(0, -1)},"shard":${shard},"seq":${seq},${numbers},${lists}}`;
}

export function packLines(lines: readonly string[]): string[] {
  const packed: string[] = [];
  for (let i = 0; i < lines.length; i += linesPerRecord) packed.push(lines.slice(i, i + linesPerRecord).join('\n'));
  return packed;
}

/** Four decimals: enough to sort by, and the same text on every machine. */
export function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
