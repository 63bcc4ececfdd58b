import type { z } from '../config/zod.ts';
import type { Audit } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import { derivedId } from '../core/hash.ts';
import type { Signer } from '../core/jose.ts';
import type { Seal } from './seal.ts';
import type { SetProfile } from './set.ts';
import type { SsfBook, Stream, WaitingSet } from './ssf-book.ts';

export type ReceiverSettings = SetProfile & {
  readonly pushOrigins: readonly string[];
  /** Its stream stands in the configuration, so it cannot be changed from outside. */
  readonly isFixed: boolean;
};

export type SetEnd = { readonly receiver: string; readonly state: 'delivered' | 'rejected'; readonly detail: string };

export type TransmitterOptions = {
  readonly issuer: string;
  readonly receivers: readonly ReceiverSettings[];
  /** Of whom a stream tells to begin with. */
  readonly defaultSubjects: 'ALL' | 'NONE';
  readonly book: SsfBook;
  readonly seal: Seal;
  readonly sign: Signer['sign'];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Writes to the topic of the book; an undefined value ends what the key names. Resolves when it is durable. */
  readonly write: (key: string, value: object | undefined) => Promise<void>;
  /** Who changed what of a stream; before it is changed. */
  readonly audit: Audit;
  /** How a token ended that waited to be polled. */
  readonly ended: (set: WaitingSet, end: SetEnd) => Promise<void>;
};

/** What the caller is answered; `code` with errors only. */
export type SsfAnswer = {
  readonly status: number;
  readonly body?: object | undefined;
  readonly code?: string;
  readonly message?: string;
  readonly retryAfterSeconds?: number;
};

export type SsfCall = {
  readonly caller: string;
  /** The address that asks. */
  readonly from: string;
  readonly streamId: string | undefined;
  readonly body: Buffer;
};

/** A write that a receiver asked for: `detail` goes to the audit, so nothing that it authenticates with may be in it. */
export type Change = {
  readonly action: 'create' | 'change' | 'delete' | 'status' | 'add-subject' | 'remove-subject';
  readonly about: string;
  readonly detail: object;
  readonly key: string;
  readonly value: object | undefined;
  /** Whether this process knows of it. */
  readonly isSeen: () => boolean;
};

const writeWaitMs = 10_000;

/** An answer that ends an operation early. */
export class Refusal extends Error {
  readonly answer: SsfAnswer;
  constructor(answer: SsfAnswer) {
    super(answer.message);
    this.answer = answer;
  }
}

export const refuse = (status: number, code: string, message: string): never => {
  throw new Refusal({ status, code, message });
};

/** What all operations need: who calls, which stream is his, and to write so that the next call knows of it. */
export type Desk = TransmitterOptions & {
  readonly receiverOf: (caller: string) => ReceiverSettings;
  readonly ownStream: (caller: string, streamId: string | undefined) => Stream;
  readonly store: (key: string, value: object | undefined, isSeen: () => boolean) => Promise<void>;
  readonly change: (call: SsfCall, change: Change) => Promise<void>;
  readonly seen: (isSeen: () => boolean) => Promise<void>;
};

export function createDesk(options: TransmitterOptions): Desk {
  const { book, signal, write, audit } = options;
  const receivers = new Map(options.receivers.map((receiver) => [receiver.name, receiver]));
  const receiverOf = (caller: string): ReceiverSettings =>
    receivers.get(caller) ?? refuse(403, 'forbidden', 'this key is no receiver of shared signals (ssf.receivers)');
  const seen = async (isSeen: () => boolean): Promise<void> => {
    if (!(await book.until(isSeen, writeWaitMs, signal))) refuse(503, 'unavailable', 'the log is away for the moment');
  };
  const store: Desk['store'] = async (key, value, isSeen) => {
    await write(key, value);
    await seen(isSeen);
  };
  return {
    ...options,
    receiverOf,
    ownStream: (caller, streamId) => {
      receiverOf(caller);
      const stream = book.stream(caller);
      if (streamId === undefined) return refuse(400, 'invalid-request', 'stream_id is missing');
      return stream?.stream_id === streamId ? stream : refuse(404, 'not-found', 'there is no such stream');
    },
    seen,
    store,
    change: async ({ caller, from }, { action, about, detail, key, value, isSeen }) => {
      await audit({ who: caller, from, action: `ssf.${action}`, about, detail: JSON.stringify(detail) });
      await store(key, value, isSeen);
    },
  };
}

export function read<T>(body: Buffer, schema: z.ZodType<T>): T {
  let parsed: z.ZodSafeParseResult<T>;
  try {
    // What is nested too deeply to be looked at throws as well.
    parsed = schema.safeParse(JSON.parse(body.toString('utf8')));
  } catch {
    return refuse(400, 'invalid-json', 'the body is not JSON, or nested too deeply');
  }
  return parsed.success ? parsed.data : refuse(400, 'invalid-request', 'the body is not what SSF 1.0 describes here');
}

/** The same identifier whatever the order of its members. */
export function subjectHash(subject: Readonly<Record<string, unknown>>): string {
  return derivedId('sub', [JSON.stringify(sorted(subject))]);
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => [name, sorted(member)]);
}
