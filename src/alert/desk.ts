import type { Clock, EpochMs } from '../core/clock.ts';
import type { Random } from '../core/random.ts';
import { readAlertRecord } from './alert-record.ts';
import type { Board } from './board.ts';
import type { AlertChannel, Errand, Sent } from './channel.ts';
import { alertMessage, summaryMessage } from './message.ts';

/** What became of a message to people; records of the topic gait.alert-receipts. */
export type AlertReceipt = {
  readonly incident_id: string;
  readonly target: string;
  readonly severity: string;
  readonly state: 'delivered' | 'rejected' | 'skipped-stale';
  readonly attempts: number;
  readonly status: number | null;
  readonly detail: string;
  readonly at: EpochMs;
};

export type DeskOptions = {
  readonly channel: AlertChannel;
  readonly board: Board;
  readonly template: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly onReceipts: (receipts: readonly AlertReceipt[]) => Promise<void>;
  /** A try that failed; the next is made by itself. */
  readonly onTrouble: (detail: string) => void;
  readonly backoffMs?: { readonly first: number; readonly max: number };
};

/** What this needs of a log: one transaction of state and position. */
export type Checkpoint = (change: {
  readonly records: readonly Buffer[];
  readonly position: number;
  readonly full: boolean;
}) => Promise<void>;

type Batch = { readonly records: readonly { readonly offset: number; readonly value: Buffer | null }[] };

/** Messages sent between two looks at the input. */
const messagesPerTurn = 20;
/** Increments until the state is written whole again. */
const incrementsMax = 500;

/**
 * One channel as the owner of one shard of gait.alerts: reads, decides what is due, sends. Before a message leaves, that it is about to is
 * durable, and after it has left, that it has: a process that dies in between finds, on its return, a message that may have arrived, under
 * the id that it had. While the channel is away tries are made with growing pauses (full jitter, never before Retry-After) until the
 * incident is too old; reading goes on meanwhile, so nobody else waits.
 */
export function createDesk(options: DeskOptions, checkpoint: Checkpoint) {
  const { channel, board, clock, random, signal, template } = options;
  const { first, max } = options.backoffMs ?? { first: 1000, max: 300_000 };
  let position: number | undefined;
  let increments = incrementsMax;
  let failures = 0;
  let notBefore = 0;

  const save = async (): Promise<void> => {
    if (position === undefined) return;
    const changes = board.changes();
    if (changes.length === 0) return;
    const full = increments >= incrementsMax;
    await checkpoint({ records: full ? board.whole() : changes, position, full });
    increments = full ? 0 : increments + 1;
  };

  const send = async (errand: Errand): Promise<Sent> => {
    const isRepeat = errand.kind === 'summary' || errand.incident.begun !== null;
    const message = errand.kind === 'summary' ? summaryMessage(errand.held) : alertMessage(errand.incident, template);
    board.begin(errand);
    await save();
    return channel.send({ errand, message, isRepeat }, signal);
  };

  const settle = async (errand: Errand, sent: Sent): Promise<void> => {
    const now = clock.now();
    const incidents = errand.kind === 'summary' ? errand.held : [errand.incident];
    const attempts = (incidents[0]?.attempts ?? 0) + 1;
    const state = endingOf(sent);
    board.settle(errand, state, { now, handle: sent.handle ?? null, isEarlier: sent.isEarlier ?? false });
    failures = state === 'failed' ? failures + 1 : 0;
    if (state === 'failed') {
      const ceiling = isMisconfigured(sent) ? max : Math.min(max, first * 2 ** Math.min(failures - 1, 20));
      notBefore = now + Math.max(sent.retryAfterMs ?? 0, Math.ceil(random.next() * ceiling));
      options.onTrouble(sent.detail);
      return;
    }
    const { status, detail } = sent;
    const told = { target: channel.name, state, attempts, status, detail, at: now };
    await options.onReceipts(incidents.map(({ id, severity }) => ({ incident_id: id, severity, ...told })));
  };

  const flush = async (): Promise<void> => {
    for (let i = 0; i < messagesPerTurn && !signal.aborted && clock.now() >= notBefore; i++) {
      const errand = board.next(clock.now());
      if (errand === undefined) break;
      await settle(errand, await send(errand));
      await save();
    }
    const skipped = board.skipped();
    if (skipped.length > 0) {
      const ended = { target: channel.name, state: 'skipped-stale', status: null, at: clock.now() } as const;
      await options.onReceipts(
        skipped.map(({ id, severity, attempts }) => ({
          incident_id: id,
          severity,
          attempts,
          detail: 'too old, or pushed out by others',
          ...ended,
        })),
      );
    }
    await save();
  };

  return {
    restore: (records: readonly Buffer[]): void => {
      for (const record of records) board.restore(record);
    },
    restored: (at: number | undefined): void => {
      position = at;
    },
    onBatch: async ({ records }: Batch): Promise<void> => {
      const now = clock.now();
      for (const { offset, value } of records) {
        const record = value === null ? undefined : readAlertRecord(value);
        if (record !== undefined) board.accept(record, now);
        position = offset + 1;
      }
      await flush();
    },
    onIdle: flush,
    close: async (how: 'lost' | 'closing'): Promise<void> => {
      if (how === 'closing') await save();
    },
  };
}

/** An address or a permission that is wrong can be put right by an operator: the message waits for that, until it is too old. */
function isMisconfigured({ kind, status }: Sent): boolean {
  return kind === 'gone' || (kind === 'rejected' && [401, 403, 404].includes(status ?? 0));
}

function endingOf(sent: Sent): 'delivered' | 'rejected' | 'failed' {
  if (sent.kind === 'failed' || isMisconfigured(sent)) return 'failed';
  return sent.kind === 'delivered' ? 'delivered' : 'rejected';
}
