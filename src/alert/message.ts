import type { Finding, Severity } from '../finding/finding.ts';

/** What a person is told about a finding, before it takes the form of a channel. Its texts may come from an attacker. */
export type AlertMessage = {
  readonly severity: Severity;
  /** Our own words: safe everywhere. */
  readonly headline: string;
  readonly title: string;
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly reasons: readonly string[];
};

const reasonsMax = 5;

/** `escalatedFrom`: the severity that was alerted before. */
export function alertMessage(finding: Finding, escalatedFrom?: Severity): AlertMessage {
  const kind = finding.kind.replaceAll('_', ' ');
  const change = escalatedFrom === undefined ? '' : ` (was ${escalatedFrom})`;
  return {
    severity: finding.severity,
    headline: `${finding.severity.toUpperCase()}${change}: ${kind}`,
    title: finding.title,
    facts: [
      { label: 'Identity', value: finding.identity },
      { label: 'Risk', value: `${finding.risk} of 100` },
      { label: 'Confidence', value: `${Math.round(finding.confidence * 100)} %` },
      { label: 'Events', value: String(finding.count) },
      { label: 'First seen', value: new Date(finding.first_seen).toISOString() },
      { label: 'Last seen', value: new Date(finding.last_seen).toISOString() },
      { label: 'Finding', value: finding.finding_id },
      { label: 'Incident', value: finding.incident_id },
    ],
    reasons: finding.reasons.slice(0, reasonsMax).map((reason) => String(reason.text)),
  };
}
