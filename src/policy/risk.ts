import type { PolicyConfig } from '../config/policy-file.ts';
import type { EpochMs } from '../core/clock.ts';
import type { Finding } from '../finding/finding.ts';
import { type RiskLevel, riskLevels } from './decision.ts';

/** A finding's share in the risk, decayed like the risk itself. */
export type Credit = { readonly finding: string; readonly weight: number };

/** One identity's risk as of `at`; 0 to 1 inside, 0 to 100 outside. */
export type RiskState = {
  risk: number;
  at: EpochMs;
  level: RiskLevel;
  /** When the level last changed. */
  levelSince: EpochMs;
  credits: readonly Credit[];
  /** Verdicts that said of an earlier finding that it was right, and when. */
  confirmed?: readonly Confirmation[];
};

export type Confirmation = { readonly verdict: string; readonly at: EpochMs };

export type RiskSettings = PolicyConfig['risk'];

/** Far above the number of finding kinds, of which an identity has one open finding each; beyond it the least recently raised goes. */
const creditsMax = 16;
/** The bound of what verdicts add is reached long before; beyond it the oldest goes. */
const confirmedMax = 16;

export function calmRisk(at: EpochMs): RiskState {
  return { risk: 0, at, level: 'LOW', levelSince: at, credits: [] };
}

/** Exact halving: risk × 2^(-elapsed / halfLife). Time that runs backwards (a late event) counts as no time. */
export function decay(state: RiskState, at: EpochMs, halfLifeMs: number): number {
  return 2 ** (-Math.max(0, at - state.at) / halfLifeMs);
}

/**
 * Adds a finding to the risk by noisy-or, the probability that at least one of several independent causes is true (Pearl 1988):
 * risk' = 1 - (1 - risk)(1 - weight), with weight = weights[severity] × confidence. It saturates below 1.
 *
 * A finding that is updated counts only by what exceeds its decayed credit c: risk' = 1 - (1 - risk)(1 - weight)/(1 - c).
 * So a thousand updates hold the risk where one put it, and never pump it: with one finding, risk = weight while it lasts.
 * Worked example: high at confidence 0.9 gives 0.54; a second such finding 1 - 0.46 × 0.46 = 0.79; six hours later 0.39.
 */
export function addEvidence(state: RiskState, change: { finding: Finding; at: EpochMs }, settings: RiskSettings): void {
  const { finding, at } = change;
  // A level that has fallen in the meantime must have fallen before new evidence is weighed, or it would be kept by hysteresis.
  settleLevel(state, at, settings);
  const faded = decay(state, at, settings.halfLife);
  const weight = settings.weights[finding.severity] * Math.min(1, Math.max(0, finding.confidence));
  const credits = state.credits.map((credit) => ({ ...credit, weight: credit.weight * faded }));
  const credit = credits.find((each) => each.finding === finding.finding_id)?.weight ?? 0;
  const kept = Math.max(credit, weight);
  const remaining = (1 - state.risk * faded) * (credit < 1 ? (1 - kept) / (1 - credit) : 0);
  state.risk = 1 - remaining;
  state.at = Math.max(state.at, at);
  state.credits = [
    ...credits.filter((each) => each.finding !== finding.finding_id),
    { finding: finding.finding_id, weight: kept },
  ].slice(-creditsMax);
  settleLevel(state, at, settings);
}

/** Its owner has proved himself: a share of the risk is left, and the level follows at once. Credits stay, so that the same evidence counts once. */
export function calm(state: RiskState, at: EpochMs, settings: RiskSettings): void {
  moveTo(state, at, settings);
  state.risk *= settings.afterStepUp;
  fallAtOnce(state, settings);
}

/** A finding was none: noisy-or undone, risk' = 1 - (1 - risk)/(1 - c) with its decayed credit c. */
export function withdraw(
  state: RiskState,
  { finding, at }: { readonly finding: string; readonly at: EpochMs },
  settings: RiskSettings,
): void {
  moveTo(state, at, settings);
  const credit = state.credits.find((each) => each.finding === finding)?.weight ?? 0;
  state.risk = credit < 1 ? Math.max(0, 1 - (1 - state.risk) / (1 - credit)) : 0;
  state.credits = state.credits.filter((each) => each.finding !== finding);
  fallAtOnce(state, settings);
}

/** The same state, written down as of a later time. */
function moveTo(state: RiskState, at: EpochMs, settings: RiskSettings): void {
  const faded = decay(state, at, settings.halfLife);
  state.risk *= faded;
  state.credits = state.credits.map((credit) => ({ ...credit, weight: credit.weight * faded }));
  state.at = Math.max(state.at, at);
}

function fallAtOnce(state: RiskState, settings: RiskSettings): void {
  const { at } = state;
  const level = levelAt({ ...state, level: 'LOW' }, at, settings);
  if (level === state.level) return;
  state.level = level;
  state.levelSince = at;
}

function settleLevel(state: RiskState, at: EpochMs, settings: RiskSettings): void {
  const level = levelAt(state, at, settings);
  if (level === state.level) return;
  state.level = level;
  state.levelSince = Math.max(state.at, at);
}

/** 0 to 100, to one decimal: the evidence of now, and what is known from before, by noisy-or. */
export function riskAt(state: RiskState, at: EpochMs, settings: RiskSettings): number {
  const now = state.risk * decay(state, at, settings.halfLife);
  const before = priorAt(state, at, settings);
  return Math.round((now + before * (1 - now)) * 1000) / 10;
}

/** What earlier verdicts leave: each `weight`, halved in `halfLife`; together by noisy-or, and no more than `max`, so that nothing is done for them alone. */
function priorAt({ confirmed = [] }: RiskState, at: EpochMs, { prior, medium }: RiskSettings): number {
  const calm = confirmed.reduce(
    (left, each) => left * (1 - prior.weight * 2 ** (-Math.max(0, at - each.at) / prior.halfLife)),
    1,
  );
  return Math.min(prior.max, Math.max(0, medium.leave - 1) / 100, 1 - calm);
}

/** A finding about the identity was right: for a while less is needed to act on the next. */
export function confirm(state: RiskState, of: Confirmation, settings: RiskSettings): void {
  moveTo(state, of.at, settings);
  state.confirmed = [...(state.confirmed ?? []), of].slice(-confirmedMax);
  settleLevel(state, of.at, settings);
}

/** The verdict was taken back. */
export function unconfirm(state: RiskState, verdict: string): void {
  const left = (state.confirmed ?? []).filter((each) => each.verdict !== verdict);
  if (left.length === 0) delete state.confirmed;
  else state.confirmed = left;
}

/** A level rises at once, at `enter`; it falls below `leave` only, and not before it has lasted for `dwell`. */
export function levelAt(state: RiskState, at: EpochMs, settings: RiskSettings): RiskLevel {
  const risk = riskAt(state, at, settings);
  const entered = risk >= settings.high.enter ? 'HIGH' : risk >= settings.medium.enter ? 'MEDIUM' : 'LOW';
  if (riskLevels.indexOf(entered) >= riskLevels.indexOf(state.level)) return entered;
  if (at - state.levelSince < settings.dwell) return state.level;
  if (state.level === 'HIGH' && risk >= settings.high.leave) return 'HIGH';
  return risk >= settings.medium.leave ? 'MEDIUM' : 'LOW';
}
