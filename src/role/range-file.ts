import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from '../core/folder.ts';
import { AddressRanges } from '../event/address-ranges.ts';

/** Ranges as they were read, with the sentence that says what they were read from. */
export type ReadRanges = { readonly ranges: AddressRanges; readonly state: string };

type Header = {
  readonly version: number;
  readonly sources: string;
  readonly state: string;
  readonly lengths: number[];
};

/** Of this file and of what reading a database means. Another version is read anew. */
const version = 2;

/**
 * `read()`, or what it gave the last time for the same files: reading text takes some 0.4 s, reading numbers 0.02 s. The copy at `path` is one line
 * of JSON and then columns of 32 bits as this machine orders their bytes. It may be lost, spoilt or impossible to write: then it is made anew.
 */
export function readOnce(path: string, files: readonly string[], read: () => ReadRanges): ReadRanges {
  const sources = JSON.stringify(files.map((file) => [file, ...fingerprint(file)]));
  const kept = load(path, sources);
  if (kept !== null) return kept;
  const fresh = read();
  try {
    save(path, sources, fresh);
  } catch {
    // A folder that cannot be written costs the time of reading at the next start, nothing else.
  }
  return fresh;
}

/** Replacing a file changes its size or its time; one that is not there is reported by whoever reads it. */
function fingerprint(file: string): readonly number[] {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? [] : [stats.size, stats.mtimeMs];
}

function load(path: string, sources: string): ReadRanges | null {
  try {
    const bytes = readFileSync(path);
    const start = bytes.indexOf('\n') + 1;
    const header = JSON.parse(bytes.toString('utf8', 0, start)) as Header;
    const size = header.lengths.reduce((a, b) => a + b, 0) * 4;
    if (header.version !== version || header.sources !== sources || bytes.length !== start + size) return null;
    // A copy of its own, because columns begin at multiples of four bytes.
    const numbers = new Uint32Array(new Uint8Array(bytes.subarray(start)).buffer);
    const columns: Uint32Array<ArrayBuffer>[] = [];
    let at = 0;
    for (const length of header.lengths) {
      columns.push(numbers.subarray(at, at + length));
      at += length;
    }
    return { ranges: AddressRanges.of(columns), state: header.state };
  } catch {
    return null;
  }
}

/** Under another name first: a process that dies meanwhile, or starts meanwhile, finds the whole file or none. */
function save(path: string, sources: string, { ranges, state }: ReadRanges): void {
  const columns = ranges.columns();
  const header: Header = { version, sources, state, lengths: columns.map((column) => column.length) };
  makeFolder(dirname(path));
  const unfinished = `${path}.${process.pid}`;
  const parts = columns.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength));
  writeFileSync(unfinished, Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), ...parts]));
  renameSync(unfinished, path);
}
