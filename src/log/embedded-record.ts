import type { LogRecord, NewRecord } from './log.ts';

/**
 * How the embedded log stores a record: timestamp (8 bytes, float), length of the key (4 bytes, -1 for none), 1 for a value or 0 for
 * a tombstone, then key and value. The offset is in the database's key.
 */
const headerBytes = 13;

export function encodeRecord(record: NewRecord, timestamp: number): Buffer {
  const key = record.key == null ? null : Buffer.from(record.key);
  const value = typeof record.value === 'string' ? Buffer.from(record.value) : record.value;
  const keyBytes = key?.length ?? 0;
  const stored = Buffer.allocUnsafe(headerBytes + keyBytes + (value?.length ?? 0));
  stored.writeDoubleLE(timestamp, 0);
  stored.writeInt32LE(key === null ? -1 : keyBytes, 8);
  stored.writeUInt8(value === null ? 0 : 1, 12);
  key?.copy(stored, headerBytes);
  value?.copy(stored, headerBytes + keyBytes);
  return stored;
}

export function decodeRecord(stored: Buffer, offset: number): LogRecord {
  const keyBytes = stored.readInt32LE(8);
  const valueAt = headerBytes + Math.max(keyBytes, 0);
  return {
    offset,
    key: keyBytes < 0 ? null : stored.toString('utf8', headerBytes, valueAt),
    value: isTombstone(stored) ? null : stored.subarray(valueAt),
    timestamp: storedTimestamp(stored),
  };
}

export function isTombstone(stored: Buffer): boolean {
  return stored[12] === 0;
}

export function storedTimestamp(stored: Buffer): number {
  return stored.readDoubleLE(0);
}
