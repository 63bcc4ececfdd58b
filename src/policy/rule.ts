import type { PolicyConfig, PolicyRule, RuleConditions } from '../config/policy-file.ts';
import type { EpochMs } from '../core/clock.ts';
import { globMatches } from '../core/glob.ts';
import type { ActorKind } from '../event/traffic-event.ts';
import { type Finding, severities } from '../finding/finding.ts';
import type { IdentityKind } from '../identity/resolved-event.ts';
import { type Action, actions, type RiskLevel, riskLevels } from './decision.ts';
import { isWithin } from './hours.ts';

/** What a rule can match on: the finding, the risk of its identity and session after it, and the call that changed it. */
export type Circumstances = {
  readonly finding: Finding;
  /** Event time of the call. */
  readonly at: EpochMs;
  readonly risk: number;
  readonly level: RiskLevel;
  /** Null when the call had no session. */
  readonly session: { readonly risk: number; readonly level: RiskLevel } | null;
  readonly actorKind: ActorKind | null;
  readonly route: string | null;
  readonly host: string | null;
};

type Condition = keyof RuleConditions;
type Holds = {
  readonly [Name in Condition]-?: (
    wanted: NonNullable<RuleConditions[Name]>,
    of: Circumstances,
    tags: PolicyConfig['tags'],
  ) => boolean;
};

const atLeast = <T>(ladder: readonly T[], value: T, least: T): boolean =>
  ladder.indexOf(value) >= ladder.indexOf(least);
const anyMatches = (globs: readonly string[], text: string | null): boolean =>
  text !== null && globs.some((glob) => globMatches(glob, text));

/** One line for each condition, in the order in which they are asked. */
const holds: Holds = {
  kinds: (wanted, { finding }) => wanted.includes(finding.kind),
  severityMin: (least, { finding }) => atLeast(severities, finding.severity, least),
  confidenceMin: (least, { finding }) => finding.confidence >= least,
  riskMin: (least, { risk }) => risk >= least,
  riskLevelMin: (least, { level }) => atLeast(riskLevels, level, least),
  sessionRiskMin: (least, { session }) => session !== null && session.risk >= least,
  sessionRiskLevelMin: (least, { session }) => session !== null && atLeast(riskLevels, session.level, least),
  identityKinds: (wanted, { finding }) => wanted.includes(finding.identity_kind),
  actorKind: (wanted, { actorKind }) => actorKind === wanted,
  routes: (globs, { route }) => anyMatches(globs, route),
  tags: (names, { route, host }, tags) =>
    names.some((name) => {
      const { routes, hosts } = tags[name] ?? { routes: [] };
      return (routes === undefined || anyMatches(routes, route)) && (hosts === undefined || anyMatches(hosts, host));
    }),
  tenants: (globs, { finding }) => anyMatches(globs, finding.tenant),
  hours: (wanted, { at }) => isWithin(wanted, at),
};
const conditions = Object.keys(holds) as readonly Condition[];

/** The first condition of the rule that does not hold; undefined when the rule decides. */
export function failedCondition(
  { when }: PolicyRule,
  of: Circumstances,
  tags: PolicyConfig['tags'],
): Condition | undefined {
  return conditions.find((name) => {
    const wanted = when[name];
    return wanted !== undefined && !(holds[name] as (wanted: unknown, ...rest: unknown[]) => boolean)(wanted, of, tags);
  });
}

export type Who = { readonly identityKind: IdentityKind; readonly actorKind: ActorKind | null };

/**
 * The step of a rule's ladder for the nth offence, in a form that fits the identity. Nobody can step up but a person (RFC 9470 asks
 * for an active authentication), and an address is shared by innocents (NAT, mobile networks), so it is throttled at most.
 */
export function stepFor(rule: PolicyRule, offence: number, who: Who): Action {
  const ladder = [rule.action, ...rule.escalate];
  const step = ladder[Math.min(offence, ladder.length) - 1] ?? rule.action;
  const { identityKind: kind, actorKind } = who;
  const person = actorKind !== 'service' && canStepUp(kind);
  const fitting = step === 'step-up' && !person ? rule.insteadOfStepUp : step;
  return kind === 'address' && isRevocation(fitting) ? 'throttle' : fitting;
}

/** A key, a certificate, a client or an address has nobody behind it who could authenticate. */
export function canStepUp(kind: IdentityKind): boolean {
  return kind === 'user' || kind === 'session';
}

export function isRevocation(action: Action): boolean {
  return action === 'revoke-session' || action === 'revoke-identity';
}

/** Position on the ladder observe → notify → throttle → step-up → revoke-session → revoke-identity. */
export function strength(action: Action): number {
  return actions.indexOf(action);
}
