import type { Audit } from '../core/audit.ts';
import type { HttpParts } from '../http/parts.ts';
import type { IncidentQueries } from '../store/queries-incidents.ts';

/**
 * What people say and do about incidents. It is written where every change by a person is, in the audit, and the store shows it by incident
 * (the view `case_notes`), up to a second later. How many findings there were when one was closed is noted too: one more opens it again.
 */
export function createCases(audit: Audit, { head }: Pick<IncidentQueries, 'head'>): HttpParts['note'] {
  return async (incidentId, notes, { who, from }) => {
    const incident = await head(incidentId);
    if (incident === undefined) return 'unknown';
    for (const { kind, text } of notes) {
      const detail = JSON.stringify({ text, ...(kind === 'close' && { findings: incident.finding_count }) });
      await audit({ who, from, action: `case.${kind}`, about: incidentId, detail });
    }
    return 'noted';
  };
}
