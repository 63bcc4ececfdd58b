import { activeAt } from '../baseline/active-layout.ts';
import { anyRight } from '../baseline/reach-counts.ts';
import { hash32, hashEnd, hashMore, hashStart } from '../core/hash.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';
import { drawn, type Moment } from './family.ts';

/**
 * Rights: the scopes and roles of an identity's tokens. Its active row holds the last combination's hash and a set of 128 bits of all rights
 * it ever had; beyond some sixty rights new ones go unnoticed.
 */
const start = activeAt.rights;
const bitWords = 4;

/** The combination of the newest event, so that one that did not change costs one pass over its texts. */
let memo: ResolvedEvent | null = null;
let memoHash = 0;

/** Hash of the combination; 0 when the event names no rights. */
function combination(resolved: ResolvedEvent): number {
  if (memo === resolved) return memoHash;
  const { scopes, roles } = resolved.event;
  let hash: number = hashStart;
  if (scopes !== null) for (const scope of scopes) hash = hashMore(hashMore(hash, scope), ' ');
  hash = hashMore(hash, '|');
  if (roles !== null) for (const role of roles) hash = hashMore(hashMore(hash, role), ' ');
  memo = resolved;
  // An address is many people's, and what a refused caller claims to be allowed proves nothing.
  const isNobody = resolved.identity_kind === 'address' || (scopes?.length ?? 0) + (roles?.length ?? 0) === 0;
  memoHash = isNobody ? 0 : hashEnd(hash) || 1;
  return memoHash;
}

const rightHash = (text: string, isRole: boolean): number => (hash32(text) ^ (isRole ? 0x9e3779b1 : 0)) >>> 0 || 1;

function visit(resolved: ResolvedEvent, each: (right: number, text: string) => void): void {
  for (const scope of resolved.event.scopes ?? []) each(rightHash(scope, false), scope);
  for (const role of resolved.event.roles ?? []) each(rightHash(role, true), role);
}

function isHeld({ active, activeRow }: Moment, right: number): boolean {
  return (active.u32[activeRow + start + 1 + ((right >>> 5) % bitWords)]! & (1 << (right & 31))) !== 0;
}

export type NewRight = { readonly right: number; readonly text: string };

/** Whether the event's rights are other than the last ones, of an identity that had any before. */
export function rightsChanged({ active, activeRow, resolved }: Moment): boolean {
  const before = active.u32[activeRow + start]!;
  if (before === 0) return false;
  const now = combination(resolved);
  return now !== 0 && now !== before;
}

/** The rarest right that the identity never had; null when it has had all of them, or nothing is known of its rights. */
export function newRight(moment: Moment): NewRight | null {
  if (!rightsChanged(moment)) return null;
  let rarest: NewRight | null = null;
  let fewest = Number.POSITIVE_INFINITY;
  visit(moment.resolved, (right, text) => {
    const bearers = moment.shared.reach.bearers(right);
    if (isHeld(moment, right) || bearers >= fewest) return;
    rarest = { right, text };
    fewest = bearers;
  });
  return rarest;
}

export function learnRights(moment: Moment, weight: number): void {
  const { active, activeRow, shared, resolved } = moment;
  const now = combination(resolved);
  const before = active.u32[activeRow + start]!;
  if (now === 0 || now === before || (before !== 0 && !drawn(moment, weight))) return;
  if (before === 0) shared.reach.addBearer(anyRight);
  visit(resolved, (right) => {
    if (isHeld(moment, right)) return;
    shared.reach.addBearer(right);
    active.u32[activeRow + start + 1 + ((right >>> 5) % bitWords)]! |= 1 << (right & 31);
  });
  active.u32[activeRow + start] = now;
}
