import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { GaitError } from '../core/errors.ts';

/** A file of JSON lines; nothing at all when no file was asked for. */
export type LineFile = { readonly write: (record: object) => Promise<void>; readonly close: () => Promise<void> };
export type TextFile = { readonly write: (text: string) => Promise<void>; readonly close: () => Promise<void> };

const nowhere: LineFile = { write: async () => {}, close: async () => {} };

/** Fails as a text file does. */
export async function openLineFile(path: string | undefined): Promise<LineFile> {
  if (path === undefined) return nowhere;
  const { write, close } = await openTextFile(path);
  return { write: (record) => write(`${JSON.stringify(record)}\n`), close };
}

/** A file that waits for the disk. Fails with INPUT_UNREADABLE, which names it, when it cannot be written: at once, or when the disk is full later on. */
export async function openTextFile(path: string): Promise<TextFile> {
  const stream = createWriteStream(path, { highWaterMark: 1 << 20 });
  // Between two writes nobody waits for the stream; what went wrong then is for whoever comes next.
  let failure: GaitError | undefined;
  stream.on('error', (cause: NodeJS.ErrnoException) => {
    failure ??= new GaitError('INPUT_UNREADABLE', `${path} cannot be written (${cause.code})`, { cause });
  });
  const reached = (event: Promise<unknown>): Promise<unknown> =>
    event.catch((cause) => {
      throw failure ?? cause;
    });
  await reached(once(stream, 'open'));
  return {
    write: async (text) => {
      if (failure !== undefined) throw failure;
      if (!stream.write(text)) await reached(once(stream, 'drain'));
    },
    close: async () => {
      if (failure !== undefined) throw failure;
      stream.end();
      await reached(finished(stream));
    },
  };
}
