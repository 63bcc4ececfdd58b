import { type ChangePatterns, historyClasses } from '../baseline/change-patterns.ts';
import { historyBucket } from '../baseline/population.ts';
import { dimensions } from '../baseline/row-layout.ts';
import { hash32 } from '../core/hash.ts';
import { actorKindOf } from '../identity/peer-group.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';
import type { Moment } from './family.ts';
import { viewOf } from './slot-view.ts';

/** Values of a dimension that must be remembered before another one is new: before that its source may only have begun to tell it. */
const knownEnough = 4;

/** Whether the event's value is new to an identity that is known in this dimension. One learned with caution still is. */
export function isNew(moment: Moment, dimension: number): boolean {
  if (moment.observation.values[dimension] === 0) return false;
  const { count, total } = viewOf(moment, dimension);
  return count < 1 && total >= knownEnough;
}

/** Used by at most one other identity, or by less than one in a thousand of those who took anything up. */
export function isRare({ population, observation }: Moment, dimension: number): boolean {
  const used = population.valueIdentities(0, observation.values[dimension]!);
  return used < Math.max(2, population.sums(0).firsts[dimension]! / 1000);
}

/** The circle in which the identity's days are counted: humans, machines or unknown, by the length of their history (to 14 events, to 62, more). */
export function circleOf({ resolved, history }: Moment): number {
  const actor = actorKindOf(resolved.event, resolved.identity_kind);
  const kind = actor === 'human' ? 1 : actor === 'service' ? 2 : 3;
  return kind * historyClasses + Math.min(historyClasses - 1, Math.max(0, (historyBucket(history) >> 1) - 1));
}

export function isService(circle: number): boolean {
  return Math.floor(circle / historyClasses) === 2;
}

export function dayOf({ observation }: Moment): number {
  return Math.floor(observation.ts / 86_400_000);
}

/** The newest event's TLS fingerprint: two families ask for it, each before learning and in it. */
let tlsOf: ResolvedEvent | null = null;
let tls = 0;

/** 16 bits that stand for the TLS fingerprint; 0 when the event does not say. */
export function tlsTag(resolved: ResolvedEvent): number {
  if (tlsOf === resolved) return tls;
  const { ja4 } = resolved.event;
  tlsOf = resolved;
  tls = ja4 === null ? 0 : hash32(ja4) >>> 16 || 1;
  return tls;
}

/** "on 3 of 9,980 days of its kind": how often a pattern occurs. */
export function shareText(patterns: ChangePatterns, circle: number, nats: number): string {
  const days = Math.round(patterns.days(circle));
  const percent = 100 * Math.exp(-nats);
  const share = percent >= 1 ? percent.toFixed(0) : percent >= 0.01 ? percent.toFixed(2) : 'less than 0.01';
  return days === 0
    ? 'on days that nobody of its kind has had yet'
    : `on ${share} % of ${days} days of identities of its kind`;
}

export function dimensionName(dimension: number): string {
  return dimensions[dimension]!.name.replace('_', ' ');
}
