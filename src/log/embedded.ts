import { closeSync, openSync, readSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { systemClock } from '../core/clock.ts';
import { GaitError } from '../core/errors.ts';
import { makeFolder } from '../core/folder.ts';
import { createConsumptions, type EmbeddedStorage } from './embedded-consumption.ts';
import { decodeRecord, encodeRecord, isTombstone, storedTimestamp } from './embedded-record.ts';
import { lockFolder } from './folder-lock.ts';
import { open, type RootDatabase } from './lmdb.ts';
import { type Log, type LogRecord, type NewRecord, recordBytesMax, type TopicSpec } from './log.ts';
import { type OnTrouble, retryUntilDone } from './retry.ts';

export type EmbeddedLogOptions = {
  readonly path: string;
  readonly clock?: { readonly now: () => number };
  /** How often retention and tombstones are looked after. */
  readonly sweepIntervalMs?: number;
  /** How long a tombstone can be read before it goes too (Kafka's delete.retention.ms). */
  readonly tombstoneRetentionMs?: number;
  readonly onTrouble?: OnTrouble;
  /** Aborts before the log is closed, when its users are told to end: from then on nothing is tried again. */
  readonly stopping?: AbortSignal;
  /** Bytes that are left on the disk of `path`. */
  readonly freeBytes?: () => Promise<number>;
};

/**
 * With less room than this nothing is appended until there is more: lmdb does not survive a disk that is full (the process dies), and what the others in the
 * folder write meanwhile needs room, too. It is looked at in each sweep.
 */
const freeBytesMin = 256 * 1024 ** 2;
/** A read returns at most so much, and at least one record. */
const readRecordsMax = 2000;
const readBytesMax = 1024 * 1024;
/** What one transaction of the sweep touches, so that appends never wait long behind it. */
const expireRecordsMax = 64;
/** In one sweep, and at once: a look is a copy of the record, and calls wait meanwhile. A million decisions are looked at in an hour. */
const tombstonesLookedAtMax = 256;
const tombstonesAtOnce = 32;

type Topic = {
  readonly name: string;
  spec: TopicSpec;
  /** The next offset to give out; ahead of `end` while a transaction is on its way to the disk. */
  next: number;
  /** All records before `end` are durable; readers see no others. */
  end: number;
  bytes: number;
  sweptTo: number;
  readonly waiters: Set<() => void>;
};

/**
 * The log in one lmdb file: one partition per topic, one process per folder. Every write is a transaction that is synced to the disk
 * before its promise resolves; those waiting at the same time share one sync. Expired pages are used again, the file never shrinks.
 * Fails with LOG_REJECTED when another process has the folder open, with STATE_INVALID when what is in it is no log.
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<Log> {
  makeOwnFolder(options.path);
  checkFile(join(options.path, 'data.mdb'));
  const lock = await lockFolder(options.path);
  const closing = new AbortController();
  const stopping = AbortSignal.any([closing.signal, ...(options.stopping === undefined ? [] : [options.stopping])]);
  const onTrouble = options.onTrouble ?? (() => {});
  const storage = new Storage(options);
  const consumptions = createConsumptions({ storage, closing: closing.signal, onTrouble });
  const sweeper = startSweeper(storage, options.sweepIntervalMs ?? 1000);
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    closing.abort();
    await consumptions.closeAll();
    await sweeper.stop();
    await storage.close();
    await lock.release();
  };
  return {
    ...consumptions,
    ensureTopics: (specs) => storage.ensureTopics(specs),
    partitions: async () => 1,
    append: async (topic, records) => {
      if (closing.signal.aborted) throw closedError();
      if (records.length === 0) return;
      storage.check(topic, records);
      if (stopping.aborted) return storage.append(topic, records);
      const retry = { doing: `appending to ${topic}`, signal: stopping, onTrouble };
      if (!(await retryUntilDone(() => storage.append(topic, records), retry))) throw closedError();
    },
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}

function makeOwnFolder(path: string): void {
  try {
    makeFolder(path, 0o700);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = `${path} cannot be made (${code}): dataDir (GAIT_DATA_DIR) must be a folder that this user may write to`;
    throw new GaitError('LOG_REJECTED', why, { cause });
  }
}

/** What begins a file of lmdb (MDB_MAGIC, after the page's head of 24 bytes). */
const magic = Buffer.from('dec0efbe', 'hex');

/** Any other file would end the process without a word. */
function checkFile(path: string): void {
  const head = Buffer.alloc(28);
  const file = openSync(path, 'a+', 0o600);
  const length = readSync(file, head, 0, head.length, 0);
  closeSync(file);
  if (length > 0 && !magic.equals(head.subarray(24)))
    throw new GaitError(
      'STATE_INVALID',
      `${path} is damaged: put a copy of the folder back, or move it away to begin anew`,
    );
}

function closedError(): GaitError {
  return new GaitError('LOG_UNAVAILABLE', 'the log is closed');
}

/** lmdb's keys end at 1978 bytes; the topic's name needs some of them. */
const keyBytesMax = 1024;

type Key = (string | number)[];

/**
 * Keys: ['topic', name] its spec, ['next', name] next offset and bytes held, ['record', name, offset], ['newest', name, key] the
 * offset of a compacted topic's record, ['position', group, topic].
 */
class Storage implements EmbeddedStorage {
  readonly #db: RootDatabase<Buffer, Key>;
  readonly #now: () => number;
  readonly #tombstoneRetentionMs: number;
  readonly #topics = new Map<string, Topic>();
  readonly #path: string;
  readonly #readFree: () => Promise<number>;
  #free = Number.POSITIVE_INFINITY;

  constructor(options: EmbeddedLogOptions) {
    this.#path = options.path;
    this.#readFree = options.freeBytes ?? (() => freeBytesOf(options.path));
    this.#now = (options.clock ?? systemClock).now;
    this.#tombstoneRetentionMs = options.tombstoneRetentionMs ?? 24 * 3600 * 1000;
    // Without overlapping syncs a commit is a plain lmdb commit: durable when its promise resolves.
    this.#db = open({ path: options.path, encoding: 'binary', overlappingSync: false });
    for (const key of this.#db.getKeys({ start: ['topic'], end: ['topic', '\uffff'] })) this.#topic(String(key[1]));
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    this.#free = await this.#readFree();
    this.#needRoom();
    await this.#db.transaction(() => {
      for (const spec of specs) this.#putJson(['topic', spec.name], spec);
    });
    for (const spec of specs) this.#topic(spec.name).spec = spec;
  }

  /** Throws LOG_REJECTED for what Kafka would refuse, too. */
  check(name: string, records: readonly NewRecord[]): void {
    const compacted = this.#topic(name).spec.cleanup === 'compact';
    for (const { key, value } of records) {
      const keyBytes = Buffer.byteLength(key ?? '');
      const valueBytes = value === null ? 0 : Buffer.byteLength(value);
      if (compacted && key == null) throw rejected(`${name} is compacted, a record without a key has no place in it`);
      if (keyBytes > keyBytesMax) throw rejected(`a key of ${keyBytes} bytes for ${name} is over ${keyBytesMax}`);
      if (valueBytes > recordBytesMax)
        throw rejected(`a record of ${valueBytes} bytes for ${name} is over ${recordBytesMax}`);
    }
  }

  append(name: string, records: readonly NewRecord[]): Promise<void> {
    const topic = this.#topic(name);
    return this.#grow(topic, () => {
      for (const record of records) this.#put(topic, record);
    });
  }

  read(name: string, from: number): LogRecord[] {
    const records: LogRecord[] = [];
    let bytes = 0;
    for (const { key, value } of this.#range(this.#topic(name), from, readRecordsMax)) {
      records.push(decodeRecord(value, offsetOf(key)));
      bytes += value.length;
      if (bytes >= readBytesMax) break;
    }
    return records;
  }

  end(name: string): number {
    return this.#topic(name).end;
  }

  position(group: string, name: string): number | undefined {
    return this.#readJson(['position', group, name]) as number | undefined;
  }

  async commit(group: string, name: string, position: number): Promise<void> {
    await this.#db.transaction(() => this.#putJson(['position', group, name], position));
  }

  checkpoint(change: Parameters<EmbeddedStorage['checkpoint']>[0]): Promise<void> {
    const state = this.#topic(change.stateTopic);
    return this.#grow(state, () => {
      const older = change.full ? this.#range(state, 0) : [];
      for (const { key, value } of older) this.#remove(state, key, value);
      for (const value of change.records) this.#put(state, { value });
      this.#putJson(['position', change.group, change.topic], change.position);
    });
  }

  changed(name: string, ms: number): Promise<boolean> {
    const { waiters } = this.#topic(name);
    return new Promise((resolve) => {
      const settle = (changed: boolean): void => {
        waiters.delete(wakeUp);
        clearTimeout(timer);
        resolve(changed);
      };
      const wakeUp = (): void => settle(true);
      const timer = setTimeout(() => settle(false), ms);
      waiters.add(wakeUp);
    });
  }

  wake(name: string): void {
    for (const waiter of [...this.#topic(name).waiters]) waiter();
  }

  /** Retention and old tombstones, in transactions of bounded size. */
  async sweep(): Promise<void> {
    this.#free = await this.#readFree();
    for (const topic of this.#topics.values()) {
      if (topic.spec.cleanup === 'compact') await this.#dropOldTombstones(topic);
      else while (await this.#expireOldest(topic));
    }
  }

  close(): Promise<void> {
    return this.#db.close();
  }

  #topic(name: string): Topic {
    let topic = this.#topics.get(name);
    if (!topic) {
      const spec = (this.#readJson(['topic', name]) as TopicSpec | undefined) ?? {
        name,
        partitions: 1,
        cleanup: 'delete',
      };
      const [next, bytes] = (this.#readJson(['next', name]) as [number, number] | undefined) ?? [0, 0];
      topic = { name, spec, next, end: next, bytes, sweptTo: 0, waiters: new Set() };
      this.#topics.set(name, topic);
    }
    return topic;
  }

  #needRoom(): void {
    if (this.#free < freeBytesMin)
      throw new GaitError('LOG_UNAVAILABLE', `less than 256 MiB are free on the disk of ${this.#path}`);
  }

  async #grow(topic: Topic, change: () => void): Promise<void> {
    this.#needRoom();
    await this.#write(topic, change);
  }

  /** What `change` puts becomes visible to readers when it is on the disk. */
  async #write(topic: Topic, change: () => void): Promise<void> {
    const end = await this.#db.transaction(() => {
      change();
      this.#putJson(['next', topic.name], [topic.next, topic.bytes]);
      return topic.next;
    });
    topic.end = Math.max(topic.end, end);
    this.wake(topic.name);
  }

  /** Compaction happens here: a record takes the place of the older one of its key in the same transaction. */
  #put(topic: Topic, record: NewRecord): void {
    const offset = topic.next++;
    const stored = encodeRecord(record, record.timestamp ?? this.#now());
    void this.#db.put(['record', topic.name, offset], stored);
    topic.bytes += stored.length;
    if (topic.spec.cleanup !== 'compact' || record.key == null) return;
    const olderOffset = this.#readJson(['newest', topic.name, record.key]) as number | undefined;
    if (olderOffset !== undefined) {
      const key = ['record', topic.name, olderOffset];
      this.#remove(topic, key, this.#db.get(key) ?? Buffer.alloc(0));
    }
    this.#putJson(['newest', topic.name, record.key], offset);
  }

  #remove(topic: Topic, key: Key, stored: Buffer): void {
    void this.#db.remove(key);
    topic.bytes -= stored.length;
  }

  #range(topic: Topic, from: number, limit = Number.POSITIVE_INFINITY): Iterable<{ key: Key; value: Buffer }> {
    return this.#db.getRange({ start: ['record', topic.name, from], end: ['record', topic.name, topic.end], limit });
  }

  #expired(topic: Topic, stored: Buffer): boolean {
    const { retentionBytes = Number.POSITIVE_INFINITY, retentionMs = Number.POSITIVE_INFINITY } = topic.spec;
    return topic.bytes > retentionBytes || this.#now() - storedTimestamp(stored) > retentionMs;
  }

  /** True when there may be more to delete. */
  async #expireOldest(topic: Topic): Promise<boolean> {
    const [oldest] = this.#range(topic, 0, 1);
    if (!oldest || !this.#expired(topic, oldest.value)) return false;
    let removed = 0;
    await this.#write(topic, () => {
      for (const { key, value } of this.#range(topic, 0, expireRecordsMax)) {
        if (!this.#expired(topic, value)) break;
        this.#remove(topic, key, value);
        removed++;
      }
    });
    return removed === expireRecordsMax;
  }

  async #dropOldTombstones(topic: Topic): Promise<void> {
    for (let looked = 0; looked < tombstonesLookedAtMax; looked += tombstonesAtOnce) {
      await this.#lookForTombstones(topic);
      if (topic.sweptTo === 0) return;
      await nextTurn();
    }
  }

  async #lookForTombstones(topic: Topic): Promise<void> {
    const looked = [...this.#range(topic, topic.sweptTo, tombstonesAtOnce)];
    topic.sweptTo = looked.length < tombstonesAtOnce ? 0 : offsetOf(looked.at(-1)!.key) + 1;
    const old = looked.filter(
      ({ value }) => isTombstone(value) && this.#now() - storedTimestamp(value) > this.#tombstoneRetentionMs,
    );
    if (old.length === 0) return;
    await this.#write(topic, () => {
      for (const { key, value } of old) {
        // A newer record of the same key may have come since the look; then the tombstone is gone already.
        if (!this.#db.doesExist(key)) continue;
        this.#remove(topic, key, value);
        void this.#db.remove(['newest', topic.name, decodeRecord(value, 0).key ?? '']);
      }
    });
  }

  #readJson(key: Key): unknown {
    const stored = this.#db.get(key);
    return stored && JSON.parse(stored.toString());
  }

  #putJson(key: Key, value: unknown): void {
    void this.#db.put(key, Buffer.from(JSON.stringify(value)));
  }
}

async function freeBytesOf(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

function offsetOf(key: Key): number {
  return key[2] as number;
}

function rejected(message: string): GaitError {
  return new GaitError('LOG_REJECTED', message);
}

function startSweeper(storage: Storage, intervalMs: number): { readonly stop: () => Promise<void> } {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    // A failed sweep is tried again at the next interval; appends report a broken disk themselves.
    running ??= storage
      .sweep()
      .catch(() => {})
      .finally(() => {
        running = undefined;
      });
  }, intervalMs).unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
