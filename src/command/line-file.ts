import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { GaitError } from '../core/errors.ts';

/** A file of JSON lines that waits for the disk; nothing at all when no file was asked for. */
export type LineFile = { readonly write: (record: object) => Promise<void>; readonly close: () => Promise<void> };

const nowhere: LineFile = { write: async () => {}, close: async () => {} };

/** Fails with INPUT_UNREADABLE when the file cannot be written. */
export async function openLineFile(path: string | undefined): Promise<LineFile> {
  if (path === undefined) return nowhere;
  const stream = createWriteStream(path, { highWaterMark: 1 << 20 });
  try {
    await once(stream, 'open');
  } catch (cause) {
    throw new GaitError('INPUT_UNREADABLE', `${path} cannot be written`, { cause });
  }
  return {
    write: async (record) => {
      if (!stream.write(`${JSON.stringify(record)}\n`)) await once(stream, 'drain');
    },
    close: async () => {
      stream.end();
      await finished(stream);
    },
  };
}
