import type { PolicyConfig, PolicyRule } from '../config/policy-file.ts';
import type { EpochMs } from '../core/clock.ts';
import { GaitError } from '../core/errors.ts';
import { derivedId } from '../core/hash.ts';
import type { ActorKind } from '../event/traffic-event.ts';
import type { Finding } from '../finding/finding.ts';
import type { IdentityKey } from '../identity/resolved-event.ts';
import { createAllowlist } from './allowlist.ts';
import type { Action, Decision, RiskLevel } from './decision.ts';
import { Guardrail, type GuardrailState, guardrailWindowMs, type ShardOf } from './guardrail.ts';
import { addEvidence, calmRisk, levelAt, type RiskState, riskAt } from './risk.ts';
import { type Circumstances, firstMatch, isRevocation, stepFor, strength } from './rule.ts';

/** A finding has been opened, has become more severe, or has seen one more event; with the call that did it. */
export type FindingChange = {
  readonly finding: Finding;
  readonly change: 'opened' | 'escalated' | 'updated';
  /** Event time. */
  readonly at: EpochMs;
  readonly sessionId: string | null;
  readonly actorKind: ActorKind | null;
  readonly clientIp: string | null;
  readonly route: string | null;
  /** Identities of this shard seen lately: what the guardrail's share is a share of. */
  readonly activeIdentities: number;
};

export type PolicyResult = {
  readonly risk: number;
  readonly level: RiskLevel;
  readonly decisions: readonly Decision[];
};

export type Policy = {
  readonly onFinding: (change: FindingChange) => PolicyResult;
  /** 0 to 100. */
  readonly riskOf: (identity: string, at: EpochMs) => number;
  /** Frees what has decayed. Never changes a result, only memory: a forgettable identity already counts as unknown. */
  readonly advance: (at: EpochMs) => void;
  readonly size: () => number;
  readonly snapshot: () => string;
  /** Fails with STATE_INVALID on a snapshot of another version. */
  readonly restore: (snapshot: string) => void;
};

/** A decision that has not expired yet, in what later decisions need to know of it. */
type Open = {
  readonly action: Action;
  readonly mode: Decision['mode'];
  readonly rule: string;
  readonly incident: string;
  readonly session: string | null;
  readonly expiresAt: EpochMs;
  readonly offence: number;
};

type Offence = { readonly rule: string; readonly at: EpochMs };

type Subject = RiskState & { open: readonly Open[]; offences: readonly Offence[] };

type Snapshot = {
  readonly version: 1;
  readonly guardrail: GuardrailState;
  readonly subjects: readonly (readonly [string, Subject])[];
};

/** Per identity: sessions revoked one by one, and offences; beyond it the oldest is forgotten. */
const rememberedMax = 16;

/** Deterministic in the sequence of its calls: no clock but event time, no chance, no order but that of the calls. */
export function createPolicy(config: PolicyConfig, shard: ShardOf = { shard: 0, shards: 1 }): Policy {
  const engine = new PolicyEngine(config, shard);
  return {
    onFinding: (change) => engine.onFinding(change),
    riskOf: (identity, at) => engine.riskOf(identity, at),
    advance: (at) => engine.advance(at),
    size: () => engine.size,
    snapshot: () => engine.snapshot(),
    restore: (snapshot) => engine.restore(snapshot),
  };
}

class PolicyEngine {
  readonly #config: PolicyConfig;
  readonly #allowlist;
  readonly #guardrail: Guardrail;
  /** In the order of last touch, so that what decays first stands first. */
  readonly #subjects = new Map<string, Subject>();

  constructor(config: PolicyConfig, shard: ShardOf) {
    this.#config = config;
    this.#allowlist = createAllowlist(config.allowlist);
    this.#guardrail = new Guardrail(config.guardrails, shard);
  }

  get size(): number {
    return this.#subjects.size;
  }

