import type { PolicyConfig, PolicyRule } from '../config/policy-file.ts';
import { derivedId } from '../core/hash.ts';
import type { Action, Decision } from './decision.ts';
import { guardrailWindowMs } from './guardrail.ts';
import type { FindingChange, Judgement } from './judge.ts';
import { type Circumstances, isRevocation } from './rule.ts';

/** The decision that a judgement comes to. */
export function makeDecision(
  config: PolicyConfig,
  change: FindingChange & Circumstances,
  draft: Judgement & Pick<Decision, 'why'>,
): Decision {
  const { finding, at, sessionId } = change;
  const { identity } = finding;
  const { rule, action, offence } = draft;
  return {
    // The time is part of the claim: after the offence window the same finding may earn the same step once more. So is the session: within a
    // millisecond one finding may be about two.
    decision_id: derivedId('dec', [identity, rule.name, action, finding.finding_id, offence, at, sessionId ?? '']),
    version: 1,
    change: 'made',
    identity,
    identity_kind: finding.identity_kind,
    tenant: finding.tenant,
    scope: draft.scope,
    action,
    ended: null,
    mode: draft.mode,
    by: 'policy',
    rule: rule.name,
    why: draft.why,
    finding_ids: [finding.finding_id],
    incident_id: finding.incident_id,
    risk: change.risk,
    risk_level: change.level,
    session_risk: change.session?.risk ?? null,
    session_id: sessionId,
    token_id: change.tokenId,
    client_ip: change.clientIp,
    ...termsOf(config, { action, rule, at }),
    made_at: at,
    updated_at: at,
    expires_at: at + rule.ttl,
    shard: finding.shard,
  };
}

/** What a step-up asks for and whom it and a revocation spare: those who authenticated, or whose token was issued, after it. */
export function termsOf(
  { stepUp }: PolicyConfig,
  of: { readonly action: Action; readonly at: number; readonly rule?: PolicyRule | undefined },
): Pick<Decision, 'acr_values' | 'max_age' | 'issued_before'> {
  if (isRevocation(of.action)) return { acr_values: [], max_age: null, issued_before: of.at };
  if (of.action !== 'step-up') return { acr_values: [], max_age: null, issued_before: null };
  const maxAge = of.rule?.maxAge ?? stepUp.maxAge;
  return {
    acr_values: of.rule?.acrValues ?? stepUp.acrValues,
    max_age: Math.floor(maxAge / 1000),
    issued_before: of.at,
  };
}

/** Calls a person, once per trip; sent even though everything else has become shadow. */
export function page(tripped: Decision): Decision {
  const { updated_at: at } = tripped;
  return {
    ...tripped,
    decision_id: derivedId('dec', ['guardrail', tripped.decision_id, tripped.version]),
    version: 1,
    change: 'made',
    scope: 'identity',
    action: 'notify',
    ended: null,
    mode: 'enforce',
    by: 'policy',
    rule: 'guardrail',
    why: 'Automatic revocations reached their cap. For ten minutes nothing is enforced automatically; look at the findings now.',
    acr_values: [],
    max_age: null,
    issued_before: null,
    made_at: at,
    expires_at: at + guardrailWindowMs,
  };
}
