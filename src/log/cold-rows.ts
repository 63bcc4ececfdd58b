import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ColdRows } from '../baseline/cold-rows.ts';
import { makeFolder } from '../core/folder.ts';
import { open, type RootDatabase } from './lmdb.ts';

type Rows = RootDatabase<Buffer, number[]>;
export type ColdFile = ColdRows & { readonly close: () => Promise<void> };

/**
 * Cold rows in a file of this process: a few microseconds each, and no memory but the page cache. It is made with the first row that needs it, is not
 * synced to the disk and does not outlive the process, because the log has everything that is in it.
 */
export function openColdRows(folder: string, shard: number): ColdFile {
  const path = join(folder, `${process.pid}-${shard}`);
  let rows: Rows | undefined;
  const made = (): Rows => {
    sweep(folder);
    makeFolder(path);
    return open<Buffer, number[]>({ path, encoding: 'binary', noSync: true });
  };
  return {
    put: (high, low, row) => {
      rows ??= made();
      rows.putSync([high, low], row);
    },
    take: (high, low) => {
      const row = rows?.get([high, low]);
      if (row !== undefined) rows?.removeSync([high, low]);
      return row;
    },
    *all() {
      for (const { value } of rows?.getRange({}) ?? []) yield value;
    },
    clear: () => rows?.clearSync(),
    close: async () => {
      await rows?.close();
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** What killed processes have left. */
function sweep(folder: string): void {
  makeFolder(folder);
  for (const name of readdirSync(folder)) {
    try {
      process.kill(Number.parseInt(name, 10), 0);
    } catch {
      rmSync(join(folder, name), { recursive: true, force: true });
    }
  }
}
