import { visible } from '../core/visible.ts';
import type { Finding } from '../finding/finding.ts';

/** One line about a finding for a terminal, without the line's end and without colours; at most about 500 characters. */
export function findingLine(finding: Finding): string {
  const at = new Date(finding.last_seen).toISOString().slice(0, 19).replace('T', ' ');
  const severity = finding.severity.toUpperCase().padEnd(8);
  return `${at}Z  ${severity}  ${finding.kind.padEnd(16)}  ${visible(finding.title, 400)}`;
}
