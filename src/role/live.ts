import { describeError } from '../core/errors.ts';
import { randomId } from '../core/random.ts';
import { sleep } from '../core/sleep.ts';
import type { Finding } from '../finding/finding.ts';
import type { Live, LiveMessage } from '../http/page-parts.ts';
import type { Consumption, Log, LogRecord } from '../log/log.ts';
import type { Decision } from '../policy/decision.ts';

export type LiveOptions = {
  readonly log: Log;
  readonly topics: { readonly findings: string; readonly signals: string };
  /** The page that everybody watches; asked for only while somebody does. */
  readonly overview: () => Promise<object>;
  readonly onTrouble: (reason: string) => void;
  readonly everyMs?: number;
  readonly overviewEveryMs?: number;
};

/** Messages kept for whoever comes back; whoever has missed more is told to read anew. */
const keptMax = 1000;
/** Findings and decisions told at once; of a flood the newest of each is told, and whoever needs all reads the lists. */
const batchMax = 200;

type Listener = Parameters<Live['listen']>[1];

/**
 * What is new in the topics of findings and decisions, for pages that are open. What changes many times within a second is told once, as it is
 * then. Never true: that a page may rely on it alone; the lists in the store are the truth, up to a second later.
 */
export async function runLive(
  options: LiveOptions,
  signal: AbortSignal,
): Promise<{ readonly live: Live; readonly consumptions: readonly Consumption[] }> {
  const { log, topics, overview, onTrouble, everyMs = 500, overviewEveryMs = 5000 } = options;
  const run = randomId('').slice(1, 9);
  const listeners = new Set<Listener>();
  const kept: LiveMessage[] = [];
  const waiting = new Map<string, Omit<LiveMessage, 'id'>>();
  let told = 0;

  const tell = (message: Omit<LiveMessage, 'id'>): void => {
    const numbered = { ...message, id: `${run}-${++told}` };
    kept.push(numbered);
    if (kept.length > keptMax) kept.shift();
    for (const listener of listeners) listener.tell(numbered);
  };
  const flush = (): void => {
    const all = [...waiting.values()];
    waiting.clear();
    if (all.length > batchMax) tell({ event: 'reset', data: '{}' });
    else for (const message of all) tell(message);
  };
  const take =
    <T>(event: 'finding' | 'decision', { id, shown }: { id: (row: T) => string; shown: (row: T) => object }) =>
    (records: readonly LogRecord[]): void => {
      for (const { value } of records) {
        if (value === null || waiting.size > batchMax) continue;
        try {
          const row = JSON.parse(value.toString('utf8')) as T;
          waiting.set(id(row), { event, data: JSON.stringify(shown(row)) });
        } catch (error) {
          onTrouble(describeError(error));
        }
      }
    };
  const telling = (async () => {
    for (let at = 0; !signal.aborted; at += everyMs) {
      flush();
      if (at % overviewEveryMs < everyMs && listeners.size > 0) {
        const data = await overview().catch((error: unknown) => onTrouble(describeError(error)));
        if (data !== undefined)
          for (const listener of listeners)
            listener.tell({ id: undefined, event: 'overview', data: JSON.stringify(data) });
      }
      await sleep(everyMs, signal);
    }
  })();
  const endAll = (): void => {
    for (const { end } of [...listeners]) end();
  };
  signal.addEventListener('abort', endAll, { once: true });
  const live: Live = {
    listen: (lastId, listener) => {
      for (const message of missed(kept, lastId)) listener.tell(message);
      listeners.add(listener);
      if (signal.aborted) listener.end();
      return () => listeners.delete(listener);
    },
  };
  const tails = await Promise.all([
    log.tail({ topic: topics.findings, from: 'latest', onRecords: take('finding', findingMessage) }),
    log.tail({ topic: topics.signals, from: 'latest', onRecords: take('decision', decisionMessage) }),
  ]);
  return { live, consumptions: [{ done: telling, close: () => telling }, ...tails] };
}

/** A new listener has missed nothing. One that was told by another run, or too long ago, has missed what nobody knows. */
function missed(kept: readonly LiveMessage[], lastId: string | undefined): readonly LiveMessage[] {
  if (lastId === undefined) return [];
  const at = kept.findIndex(({ id }) => id === lastId);
  return at < 0 ? [{ id: undefined, event: 'reset', data: '{}' }] : kept.slice(at + 1);
}

const findingMessage = {
  id: ({ finding_id }: Finding) => finding_id,
  shown: ({ reasons: _, event_ids: __, shard: ___, told_at: ____, first_seen, last_seen, ...finding }: Finding) => ({
    ...finding,
    first_seen: iso(first_seen),
    last_seen: iso(last_seen),
  }),
};

const decisionMessage = {
  id: ({ decision_id }: Decision) => decision_id,
  shown: ({ shard: _, made_at, updated_at, expires_at, issued_before, ...decision }: Decision) => ({
    ...decision,
    // As in the store, where a text is never null.
    ended: decision.ended ?? '',
    session_id: decision.session_id ?? '',
    token_id: decision.token_id ?? '',
    client_ip: decision.client_ip ?? '',
    made_at: iso(made_at),
    updated_at: iso(updated_at),
    expires_at: iso(expires_at),
    issued_before: issued_before === null ? null : iso(issued_before),
  }),
};

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
