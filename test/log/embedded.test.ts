import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { type EmbeddedLogOptions, openEmbeddedLog } from '../../src/log/embedded.ts';
import type { Log, LogRecord } from '../../src/log/log.ts';
import { until } from '../contract/log-kit.ts';

const embedded = new URL('../../src/log/embedded.js', import.meta.url).href;

function temporaryFolder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'gait-embedded-'));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function openTemporary(context: TestContext, options: Partial<EmbeddedLogOptions> = {}): Promise<Log> {
  const log = await openEmbeddedLog({ path: temporaryFolder(context), ...options });
  context.after(() => log.close());
  return log;
}

async function readAll(log: Log, topic: string): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  const tail = await log.tail({ topic, from: 'earliest', onRecords: (records) => void all.push(...records) });
  await tail.caughtUp;
  await tail.close();
  return all;
}

/** Runs code in a process of its own that dies by SIGKILL after `lines` lines; resolves to what it printed. */
async function killedAfter(lines: number, code: string): Promise<string[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const printed: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    printed.push(line);
    if (printed.length === lines) child.kill('SIGKILL');
  }
  return printed;
}

test('what was acknowledged before a SIGKILL is there, in order, and the lock is free again', async (context) => {
  const path = temporaryFolder(context);
  const printed = await killedAfter(
    200,
    `import { openEmbeddedLog } from ${JSON.stringify(embedded)};
     const log = await openEmbeddedLog({ path: ${JSON.stringify(path)} });
     for (let i = 0; ; i++) log.append('t', [{ value: 'v' + i }]).then(() => console.log(i)), i % 5 || (await new Promise(setImmediate));`,
  );
  const log = await openEmbeddedLog({ path });
  const values = (await readAll(log, 't')).map(({ value }) => String(value));
  await log.close();
  assert.ok(values.length >= printed.length);
  assert.deepEqual(
    values,
    values.map((_, i) => `v${i}`),
  );
});

test("a SIGKILL between checkpoints leaves the shard's state and its position as one of them wrote both", async (context) => {
  const path = temporaryFolder(context);
  await killedAfter(
    50,
    `import { openEmbeddedLog } from ${JSON.stringify(embedded)};
     const log = await openEmbeddedLog({ path: ${JSON.stringify(path)} });
     await log.append('in', Array.from({ length: 10 }, () => ({ value: 'x' })));
     await log.consumeShards({ group: 'g', topic: 'in', stateTopic: 'st', idleMs: 1, open: (context) => ({
       restore() {}, restored() {}, onBatch: async () => {}, close: async () => {},
       onIdle: async () => { for (let i = 1; ; i++) {
         await context.checkpoint({ records: [Buffer.from(String(i)), Buffer.alloc(100000), Buffer.from(String(i))], position: i, full: i % 7 === 0 });
         console.log(i);
       } },
     }) });`,
  );
  const log = await openEmbeddedLog({ path });
  const state: string[] = [];
  let position: number | undefined;
  const shards = await log.consumeShards({
    group: 'g',
    topic: 'in',
    stateTopic: 'st',
    idleMs: 1000,
    open: () => ({
      restore: (records) => void state.push(...records.map(String)),
      restored: (from) => {
        position = from;
      },
      onBatch: async () => {},
      onIdle: async () => {},
      close: async () => {},
    }),
  });
  await until('restored', () => position !== undefined);
  await shards.close();
  await log.close();
  assert.ok(position! >= 50);
  assert.equal(state.length % 3, 0);
  assert.deepEqual([state.at(-3), state.at(-1)], [String(position), String(position)]);
  const first = Number(state[0]);
  assert.ok(first % 7 === 0 && position! - first < 7, 'restored from the newest full checkpoint on');
});

test('a second process is refused with a clear error while the first has the folder open', async (context) => {
  const path = temporaryFolder(context);
  const log = await openEmbeddedLog({ path });
  await assert.rejects(openEmbeddedLog({ path }), { code: 'LOG_REJECTED', message: /in use by another gait process/ });
  await log.close();
  await (await openEmbeddedLog({ path })).close();
});

test('a folder with a long name is locked, too', async (context) => {
  const path = join(temporaryFolder(context), 'd'.repeat(120));
  const log = await openEmbeddedLog({ path });
  await assert.rejects(openEmbeddedLog({ path }), { code: 'LOG_REJECTED' });
  await log.close();
});

test('records over the age go, oldest first, and offsets are never used again', async (context) => {
  let now = 1_000_000;
  const path = temporaryFolder(context);
  const options = { path, clock: { now: () => now }, sweepIntervalMs: 5 };
  let log = await openEmbeddedLog(options);
  await log.ensureTopics([{ name: 't', partitions: 1, cleanup: 'delete', retentionMs: 1000 }]);
  await log.append(
    't',
    Array.from({ length: 500 }, (_, i) => ({ value: `old${i}` })),
  );
  now += 900;
  await log.append('t', [{ value: 'young' }]);
  now += 200;
  await until('the old are gone', async () => (await readAll(log, 't')).length === 1);
  now += 2000;
  await until('all are gone', async () => (await readAll(log, 't')).length === 0);
  await log.close();
  log = await openEmbeddedLog(options);
  await log.append('t', [{ value: 'next' }]);
  assert.deepEqual(
    (await readAll(log, 't')).map(({ offset }) => offset),
    [501],
  );
  await log.close();
});

