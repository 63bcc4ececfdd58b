import type { AlertRecord } from '../../src/alert/alert-record.ts';
import { type Incident, newIncident, take } from '../../src/alert/incident.ts';
import { type AlertMessage, alertMessage } from '../../src/alert/message.ts';
import type { Finding, Reason } from '../../src/finding/finding.ts';
import type { Decision } from '../../src/policy/decision.ts';
import { aFinding, start } from '../policy/a-finding.ts';
import { aDecision } from '../signal/a-decision.ts';

type FindingFields = Parameters<typeof aFinding>[0];

export function findingRecord(fields: FindingFields = {}): AlertRecord {
  return { kind: 'finding', finding: aFinding({ incident_id: 'inc_1', ...fields }) };
}

export function decisionRecord(fields: Partial<Decision> = {}): AlertRecord {
  return { kind: 'decision', decision: aDecision(fields) };
}

export function anIncident(...records: readonly AlertRecord[]): Incident {
  const incident = newIncident('inc_1', 'finding', start);
  for (const record of records) take(incident, record, start);
  return incident;
}

export function reasonOf(text: string): Reason {
  const range = {
    low: null,
    high: null,
    share: 1,
    level: 'self',
    peer_group: 'acme|human|-',
    sample_size: 40,
  } as const;
  return { feature: 'country', observed: text, expected: 'DE', ...range, text };
}

/** A message in which everything that an attacker can write is this text, in as many findings as there can be. */
export function messageFull(text: string): AlertMessage {
  const fields: Partial<Omit<Finding, 'identity'>> & { identity: string } = {
    title: text,
    identity: `user:acme:${text}`,
    tenant: text,
    kind: text as Finding['kind'],
    reasons: Array.from({ length: 50 }, () => reasonOf(text)),
  };
  const findings = Array.from({ length: 60 }, (_, i) => findingRecord({ ...fields, finding_id: `fnd_${i}` }));
  const decisions = Array.from({ length: 20 }, (_, i) =>
    decisionRecord({ decision_id: `dec_${i}`, rule: text, change: 'escalated', why: text }),
  );
  const verdict = { incident_id: 'inc_1', verdict: 'true-positive', by: text, at: start } as const;
  return alertMessage(
    anIncident(...findings, ...decisions, { kind: 'verdict', verdict }),
    '{severity}: {kind} of {identity} in {tenant}',
  );
}
