import type { Allowance, PolicyConfig, PolicyRule } from '../config/policy-file.ts';
import type { EpochMs } from '../core/clock.ts';
import type { ActorKind } from '../event/traffic-event.ts';
import type { Finding } from '../finding/finding.ts';
import { type Allowlist, createAllowlist } from './allowlist.ts';
import type { Action, Decision } from './decision.ts';
import { levelAt, riskAt } from './risk.ts';
import { type Circumstances, failedCondition, stepFor, strength } from './rule.ts';
import { type Open, type Subject, sessionOf } from './subject.ts';

/** A finding has been opened, has become more severe, or has seen one more event; with the call that did it. */
export type FindingChange = {
  readonly finding: Finding;
  readonly change: 'opened' | 'escalated' | 'updated';
  /** Event time. */
  readonly at: EpochMs;
  readonly sessionId: string | null;
  readonly tokenId: string | null;
  readonly actorKind: ActorKind | null;
  readonly clientIp: string | null;
  readonly route: string | null;
  readonly host: string | null;
  /** Identities of this shard seen lately: what the guardrail's share is a share of. */
  readonly activeIdentities: number;
};

/** What policy would do about a change: everything but the guardrail, which is asked last and remembers. */
export type Judgement = {
  readonly rule: PolicyRule;
  readonly allowance: Allowance | undefined;
  /** A person's decision, which stands above this one. */
  readonly manual: Open | undefined;
  /** The rule's open decision about this incident: the same offence. */
  readonly same: Open | undefined;
  readonly offence: number;
  /** The step of the ladder, and what is left of it where somebody vouches for the identity. */
  readonly wanted: Action;
  readonly action: Action;
  readonly scope: Decision['scope'];
  readonly mode: Decision['mode'];
  /** An open decision that does as much already. */
  readonly covered: Open | undefined;
};

export type Rules = { readonly config: PolicyConfig; readonly allowlist: Allowlist };

export function rulesOf(config: PolicyConfig): Rules {
  return { config, allowlist: createAllowlist(config.allowlist) };
}

/** The change with the risk that its identity and session have now. */
export function circumstancesOf(config: PolicyConfig, subject: Subject, change: FindingChange) {
  const { at, sessionId } = change;
  const rated = (state: Subject | Subject['sessions'][number]['risk']) => ({
    risk: riskAt(state, at, config.risk),
    level: levelAt(state, at, config.risk),
  });
  const session = sessionId === null ? null : rated(sessionOf(subject, sessionId, at));
  return { ...change, ...rated(subject), session };
}

/** Precedence: allowlist, then what a person decided, then the first rule whose conditions hold. Undefined when no rule does. */
export function judge(
  { config, allowlist }: Rules,
  subject: Subject,
  change: FindingChange & Circumstances,
): Judgement | undefined {
  const { finding, at, sessionId } = change;
  if (finding.state !== 'open') return undefined;
  const rule = config.rules.find((each) => failedCondition(each, change, config.tags) === undefined);
  if (rule === undefined) return undefined;
  const allowance = allowlist({ ...change, identity: finding.identity }, at);
  // Findings of one incident are one offence for as long as its decision is open; going on after that is the next offence.
  const standing = subject.open.filter(({ state }) => state !== 'answered');
  const same = standing.find(
    ({ decision }) => decision.rule === rule.name && decision.incident_id === finding.incident_id,
  );
  const offence = same?.offence ?? subject.offences.filter((each) => each.rule === rule.name).length + 1;
  const wanted = stepFor(rule, offence, { identityKind: finding.identity_kind, actorKind: change.actorKind });
  const action = allowance === undefined ? wanted : 'observe';
  const mode = allowance !== undefined ? 'shadow' : rule.mode === 'inherit' ? config.mode : rule.mode;
  const manual = standing.find(
    ({ decision }) => decision.rule === 'manual' && decision.mode === 'enforce' && concerns(decision, sessionId),
  );
  const scope = scopeOf(action, sessionId);
  const covered = subject.open.find((open) => covers(open, { action, mode, sessionId }));
  return { rule, allowance, manual, same, offence, wanted, action, scope, mode, covered };
}

export function scopeOf(action: Action, sessionId: string | null): Decision['scope'] {
  return action === 'revoke-session' && sessionId !== null ? 'session' : 'identity';
}

/** Whether an open decision already does what a new one would: the same or more, to the call's session or to all of them. */
export function covers(
  { decision, state }: Open,
  next: Pick<Judgement, 'action' | 'mode'> & { readonly sessionId: string | null },
): boolean {
  if (state === 'answered' || (next.mode === 'enforce' && decision.mode === 'shadow')) return false;
  return strength(decision.action) >= strength(next.action) && concerns(decision, next.sessionId);
}

function concerns({ scope, session_id }: Decision, sessionId: string | null): boolean {
  return scope === 'identity' || (session_id !== null && session_id === sessionId);
}
