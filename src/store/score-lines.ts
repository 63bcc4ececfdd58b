import { hash32 } from '../core/hash.ts';

/**
 * Reads the few values that the writer needs out of a line of gait.scores without parsing it: a quote inside a JSON string is escaped,
 * so the bytes `"seq":` are a key wherever they stand, and the shard's own keys are the last of the line.
 */
const newline = 0x0a;
const keys = {
  seq: Buffer.from('"seq":'),
  surprise: Buffer.from('"surprise":'),
  findings: Buffer.from('"findings":['),
  eventId: Buffer.from('"event_id":"'),
};

/** Events at least this surprising (-log10 p) are stored whatever the sample. */
const surpriseAlwaysStored = 2;

/** The lines of a record, without their line ends and without empty ones. */
export function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(newline, start);
    const end = found < 0 ? bytes.length : found;
    if (end > start) lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

/** How many lines `bytes` holds; the last one may lack its line end. */
export function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) count++;
  return bytes.length > 0 && bytes.at(-1) !== newline ? count + 1 : count;
}

/** The sequence number of the last line in `bytes`; NaN when it has none. */
export function lastSeq(bytes: Buffer): number {
  return numberAfter(bytes, keys.seq);
}

/** The sequence number of the first line in `bytes`; NaN when it has none. */
export function firstSeq(bytes: Buffer): number {
  const end = bytes.indexOf(newline);
  return lastSeq(end < 0 ? bytes : bytes.subarray(0, end));
}

/**
 * The line as it is to be stored when only a share of the events is: with its weight, or undefined when it is not in the sample.
 * Surprising events and those of findings are always stored and stand for themselves, so sums of weights stay unbiased. The choice depends on
 * the event's id alone, so a repeat is chosen again.
 */
export function sampledLine(line: Buffer, share: number): Buffer | undefined {
  if (numberAfter(line, keys.surprise) >= surpriseAlwaysStored || hasFindings(line)) return line;
  if (hash32(eventId(line)) >= share * 2 ** 32) return undefined;
  const end = line.lastIndexOf(0x7d);
  return end < 0 ? line : Buffer.concat([line.subarray(0, end), Buffer.from(`,"sample_weight":${1 / share}}`)]);
}

function hasFindings(line: Buffer): boolean {
  const at = line.lastIndexOf(keys.findings);
  return at >= 0 && line[at + keys.findings.length] !== 0x5d;
}

/** As written, escapes and all; the whole line when there is no id. */
function eventId(line: Buffer): string {
  const at = line.indexOf(keys.eventId) + keys.eventId.length;
  return line.toString('latin1', at, line.indexOf(0x22, at));
}

function numberAfter(line: Buffer, key: Buffer): number {
  const at = line.lastIndexOf(key);
  return at < 0 ? Number.NaN : Number.parseFloat(line.toString('latin1', at + key.length, at + key.length + 24));
}
