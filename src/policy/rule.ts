import type { PolicyRule } from '../config/policy-file.ts';
import type { ActorKind } from '../event/traffic-event.ts';
import { type Finding, severities } from '../finding/finding.ts';
import { type Action, actions, type RiskLevel, riskLevels } from './decision.ts';

/** What a rule can match on: the finding, its identity's risk after it, and the call that changed it. */
export type Circumstances = {
  readonly finding: Finding;
  readonly risk: number;
  readonly level: RiskLevel;
  readonly actorKind: ActorKind | null;
  readonly route: string | null;
};

/** The first rule whose every condition holds, in the order of the file. */
export function firstMatch(rules: readonly PolicyRule[], circumstances: Circumstances): PolicyRule | undefined {
  return rules.find((rule) => matches(rule, circumstances));
}

function matches({ when }: PolicyRule, { finding, risk, level, actorKind, route }: Circumstances): boolean {
  return (
    includes(when.kinds, finding.kind) &&
    includes(when.identityKinds, finding.identity_kind) &&
    (when.severityMin === undefined || severities.indexOf(finding.severity) >= severities.indexOf(when.severityMin)) &&
    (when.confidenceMin === undefined || finding.confidence >= when.confidenceMin) &&
    (when.riskMin === undefined || risk >= when.riskMin) &&
    (when.riskLevelMin === undefined || riskLevels.indexOf(level) >= riskLevels.indexOf(when.riskLevelMin)) &&
    (when.actorKind === undefined || actorKind === when.actorKind) &&
    (when.routes === undefined || (route !== null && when.routes.some((glob) => globMatches(glob, route)))) &&
    (when.tenants === undefined || when.tenants.some((glob) => globMatches(glob, finding.tenant)))
  );
}

function includes<T>(list: readonly T[] | undefined, value: T): boolean {
  return list === undefined || list.includes(value);
}

/**
 * The step of a rule's ladder for the nth offence, in a form that fits the identity. Nobody can step up but a person (RFC 9470 asks
 * for an active authentication), and an address is shared by innocents (NAT, mobile networks), so it is throttled at most.
 */
export function stepFor(rule: PolicyRule, offence: number, circumstances: Circumstances): Action {
  const ladder = [rule.action, ...rule.escalate];
  const step = ladder[Math.min(offence, ladder.length) - 1] ?? rule.action;
  const { identity_kind: kind } = circumstances.finding;
  const person = circumstances.actorKind !== 'service' && (kind === 'user' || kind === 'session');
  const fitting = step === 'step-up' && !person ? rule.insteadOfStepUp : step;
  return kind === 'address' && isRevocation(fitting) ? 'throttle' : fitting;
}

export function isRevocation(action: Action): boolean {
  return action === 'revoke-session' || action === 'revoke-identity';
}

/** Position on the ladder observe → notify → throttle → step-up → revoke-session → revoke-identity. */
export function strength(action: Action): number {
  return actions.indexOf(action);
}

/**
 * `*` stands for any run of characters, everything else for itself. Linear in the text for each star (no regular expression: the
 * text is written by attackers, and a backtracking engine would let them choose how long it takes).
 */
export function globMatches(glob: string, text: string): boolean {
  const [head = '', ...rest] = glob.split('*');
  const tail = rest.pop();
  if (tail === undefined) return glob === text;
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
  let from = head.length;
  for (const part of rest) {
    const found = text.indexOf(part, from);
    if (found < 0 || found + part.length > text.length - tail.length) return false;
    from = found + part.length;
  }
  return true;
}
