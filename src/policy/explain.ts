import type { PolicyConfig } from '../config/policy-file.ts';
import type { EpochMs } from '../core/clock.ts';
import type { Finding } from '../finding/finding.ts';
import type { Action, Decision, RiskLevel } from './decision.ts';
import { circumstancesOf, type FindingChange, type Judgement, judge, rulesOf } from './judge.ts';
import { failedCondition } from './rule.ts';
import { newSubject, type Open, type Subject, sessionOf } from './subject.ts';

/** What the store knows of an identity: its newest finding, the newest call of it, and its decisions, each in its newest version. */
export type StoredCase = {
  readonly finding: Finding;
  readonly call: Pick<FindingChange, 'sessionId' | 'tokenId' | 'clientIp' | 'route' | 'host' | 'actorKind'>;
  readonly decisions: readonly Decision[];
};

export type Explanation = {
  /** When the finding last changed: everything is told as of then. */
  readonly at: EpochMs;
  readonly finding: Pick<Finding, 'finding_id' | 'kind' | 'severity' | 'confidence' | 'state' | 'title'>;
  readonly risk: number;
  readonly risk_level: RiskLevel;
  readonly session_risk: number | null;
  /** Every rule in the order of the file, and the first of its conditions that does not hold; null: all do. */
  readonly rules: readonly { readonly rule: string; readonly failed: string | null }[];
  /** The first rule of which all conditions hold. */
  readonly rule: string | null;
  readonly why: string | null;
  readonly offence: number | null;
  readonly ladder: readonly Action[];
  readonly step: Action | null;
  readonly mode: Decision['mode'] | null;
  readonly allowlist: { readonly owner: string; readonly reason: string; readonly until: EpochMs } | null;
  /** A person's decision that stands above the rules. */
  readonly manual: string | null;
  /** The open decision that does as much already: the one that was made, as a rule. */
  readonly covered_by: string | null;
  /** Until when the guardrail keeps automatic decisions from being enforced, in one shard or another. */
  readonly guardrail_until: EpochMs | null;
  readonly outcome: string;
};

/** Asks the rules again, by the code that decides: only what that remembers is put together from what is stored. */
export function explain(config: PolicyConfig, stored: StoredCase, pages: readonly Decision[]): Explanation {
  const { finding, call } = stored;
  const at = finding.last_seen;
  const subject = subjectOf(config, stored);
  const change: FindingChange = { ...call, finding, at, change: 'updated', activeIdentities: 0 };
  const circumstances = circumstancesOf(config, subject, change);
  const judged = judge(rulesOf(config), subject, circumstances);
  const page = pages.find((each) => each.made_at <= at && each.expires_at > at);
  const { finding_id, kind, severity, confidence, state, title } = finding;
  return {
    at,
    finding: { finding_id, kind, severity, confidence, state, title },
    risk: circumstances.risk,
    risk_level: circumstances.level,
    session_risk: circumstances.session?.risk ?? null,
    rules: config.rules.map((rule) => ({
      rule: rule.name,
      failed: failedCondition(rule, circumstances, config.tags) ?? null,
    })),
    rule: judged?.rule.name ?? null,
    why: judged?.rule.why ?? null,
    offence: judged?.offence ?? null,
    ladder: judged === undefined ? [] : [judged.rule.action, ...judged.rule.escalate],
    step: judged?.wanted ?? null,
    mode: judged?.mode ?? null,
    allowlist: judged?.allowance ?? null,
    manual: judged?.manual?.decision.decision_id ?? null,
    covered_by: judged?.covered?.decision.decision_id ?? null,
    guardrail_until: page?.expires_at ?? null,
    outcome: outcomeOf(finding, judged, page !== undefined),
  };
}

function outcomeOf({ state }: Finding, judged: Judgement | undefined, isTripped: boolean): string {
  if (state !== 'open') return `The finding is ${state}, and a ${state} finding decides nothing.`;
  if (judged === undefined) return 'No rule holds, so nothing is decided.';
  const { rule, allowance, manual, covered, wanted, action, mode } = judged;
  if (allowance !== undefined)
    return `Rule ${rule.name} would ask for ${wanted}, but ${allowance.owner} vouches for it: ${allowance.reason}`;
  if (manual !== undefined) return `A person decided ${manual.decision.action}: ${manual.decision.why}`;
  if (covered?.state === 'ended')
    return `${covered.decision.by} took ${covered.decision.decision_id} back: ${covered.decision.why}`;
  if (covered !== undefined) return `Decision ${covered.decision.decision_id} of rule ${covered.decision.rule} stands.`;
  if (mode === 'enforce' && isTripped) return `Rule ${rule.name} asks for ${action}; the guardrail keeps it in shadow.`;
  return `Rule ${rule.name} asks for ${action}, ${mode === 'shadow' ? 'in shadow' : 'enforced'}.`;
}

/** What policy remembered then, as far as it is stored: how often a rule was broken is counted in decisions that had to be made anew. */
function subjectOf(config: PolicyConfig, { finding, call, decisions }: StoredCase): Subject {
  const at = finding.last_seen;
  const subject = newSubject(at);
  subject.risk = finding.risk / 100;
  const newest = decisions.find(({ session_id }) => session_id === call.sessionId);
  if (call.sessionId !== null) sessionOf(subject, call.sessionId, at).risk = (newest?.session_risk ?? 0) / 100;
  const automatic = decisions.filter(({ rule, made_at }) => rule !== 'guardrail' && made_at <= at);
  const manual = decisions.filter(({ rule, expires_at }) => rule === 'manual' && expires_at > at);
  subject.open = [...new Set([...automatic, ...manual])].flatMap((decision) => openOf(decision, at));
  subject.offences = automatic
    .filter(({ rule, mode, action, made_at }) => {
      const isVouchedFor = action === 'observe' && mode === 'shadow';
      return rule !== 'manual' && !isVouchedFor && made_at > at - config.offenceWindow;
    })
    .map(({ rule, made_at }) => ({ rule, at: made_at }));
  return subject;
}

function openOf(decision: Decision, at: EpochMs): readonly Open[] {
  const { change, rule, scope, expires_at } = decision;
  if (expires_at <= at || change === 'answered' || (change === 'restored' && rule === 'manual')) return [];
  const isAnswered = change === 'narrowed' && scope === 'identity';
  return [{ decision, offence: 1, state: change === 'restored' ? 'ended' : isAnswered ? 'answered' : 'open' }];
}
