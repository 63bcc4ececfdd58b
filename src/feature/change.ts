import { activeAt, tallyWindowsMs } from '../baseline/active-layout.ts';
import { hash32 } from '../core/hash.ts';
import type { Family, Moment } from './family.ts';
import { distinctIncrement, markDistinct, succeeded, Tally } from './tally.ts';

/** Verbs by which operations (`service:Verb…`, `verbNoun`) that have no method of their own say that something goes away. */
const destroys = /(^|[:./])(delete|remove|terminate|destroy|purge|drop|revoke|deactivate|disable)/i;
const reads: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Whether a call by this method leaves everything as it is, or does not say. */
export function changesNothing(method: string | null): boolean {
  return method === null || reads.has(method);
}

function isWrite(moment: Moment): boolean {
  return !changesNothing(moment.resolved.event.method) && succeeded(moment);
}

function isDelete(moment: Moment): boolean {
  const { method, operation } = moment.resolved.event;
  return method === 'DELETE' || (operation !== null && method !== 'GET' && destroys.test(operation));
}

/** The object that is changed: the last that the call names; creating (POST) changes none. */
function changedObject(moment: Moment): number {
  const { object_ids, event } = moment.resolved;
  if (object_ids.length === 0 || (event.method === 'POST' && !isDelete(moment))) return 0;
  return hash32(object_ids[object_ids.length - 1]!) || 1;
}

const tally = new Tally('change', (moment, window, into) => {
  if (!isWrite(moment)) return;
  into[0] = moment.observation.weight;
  if (isDelete(moment)) into[1] = moment.observation.weight;
  const value = changedObject(moment);
  if (value === 0) return;
  const of = { value, window, count: tally.soFar(moment, window, 2) };
  into[2] = distinctIncrement(moment, activeAt.changedSeen[window]!, of);
});

const words = ['calls that change something', 'deletions', 'distinct objects changed or deleted'];

/** What was changed or deleted with success. D19. */
export const change: Family = {
  name: 'change',
  features: tally.names,
  extract: (moment, out, offset) => tally.extract(moment, out, offset),
  learn: (moment, weight) => {
    tally.learn(moment, weight);
    const value = isWrite(moment) ? changedObject(moment) : 0;
    if (value === 0) return;
    for (let window = 0; window < tallyWindowsMs.length; window++)
      markDistinct(moment, activeAt.changedSeen[window]!, value);
  },
  describe: (moment, feature) => tally.describe(moment, feature, { name: (count) => `${count} ${words[feature]!}` }),
};
