import { abortsWith } from '../core/aborts-with.ts';
import { sleep } from '../core/sleep.ts';
import type { RiskLevel } from '../core/words.ts';
import type { SetClaims } from './set.ts';

export type Stream = {
  readonly stream_id: string;
  readonly receiver: string;
  readonly status: 'enabled' | 'paused' | 'disabled';
  readonly reason: string | null;
  readonly events_requested: readonly string[] | null;
  readonly description: string | null;
  /** Null: the receiver polls. The authorization header is sealed: the log is no place for a password. */
  readonly push: { readonly url: string; readonly authorization: string | null } | null;
  /** Milliseconds; only what is decided afterwards is told. */
  readonly created_at: number;
};

/** A token that waits to be taken. It is signed when it is handed out, so that a new key signs what waited. */
export type WaitingSet = {
  readonly claims: SetClaims;
  /** Null for a verification. */
  readonly decision_id: string | null;
  readonly at: number;
};

export type SubjectRule = { readonly state: 'added' | 'removed'; readonly at: number };

/** The level that a stream was told last of an identity. */
export type ToldLevel = { readonly stream_id: string; readonly level: RiskLevel };

type BookRecord = { readonly key: string | null; readonly value: Buffer | null; readonly offset: number };

/** Ids of tokens that ended, kept to know a repetition by. */
const endedMax = 100_000;

/**
 * What the topic `gait.ssf` says, as every process sees it: one stream per receiver, the tokens that wait in it, and whom it is
 * about, and what it heard. Keys: `stream/<receiver>`, `set/<receiver>/<jti>`, `subject/<receiver>/<hash>`, `told/<receiver>/<hash>`; an empty value ends what the key names.
 */
export class SsfBook {
  readonly #streams = new Map<string, Stream>();
  readonly #sets = new Map<string, Map<string, WaitingSet>>();
  readonly #subjects = new Map<string, Map<string, SubjectRule>>();
  readonly #told = new Map<string, Map<string, ToldLevel>>();
  readonly #ended = new Set<string>();
  readonly #verifiedAt = new Map<string, number>();
  #offset = -1;
  #wake: () => void = () => {};
  #news = new Promise<void>((resolve) => {
    this.#wake = resolve;
  });

  stream(receiver: string): Stream | undefined {
    return this.#streams.get(receiver);
  }

  /** Oldest first. */
  sets(receiver: string): readonly WaitingSet[] {
    return [...(this.#sets.get(receiver)?.values() ?? [])];
  }

  set(receiver: string, jti: string): WaitingSet | undefined {
    return this.#sets.get(receiver)?.get(jti);
  }

  waiting(receiver: string): number {
    return this.#sets.get(receiver)?.size ?? 0;
  }

  isEnded(jti: string): boolean {
    return this.#ended.has(jti);
  }

  subject(receiver: string, hash: string): SubjectRule | undefined {
    return this.#subjects.get(receiver)?.get(hash);
  }

  subjects(receiver: string): number {
    return this.#subjects.get(receiver)?.size ?? 0;
  }

  told(receiver: string, hash: string): ToldLevel | undefined {
    return this.#told.get(receiver)?.get(hash);
  }

  /** Those whose level was told longest ago, as far as there are more than `max`. */
  toldBeyond(receiver: string, max: number): readonly string[] {
    const told = this.#told.get(receiver) ?? new Map<string, ToldLevel>();
    const oldest: string[] = [];
    for (const hash of told.keys()) {
      if (told.size - oldest.length <= max) break;
      oldest.push(hash);
    }
    return oldest;
  }

  /** When the receiver was last sent a verification, by whichever process. */
  verifiedAt(receiver: string): number {
    return this.#verifiedAt.get(receiver) ?? 0;
  }

  get offset(): number {
    return this.#offset;
  }

  apply(records: readonly BookRecord[]): void {
    for (const { key, value, offset } of records) {
      const [kind = '', receiver = '', id = ''] = (key ?? '').split('/').map(decodeURIComponent);
      const parsed = value === null ? undefined : JSON.parse(value.toString('utf8'));
      if (kind === 'stream') put(this.#streams, receiver, parsed as Stream | undefined);
      if (kind === 'subject') put(inner(this.#subjects, receiver), id, parsed as SubjectRule | undefined);
      if (kind === 'told') putLast(inner(this.#told, receiver), id, parsed as ToldLevel | undefined);
      if (kind === 'set') this.#applySet(receiver, id, parsed as WaitingSet | undefined);
      this.#offset = offset;
    }
    this.#wake();
    this.#news = new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Resolves to whether it became true in time. */
  async until(condition: () => boolean, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    const over = abortsWith(signal);
    const timeout = sleep(timeoutMs, over.signal).then(() => over.abort());
    while (!condition() && !over.signal.aborted) await Promise.race([this.#news, timeout]);
    over.abort();
    over.release();
    return condition();
  }

  #applySet(receiver: string, jti: string, waiting: WaitingSet | undefined): void {
    if (waiting === undefined) {
      this.#ended.add(jti);
      if (this.#ended.size > endedMax) this.#ended.delete(this.#ended.values().next().value ?? '');
    } else if (waiting.decision_id === null) this.#verifiedAt.set(receiver, waiting.at);
    put(inner(this.#sets, receiver), jti, waiting);
  }
}

export const bookKey = (...parts: readonly string[]): string => parts.map(encodeURIComponent).join('/');

function put<T>(map: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

function putLast<T>(map: Map<string, T>, key: string, value: T | undefined): void {
  map.delete(key);
  put(map, key, value);
}

function inner<T>(map: Map<string, Map<string, T>>, key: string): Map<string, T> {
  const found = map.get(key) ?? new Map<string, T>();
  map.set(key, found);
  return found;
}
