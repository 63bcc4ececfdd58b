import type { Audit, AuditEntry } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import { randomId } from '../core/random.ts';
import type { Log } from '../log/log.ts';

/** Entries are durable before what they tell of is done: a crash in between leaves one of a change that never came, and none is missing. */
export function createAudit({
  log,
  topic,
  clock,
}: {
  readonly log: Log;
  readonly topic: string;
  readonly clock: Clock;
}): Audit {
  return (said) => {
    const entry: AuditEntry = { audit_id: randomId('aud'), at: clock.now(), ...said };
    return log.append(topic, [{ key: entry.audit_id, value: JSON.stringify(entry) }]);
  };
}
