import { activeAt } from '../baseline/active-layout.ts';
import { shareKinds, stageOf } from '../baseline/call-shares.ts';
import { dimensionIndex } from '../baseline/row-layout.ts';
import { shareSurprise } from '../baseline/statistics.ts';
import { voice } from './errors.ts';
import type { Moment } from './family.ts';

const status = dimensionIndex('status');
const own = activeAt.shares;
const words = 1 + shareKinds.length;
/** How alike identities are in their shares, as a number of calls. */
const alike = 20;
/** Of an identity's own past so many calls count at most, each for an eighth, for what follows each other belongs together. */
const ownMost = 32;
const ownShare = 1 / 8;
/** Own memory, in calls. */
const memory = 1024;
/** Fewer than this are no share of anything. */
const least = 5;

const identities = [0, 0];
/** What the day's share is expected to be, as a Beta distribution. */
const expected = { a: 1, b: 1 };

/** The kind of call that a tally counts; -1 for tallies that are no share of calls. */
export function shareKind(tally: string): number {
  return shareKinds.indexOf(tally as (typeof shareKinds)[number]);
}

/** The number of the kind's calls today, and of all calls, this one included. */
export function callsToday(moment: Moment, kind: number): { readonly calls: number; readonly all: number } {
  const { f32 } = moment.active;
  return { calls: f32[moment.activeRow + own + 1 + kind]! + 1, all: f32[moment.activeRow + own]! + 1 };
}

/** The share of such calls that is expected of the identity: its peers' at its stage, then its own. */
export function expectedShare(moment: Moment, kind: number): number {
  expect(moment, kind);
  return expected.a / (expected.a + expected.b);
}

function expect(moment: Moment, kind: number): void {
  const { population, shared, group, history } = moment;
  identities[0] = population.sums(0).firsts[status]!;
  identities[1] = group === 0 ? 0 : population.sums(group).firsts[status]!;
  const share = shared.shares.share({ group, stage: stageOf(history), kind }, identities);
  const { f32 } = moment.active;
  const past = moment.activeRow + own + words;
  const all = f32[past]!;
  const weight = all === 0 ? 0 : Math.min(ownMost, all * ownShare) / all;
  const such = f32[past + 1 + kind]! * weight;
  expected.a = Math.max(0.05, alike * share) + such;
  expected.b = Math.max(0.05, alike * (1 - share)) + Math.max(0, all * weight - such);
}

/**
 * How much likelier the share of such calls among today's is if it may be anything than if the identity is one of its kind, nats. It needs no
 * finished window, neither of the identity nor of anybody: what makes a newcomer's first calls informative.
 */
export function shareNats(moment: Moment, kind: number): number {
  const { f32 } = moment.active;
  const start = moment.activeRow + own;
  const calls = f32[start + 1 + kind]! + 1;
  if (calls < least) return 0;
  expect(moment, kind);
  const found = shareSurprise(calls, f32[start]! + 1, expected);
  return found === 0 ? 0 : -Math.log(moment.shared.shares.pValue(kind, found));
}

/** Which kinds the event that is being learned is of: families say so, one after another, and the last one ends it. */
const kindsOf = { turn: 0, kinds: 0 };

export function isOfKind(moment: Moment, kind: number): void {
  if (kindsOf.turn !== moment.turn) kindsOf.kinds = 0;
  kindsOf.turn = moment.turn;
  kindsOf.kinds |= 1 << kind;
}

/** After the families that say what kinds the call is of. */
export function learnShares(moment: Moment, weight: number): void {
  const kinds = kindsOf.turn === moment.turn ? kindsOf.kinds : 0;
  const { f32 } = moment.active;
  const start = moment.activeRow + own;
  f32[start]! += 1;
  for (let kind = 0; kind < shareKinds.length; kind++) if ((kinds & (1 << kind)) !== 0) f32[start + 1 + kind]! += 1;
  const heard = Math.round(1024 * weight * voice(moment)) / 1024;
  moment.shared.shares.add(moment.group, { stage: stageOf(moment.history), kinds, weight: heard });
}

/** The day is over: its calls become the identity's past. */
export function endShareDay(moment: Moment, weight: number): void {
  const { f32 } = moment.active;
  const start = moment.activeRow + own;
  if (f32[start]! >= least)
    for (let kind = 0; kind < shareKinds.length; kind++) {
      expect(moment, kind);
      moment.shared.shares.addDay(kind, shareSurprise(f32[start + 1 + kind]!, f32[start]!, expected));
    }
  const left = Math.max(0, 1 - (weight * f32[start]!) / memory);
  for (let i = 0; i < words; i++) {
    f32[start + words + i] = f32[start + words + i]! * left + weight * f32[start + i]!;
    f32[start + i] = 0;
  }
}
