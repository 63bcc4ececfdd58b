import { describeError } from '../core/errors.ts';
import { sleep } from '../core/sleep.ts';
import type { Consumption } from '../log/log.ts';
import { patienceMs, waitFor } from '../log/patience.ts';
import type { Store } from '../store/clickhouse.ts';
import { copyEvidence, findingsPerCopy, lastCopied } from '../store/evidence.ts';

export type EvidenceOptions = {
  readonly store: Store;
  readonly onTrouble: (reason: string) => void;
  readonly everyMs?: number;
};

/** A finding may be stored before its events, which take their own way: so long back findings are looked at again. */
const againSeconds = 900;

/** Keeps the events that findings rest on for as long as the findings: copies those of new findings every minute, and catches up at the start. */
export function runEvidence({ store, onTrouble, everyMs = 60_000 }: EvidenceOptions, signal: AbortSignal): Consumption {
  const running = (async () => {
    let since: number | undefined;
    while (!signal.aborted) {
      try {
        since ??= (await lastCopied(store)) - againSeconds;
        for (let more = true; more && !signal.aborted; ) {
          const { findings, until } = await copyEvidence(store, since);
          more = findings >= findingsPerCopy;
          if (findings > 0) since = more ? until + 1 : until - againSeconds;
        }
      } catch (error) {
        if (!signal.aborted) onTrouble(describeError(error));
      }
      await sleep(everyMs, signal);
    }
  })();
  // A store that hangs is not waited for: what was not copied is copied after the next start.
  return { done: running, close: () => waitFor(running, { ms: patienceMs.handlers }) };
}
