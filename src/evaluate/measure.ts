import {
  type FindingScores,
  type IncidentOutcome,
  incidentOutcomes,
  type PeerScores,
  peerOutcomes,
  peerSpending,
  type Rankings,
  rankings,
  type Spending,
  spending,
  thresholdFor,
} from './outcome.ts';
import { alertsAbove } from './peers/peers.ts';
import { type Item, type Roc, roc } from './ranking.ts';
import type { Scores, Traffic } from './traffic.ts';

/** What the set's own scorer ranks: windows or sessions, by mean surprise and by highest evidence. */
export type Items = (traffic: Traffic, scores: Scores) => { readonly surprise: Item[]; readonly evidence: Item[] };

/** One detector on one set, in numbers. */
export type Ranked = {
  readonly detector: string;
  readonly rankings: Rankings;
  readonly items: { readonly surprise: Roc; readonly evidence: Roc } | null;
};

/** One detector on one set at one budget. */
export type Spent = {
  readonly detector: string;
  /** As configured; a peer spends as many false findings as Gait did at that budget. Null: thresholds as they come. */
  readonly budget: number | null;
  readonly spending: Spending;
  readonly outcomes: readonly IncidentOutcome[];
};

export type SetResult = {
  readonly set: string;
  readonly traffic: Traffic;
  /** The first is Gait as shipped. */
  readonly ranked: readonly Ranked[];
  readonly spent: readonly Spent[];
  /** Gait as shipped, at the default budget. */
  readonly shipped: FindingScores;
};

/** `engines` begin with Gait as shipped at the default budget, then its other budgets, then other models. */
export function measure(of: {
  readonly set: string;
  readonly traffic: Traffic;
  readonly engines: readonly FindingScores[];
  readonly peers: readonly PeerScores[];
  readonly items?: Items | undefined;
}): SetResult {
  const { set, traffic, engines, peers } = of;
  const shipped = engines[0]!;
  // The budget only moves the threshold: the same model ranks alike at all of them.
  const others = engines.filter(({ name }) => name !== shipped.name);
  const ranked = [shipped, ...others, ...peers].map((scores) => ({
    detector: scores.name,
    rankings: rankings(traffic, scores),
    items: of.items === undefined ? null : rocs(of.items(traffic, scores)),
  }));
  const own = engines.map((scores) => ({
    detector: scores.name,
    budget: scores.budget,
    spending: spending(traffic, scores.raised),
    outcomes: incidentOutcomes(traffic, scores),
  }));
  const reference = own.filter(({ detector }) => detector === shipped.name);
  const theirs = reference.flatMap((gait) =>
    peers.map((scores) => {
      const threshold = thresholdFor(traffic, scores, gait.spending.falseFindings);
      const alike = { ...gait.spending, ordinary: null };
      return { ...gait, detector: scores.name, spending: alike, outcomes: peerOutcomes(traffic, scores, threshold) };
    }),
  );
  const fixed = peers.flatMap((scores) => {
    const threshold = alertsAbove[scores.name];
    if (threshold === undefined) return [];
    const spent = peerSpending(traffic, scores, threshold);
    const outcomes = peerOutcomes(traffic, scores, threshold);
    return { detector: `${scores.name}, as they come`, budget: null, spending: spent, outcomes };
  });
  return { set, traffic, ranked, spent: [...own, ...theirs, ...fixed], shipped };
}

function rocs({ surprise, evidence }: ReturnType<Items>): { surprise: Roc; evidence: Roc } {
  return { surprise: roc(surprise), evidence: roc(evidence) };
}
