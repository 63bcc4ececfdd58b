import assert from 'node:assert/strict';
import { sleep } from '../../src/core/sleep.ts';
import type { Log, LogRecord, ShardContext, ShardHandler } from '../../src/log/log.ts';

/** What the suite needs of an implementation: a log, the same data opened again, and a second instance beside the first. */
export type LogHarness = {
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly open: () => Promise<Log>;
  /** Another instance on the same data that is preferred as an owner; the embedded log has only one, which then serves as both. */
  readonly beside: (first: Log) => Promise<Log>;
  readonly partitions: number;
  readonly skip: string | false;
};

export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) assert.fail(`not within ${withinMs} ms: ${what}`);
    await sleep(5);
  }
}

export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

export const texts = (records: readonly LogRecord[]): string[] => records.map(({ value }) => String(value));
let names = 0;
export const uniqueName = (prefix: string): string => `${prefix}-${process.pid}-${names++}`;

/** A shard that adds up the numbers it reads, and how often it saw each; its state is what was checkpointed. */
export function countingShard(
  context: ShardContext,
  seen: { batches: number; states: Map<number, Map<string, number>> },
): ShardHandler {
  let counts = new Map<string, number>();
  let position = 0;
  let written = 0;
  const checkpoint = async (): Promise<void> => {
    const full = written++ % 4 === 3;
    // Increments would do as well; a whole map per record keeps the test readable, and only the newest counts.
    await context.checkpoint({ records: [Buffer.from(JSON.stringify([...counts]))], position, full });
  };
  return {
    restore: (records) => {
      for (const record of records) counts = new Map(JSON.parse(record.toString()) as [string, number][]);
    },
    restored: (from) => {
      position = from ?? 0;
      seen.states.set(context.partition, counts);
    },
    onBatch: async ({ records }) => {
      seen.batches++;
      for (const { value, offset } of records) {
        const text = String(value);
        counts.set(text, (counts.get(text) ?? 0) + 1);
        position = offset + 1;
      }
      if (seen.batches % 3 === 0) await checkpoint();
    },
    onIdle: checkpoint,
    close: async (how) => {
      if (how === 'closing') await checkpoint();
    },
  };
}
