import type { StateRecord } from './kafka-client.ts';

/** Below the broker's default limit of 1 MiB for a batch, even when nothing compresses. */
const chunkBytesMax = 900 * 1024;

/** A full checkpoint is tens of megabytes: sent in pieces that fit the broker's default limits, within one transaction. */
export function* chunksOf(records: readonly StateRecord[]): Generator<StateRecord[]> {
  let chunk: StateRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    if (bytes > 0 && bytes + record.value.length > chunkBytesMax) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(record);
    bytes += record.value.length;
  }
  if (chunk.length > 0) yield chunk;
}
