import { circleOf, dayPeakOf } from '../baseline/peaks.ts';
import { at, behaviourFamilies, detectors, families } from '../baseline/row-layout.ts';
import type { RowSlab } from '../baseline/row-slab.ts';
import { featureNames } from '../feature/registry.ts';
import type { Entry } from '../score/batch.ts';
import { accumulate } from '../score/evidence.ts';
import type { Excuse } from '../score/spare.ts';
import { openCase, type Tally } from './case-file.ts';
import type { Story } from './claim.ts';
import { type Evidence, type EvidenceBudget, statisticMax } from './evidence-budget.ts';

/**
 * A case as it is when what people expect is left out: kept beside the case itself, which goes on as if nobody had said anything, so that an end of
 * the expectation leaves nothing behind. Plain data.
 */
export type Hearing = Story & {
  /** The newest suppression or verdict behind it. */
  by: string;
  /** Behaviour's accumulated evidence, nats, and what its families added to it. */
  evidence: number;
  shares: number[];
  /** With whose days the identity's are compared. */
  readonly circle: number;
  /** Day number since 1970, and each detector's highest statistic of it. */
  day: number;
  highest: number[];
};

const dayMs = 86_400_000;
const statisticsOf = detectors.map((name) => (name === 'behaviour' ? -1 : families.indexOf(name)));
const behaviour = behaviourFamilies.map((name) => families.indexOf(name));
const objects = families.indexOf('objects');

/** Who weighs a hearing, of which row, and where the result goes. */
type Weighing = {
  readonly budget: EvidenceBudget;
  readonly evidence: Evidence;
  readonly slab: RowSlab;
  readonly row: number;
};
type From = { readonly slab: RowSlab; readonly row: number; readonly excuse: Excuse; readonly ts: number };

/**
 * The case as of now, with what is excused taken out of what it has gathered: as far as its reasons tell what was said by what. Goes on from an
 * earlier hearing, if there is one.
 */
export function beginHearing(found: Story & { hearing: Hearing | null }, { slab, row, excuse, ts }: From): Hearing {
  const before = found.hearing ?? asItIs(found, { slab, row, ts });
  const file = structuredClone(before.file);
  const said = new Map<string, { all: number; left: number }>();
  for (const [feature, tally] of Object.entries(file.tallies)) {
    const left = leftOf(tally, feature, excuse);
    const family = feature.slice(0, feature.indexOf('.'));
    const sum = said.get(family) ?? { all: 0, left: 0 };
    said.set(family, { all: sum.all + tally.most, left: sum.left + left });
    if (left === 0) delete file.tallies[feature];
    else Object.assign(tally, { most: left, nats: (tally.nats * left) / tally.most });
  }
  const highest = before.highest.map((peak, d) => {
    const { all, left } = said.get(detectors[d]!) ?? { all: 0, left: 0 };
    // What was too little to become a reason is expected if it is no more than what is expected of any of its features.
    if (all === 0) return peak <= mostAllowed(detectors[d]!, excuse) ? 0 : peak;
    return left < all ? Math.min(peak, left) : peak;
  });
  const shares = behaviourFamilies.map((name, i) => {
    const { all, left } = said.get(name) ?? { all: 0, left: 0 };
    return before.shares[i]! * (left < all ? left / all : 1);
  });
  const sum = (all: readonly number[]): number => all.reduce((a, b) => a + Math.max(0, b), 0);
  const evidence = before.evidence * (sum(before.shares) === 0 ? 1 : sum(shares) / sum(before.shares));
  return { ...before, file, open: [...before.open], by: excuse.by, evidence, shares, highest };
}

function mostAllowed(family: string, { allowed }: Excuse): number {
  const own = featureNames.filter((feature) => feature.startsWith(`${family}.`));
  return Math.max(0, ...own.map((feature) => allowed(feature, () => '')));
}

/** Before anything is excused. */
function asItIs({ file, open, told }: Story, { slab, row, ts }: Omit<From, 'excuse'>): Hearing {
  return {
    file,
    open,
    told,
    by: '',
    evidence: slab.f32[row + at.evidence]!,
    shares: behaviourFamilies.map((_, i) => slab.f32[row + at.evidenceShares + i]!),
    circle: circleOf(slab, row),
    day: Math.floor(ts / dayMs),
    highest: detectors.map((_, d) => (d === 0 ? 0 : dayPeakOf(slab, row, d))),
  };
}

function leftOf({ most, values, observed }: Tally, feature: string, { allowed }: Excuse): number {
  const nats = (values ?? [String(observed.observed)]).map((value) => most - allowed(feature, () => value));
  return Math.max(0, ...nats);
}

/** Hears one more event; what the day comes to then goes into `evidence`. */
export function hear(hearing: Hearing, seen: Entry, to: Weighing): void {
  const statistics = seen.spared?.statistics ?? seen.judgement.statistics;
  const p = seen.spared?.behaviourP ?? seen.judgement.behaviourP;
  const day = Math.floor(seen.resolved.event.ts / dayMs);
  if (day > hearing.day) hearing.highest.fill(0);
  hearing.day = Math.max(day, hearing.day);
  if (seen.spared !== null) hearing.by = seen.spared.excuse.by;
  hearing.evidence = accumulate(hearing.evidence * seen.left, p, seen.events - 1);
  hearing.shares = hearing.shares.map((share, i) => share * seen.left + Math.max(0, statistics[behaviour[i]!]!));
  const now = Float64Array.from(statisticsOf, (family, d) => (d === 0 ? hearing.evidence : statistics[family]!));
  // Whoever may go through objects at all may go through them by their numbers.
  const isWhole = statistics[objects] === seen.judgement.statistics[objects];
  weigh(hearing, { now, counting: isWhole ? seen.judgement.counting : 0 }, to);
}

/** The same without an event: what is left of the day so far. */
export function weighHearing(hearing: Hearing, to: Weighing): void {
  const now = Float64Array.from(hearing.highest);
  now[0] = hearing.evidence;
  weigh(hearing, { now, counting: 0 }, to);
}

type Heard = { readonly now: Float64Array; readonly counting: number };

function weigh(hearing: Hearing, { now, counting }: Heard, to: Weighing): void {
  const { highest } = hearing;
  for (let d = 1; d < detectors.length; d++) highest[d] = Math.max(highest[d]!, Math.min(statisticMax, now[d]!));
  highest[0] = Math.min(statisticMax, now[0]!);
  const { slab, row } = to;
  to.budget.weigh(
    { slab, row, circle: hearing.circle, highest: Float64Array.from(highest), now, counting },
    to.evidence,
  );
}

/** What was claimed is over; what comes now is a story of its own. */
export function beginAnew(hearing: Hearing, ts: number): void {
  hearing.file = openCase(ts);
  hearing.open = hearing.open.map(() => null);
  hearing.told = 0;
}
