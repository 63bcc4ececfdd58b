import type { PolicyConfig, PolicyTest } from '../config/policy-file.ts';
import type { Finding } from '../finding/finding.ts';
import type { IdentityKey } from '../identity/resolved-event.ts';
import { createPolicy } from './decide.ts';
import type { Decision } from './decision.ts';
import type { FindingChange } from './judge.ts';
import type { Notice } from './notice.ts';

/** 1 January 2026, 00:00 UTC: any moment would do, but it must always be the same. */
const start = 1_767_225_600_000;

/** Runs a policy's declared tests; returns one sentence per step that decided something else, so an empty list is success. */
export function runPolicyTests(config: PolicyConfig, tests: readonly PolicyTest[]): readonly string[] {
  return tests.flatMap((test) => runTest(config, test));
}

function runTest(config: PolicyConfig, { name, steps }: PolicyTest): readonly string[] {
  const policy = createPolicy(config);
  let at = start;
  let newest: Decision | undefined;
  return steps.flatMap((step, i) => {
    at += step.after;
    const problems: string[] = [];
    let decisions: readonly Decision[];
    if (step.told !== undefined) {
      if (newest === undefined) return [`${name}: step ${i + 1}: there is no decision yet that could be ${step.told}`];
      decisions = policy.onNotice(
        noticeOf({ ...step, told: step.told }, { newest, at, id: `ntc_${String(i).padStart(8, '0')}` }),
      );
    } else {
      const result = policy.onFinding(changeOf(step, at));
      decisions = result.decisions;
      if (step.level !== undefined && result.level !== step.level)
        problems.push(`risk ${result.risk} is ${result.level}, expected ${step.level}`);
    }
    newest = decisions.find(({ rule }) => rule !== 'guardrail') ?? newest;
    const decided = decisions.map((decision) => `${decision.action} ${decision.rule} ${decision.mode}`);
    if (decided.join(', ') !== step.expect.join(', '))
      problems.unshift(`decided [${decided.join(', ')}], expected [${step.expect.join(', ')}]`);
    return problems.map((problem) => `${name}: step ${i + 1}: ${problem}`);
  });
}

type Step = PolicyTest['steps'][number];
type ToldStep = Step & { readonly told: NonNullable<Step['told']> };

function changeOf(step: Step, at: number): FindingChange {
  return {
    finding: findingOf(step, at),
    change: step.change,
    at,
    sessionId: step.session,
    tokenId: step.token,
    actorKind: step.actorKind,
    clientIp: step.clientIp,
    route: step.route,
    host: step.host,
    activeIdentities: step.activeIdentities,
  };
}

function noticeOf(
  { told, session }: ToldStep,
  { newest, at, id }: { newest: Decision; at: number; id: string },
): Notice {
  const { identity, decision_id } = newest;
  const base = { notice_id: id, identity, session_id: session, at, by: 'test', reason: told };
  if (told === 'false-positive') {
    return { ...base, notice: 'verdict', verdict: told, finding_id: newest.finding_ids[0] ?? '', suppression: null };
  }
  return { ...base, notice: told, decision_id };
}

function findingOf(step: Step, at: number): Finding {
  return {
    finding_id: step.finding,
    kind: step.kind,
    // The mint of identity keys is for keys that come from traffic; a test writes its own.
    identity: step.identity as IdentityKey,
    identity_kind: step.identityKind,
    tenant: step.tenant,
    incident_id: step.incident ?? step.finding,
    state: 'open',
    suppressed_by: '',
    severity: step.severity,
    confidence: step.confidence,
    first_seen: at,
    last_seen: at,
    count: 1,
    surprise: 0,
    risk: 0,
    title: step.finding,
    reasons: [],
    cause: {},
    event_ids: [],
    owasp: [],
    attack: [],
    shard: 0,
    version: 1,
  };
}