test('a topic stays within its bytes, and so does the file', async (context) => {
  const path = temporaryFolder(context);
  const log = await openEmbeddedLog({ path, sweepIntervalMs: 5 });
  context.after(() => log.close());
  await log.ensureTopics([{ name: 't', partitions: 1, cleanup: 'delete', retentionBytes: 500_000 }]);
  const held = async (): Promise<number> =>
    (await readAll(log, 't')).reduce((sum, { value }) => sum + value!.length, 0);
  for (let i = 0; i < 100; i++) {
    await log.append(
      't',
      Array.from({ length: 10 }, () => ({ value: Buffer.alloc(10_000, i) })),
    );
    if (i % 10 === 9) await until('within the bytes', async () => (await held()) <= 500_000);
  }
  const newest = (await readAll(log, 't')).at(-1)!;
  assert.deepEqual([newest.offset, newest.value![0]], [999, 99]);
  assert.ok(statSync(join(path, 'data.mdb')).size < 8_000_000, 'deleted pages are used again');
});

test('a compacted topic holds one record per key; a tombstone goes after its time', async (context) => {
  let now = 0;
  const log = await openTemporary(context, {
    clock: { now: () => now },
    sweepIntervalMs: 5,
    tombstoneRetentionMs: 1000,
  });
  await log.ensureTopics([{ name: 'c', partitions: 1, cleanup: 'compact' }]);
  for (let i = 0; i < 300; i++) await log.append('c', [{ key: `k${i % 3}`, value: `${i}` }]);
  assert.deepEqual(
    (await readAll(log, 'c')).map(({ key, value }) => [key, String(value)]),
    [
      ['k0', '297'],
      ['k1', '298'],
      ['k2', '299'],
    ],
  );
  await log.append('c', [{ key: 'k1', value: null }]);
  assert.equal((await readAll(log, 'c')).length, 3);
  now += 2000;
  await until('the tombstone is gone', async () => (await readAll(log, 'c')).length === 2);
  await log.append('c', [{ key: 'k1', value: 'back' }]);
  assert.equal((await readAll(log, 'c')).length, 3);
  await assert.rejects(log.append('c', [{ value: 'no key' }]), { code: 'LOG_REJECTED' });
});

test('a handler hears of an append within milliseconds', async (context) => {
  const log = await openTemporary(context);
  let heard = (): void => {};
  await log.consume({ group: 'g', topics: ['t'], from: 'earliest', onBatch: async () => heard() });
  const waits: number[] = [];
  for (let i = 0; i < 50; i++) {
    const hearing = new Promise<void>((resolve) => {
      heard = resolve;
    });
    await log.append('t', [{ value: 'x' }]);
    const appended = performance.now();
    await hearing;
    waits.push(performance.now() - appended);
  }
  const median = waits.sort((a, b) => a - b)[25]!;
  assert.ok(median < 10, `median ${median} ms`);
});

test('an append to a closed log is refused, and closing twice does no harm', async (context) => {
  const log = await openEmbeddedLog({ path: temporaryFolder(context) });
  await log.close();
  await assert.rejects(log.append('t', [{ value: 'x' }]), { code: 'LOG_UNAVAILABLE' });
});

test('on a disk that is nearly full appending waits and says why, goes on when there is room, and keeps nobody from stopping', async (context) => {
  let free = 0;
  const troubles: string[] = [];
  const stop = new AbortController();
  const log = await openTemporary(context, {
    sweepIntervalMs: 5,
    freeBytes: async () => free,
    stopping: stop.signal,
    onTrouble: ({ message }) => void troubles.push(message),
  });
  await assert.rejects(log.ensureTopics([]), { code: 'LOG_UNAVAILABLE', message: /^less than 256 MiB are free/ });
  const waiting = log.append('t', [{ value: 'kept' }]);
  await until('it is told', () => troubles.length > 0);
  assert.match(troubles[0]!, /less than 256 MiB are free/);
  free = 256 * 1024 ** 2;
  await waiting;
  free--;
  await assert.rejects(log.ensureTopics([]), { code: 'LOG_UNAVAILABLE' });
  const never = assert.rejects(log.append('t', [{ value: 'never' }]), { code: 'LOG_UNAVAILABLE' });
  await until('it is told again', () => troubles.length > 1);
  stop.abort();
  await never;
  assert.deepEqual(
    (await readAll(log, 't')).map(({ value }) => String(value)),
    ['kept'],
  );
});

test('a file that is no log is one sentence, and an empty one is a new log', async (context) => {
  const path = temporaryFolder(context);
  writeFileSync(join(path, 'data.mdb'), 'x'.repeat(10_000));
  await assert.rejects(openEmbeddedLog({ path }), { code: 'STATE_INVALID', message: /data\.mdb is damaged: / });
  writeFileSync(join(path, 'data.mdb'), '');
  const log = await openEmbeddedLog({ path });
  await log.append('t', [{ value: 'first' }]);
  await log.close();
  const again = await openEmbeddedLog({ path });
  context.after(() => again.close());
  assert.equal((await readAll(again, 't')).length, 1);
});

test('a folder that cannot be made is one sentence', async (context) => {
  const path = join(temporaryFolder(context), 'file');
  writeFileSync(path, '');
  await assert.rejects(openEmbeddedLog({ path: join(path, 'log') }), {
    code: 'LOG_REJECTED',
    message: `${join(path, 'log')} cannot be made (ENOTDIR): dataDir (GAIT_DATA_DIR) must be a folder that this user may write to`,
  });
});