  onFinding(change: FindingChange): PolicyResult {
    const { finding, at } = change;
    const subject = this.#touch(finding.identity, at);
    addEvidence(subject, change, this.#config.risk);
    const circumstances = {
      ...change,
      risk: riskAt(subject, at, this.#config.risk),
      level: levelAt(subject, at, this.#config.risk),
    };
    const rule = finding.state === 'open' ? firstMatch(this.#config.rules, circumstances) : undefined;
    const decisions = rule === undefined ? [] : this.#apply(rule, subject, circumstances);
    return { risk: circumstances.risk, level: circumstances.level, decisions };
  }

  riskOf(identity: string, at: EpochMs): number {
    const subject = this.#known(identity, at);
    return subject === undefined ? 0 : riskAt(subject, at, this.#config.risk);
  }

  advance(at: EpochMs): void {
    for (const [identity, subject] of this.#subjects) {
      if (!this.#forgettable(subject, at)) break;
      this.#subjects.delete(identity);
    }
  }

  snapshot(): string {
    const snapshot: Snapshot = { version: 1, guardrail: this.#guardrail.save(), subjects: [...this.#subjects] };
    return JSON.stringify(snapshot);
  }

  restore(text: string): void {
    const snapshot = JSON.parse(text) as Snapshot;
    if (snapshot.version !== 1) {
      throw new GaitError('STATE_INVALID', `policy state of version ${snapshot.version}, expected 1`);
    }
    this.#guardrail.load(snapshot.guardrail);
    this.#subjects.clear();
    for (const [identity, subject] of snapshot.subjects) this.#subjects.set(identity, subject);
  }

  #known(identity: string, at: EpochMs): Subject | undefined {
    const subject = this.#subjects.get(identity);
    return subject === undefined || this.#forgettable(subject, at) ? undefined : subject;
  }

  #forgettable(subject: Subject, at: EpochMs): boolean {
    return (
      riskAt(subject, at, this.#config.risk) < 1 &&
      levelAt(subject, at, this.#config.risk) === 'LOW' &&
      subject.open.every((open) => open.expiresAt <= at) &&
      subject.offences.every((offence) => offence.at <= at - this.#config.offenceWindow)
    );
  }

  /** The identity's state, moved to the end of the order. At the limit the one touched longest ago is evicted, its risk with it. */
  #touch(identity: string, at: EpochMs): Subject {
    const known = this.#known(identity, at);
    const subject = known ?? { ...calmRisk(at), open: [], offences: [] };
    this.#subjects.delete(identity);
    const { identitiesMax } = this.#config.risk;
    if (this.#subjects.size >= identitiesMax) this.advance(at);
    if (this.#subjects.size >= identitiesMax) this.#subjects.delete(this.#subjects.keys().next().value ?? '');
    this.#subjects.set(identity, subject);
    subject.open = subject.open.filter((open) => open.expiresAt > at);
    subject.offences = subject.offences.filter((offence) => offence.at > at - this.#config.offenceWindow);
    return subject;
  }

  #apply(rule: PolicyRule, subject: Subject, change: FindingChange & Circumstances): readonly Decision[] {
    const { finding, at } = change;
    const allowance = this.#allowlist(finding.identity, change.clientIp, at);
    // Findings of one incident are one offence for as long as its decision is open; going on after that is the next offence.
    const same = subject.open.find((open) => open.rule === rule.name && open.incident === finding.incident_id);
    const offences = subject.offences.filter((offence) => offence.rule === rule.name).length;
    const offence = same?.offence ?? offences + 1;
    const wanted = stepFor(rule, offence, change);
    const action = allowance === undefined ? wanted : 'observe';
    const session = action === 'revoke-session' ? change.sessionId : null;
    const asked = allowance !== undefined ? 'shadow' : rule.mode === 'inherit' ? this.#config.mode : rule.mode;
    if (subject.open.some((open) => covers(open, { action, session, mode: asked }))) return [];
    const verdict =
      asked === 'shadow' ? 'pass' : this.#guardrail.admit(isRevocation(action), at, change.activeIdentities);
    const mode = verdict === 'pass' ? asked : 'shadow';
    if (mode !== asked && subject.open.some((open) => covers(open, { action, session, mode }))) return [];
    if (allowance === undefined && same === undefined) {
      subject.offences = [...subject.offences, { rule: rule.name, at }].slice(-rememberedMax);
    }
    const ttlMs = rule.ttl;
    const open = { action, mode, rule: rule.name, incident: finding.incident_id, session, offence };
    subject.open = [...subject.open, { ...open, expiresAt: at + ttlMs }].slice(-rememberedMax);
    const why =
      allowance !== undefined
        ? `${rule.why} Not acted on (would be ${wanted}): allowed by ${allowance.owner}: ${allowance.reason}`
        : mode === asked
          ? rule.why
          : `${rule.why} Not enforced: the guardrail on automatic revocations has tripped.`;
    const decision = decide(change, { action, mode, rule: rule.name, why, ttlMs, session, offence });
    return verdict === 'trip' ? [decision, page(change)] : [decision];
  }
}

/** Whether an open decision already does what a new one would: the same or more, to the same session or to all of them. */
function covers(open: Open, next: Pick<Open, 'action' | 'session' | 'mode'>): boolean {
  if (next.mode === 'enforce' && open.mode === 'shadow') return false;
  if (open.action === 'revoke-session' && next.action === 'revoke-session') {
    return open.session === null || open.session === next.session;
  }
  return strength(open.action) >= strength(next.action);
}

type Draft = Pick<Decision, 'action' | 'mode' | 'rule' | 'why'> & {
  readonly ttlMs: number;
  readonly session: string | null;
  readonly offence: number;
};

function decide(change: FindingChange & Circumstances, draft: Draft): Decision {
  const { finding, at, risk, level } = change;
  const identity: IdentityKey = finding.identity;
  return {
    // The time is part of the claim: after the offence window the same finding may earn the same step once more.
    decision_id: derivedId('dec', [identity, draft.rule, draft.action, finding.finding_id, draft.offence, at]),
    identity,
    identity_kind: finding.identity_kind,
    tenant: finding.tenant,
    action: draft.action,
    mode: draft.mode,
    rule: draft.rule,
    why: draft.why,
    finding_ids: [finding.finding_id],
    incident_id: finding.incident_id,
    risk,
    risk_level: level,
    session_id: draft.session,
    made_at: at,
    expires_at: at + draft.ttlMs,
    shard: finding.shard,
    version: 1,
  };
}

/** Calls a person, once per trip; sent even though everything else has become shadow. */
function page(change: FindingChange & Circumstances): Decision {
  return decide(change, {
    action: 'notify',
    mode: 'enforce',
    rule: 'guardrail',
    why: 'Automatic revocations reached their cap. For ten minutes nothing is enforced automatically; look at the findings now.',
    ttlMs: guardrailWindowMs,
    session: null,
    offence: 0,
  });
}
