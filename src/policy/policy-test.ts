import type { PolicyConfig, PolicyTest } from '../config/policy-file.ts';
import type { Finding } from '../finding/finding.ts';
import type { IdentityKey } from '../identity/resolved-event.ts';
import { createPolicy } from './decide.ts';

/** 1 January 2026, 00:00 UTC: any moment would do, but it must always be the same. */
const start = 1_767_225_600_000;

/** Runs a policy's declared tests; returns one sentence per step that decided something else, so an empty list is success. */
export function runPolicyTests(config: PolicyConfig, tests: readonly PolicyTest[]): readonly string[] {
  return tests.flatMap((test) => runTest(config, test));
}

function runTest(config: PolicyConfig, { name, steps }: PolicyTest): readonly string[] {
  const policy = createPolicy(config);
  let at = start;
  return steps.flatMap((step, i) => {
    at += step.after;
    const result = policy.onFinding({
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
    });
    const decided = result.decisions.map((decision) => `${decision.action} ${decision.rule} ${decision.mode}`);
    const problems: string[] = [];
    if (decided.join(', ') !== step.expect.join(', ')) {
      problems.push(`decided [${decided.join(', ')}], expected [${step.expect.join(', ')}]`);
    }
    if (step.level !== undefined && result.level !== step.level) {
      problems.push(`risk ${result.risk} is ${result.level}, expected ${step.level}`);
    }
    return problems.map((problem) => `${name}: step ${i + 1}: ${problem}`);
  });
}

function findingOf(step: PolicyTest['steps'][number], at: number): Finding {
  return {
    finding_id: step.finding,
    kind: step.kind,
    // The mint of identity keys is for keys that come from traffic; a test writes its own.
    identity: step.identity as IdentityKey,
    identity_kind: step.identityKind,
    tenant: step.tenant,
    incident_id: step.incident ?? step.finding,
    state: 'open',
    severity: step.severity,
    confidence: step.confidence,
    first_seen: at,
    last_seen: at,
    count: 1,
    surprise: 0,
    risk: 0,
    title: step.finding,
    reasons: [],
    event_ids: [],
    owasp: [],
    attack: [],
    shard: 0,
    version: 1,
  };
}
