import type { Severity } from '../finding/finding.ts';
import { rank } from './alert-record.ts';
import { type DecisionLine, type Incident, type Line, leadOf } from './incident.ts';
import { fill } from './template.ts';

/** What a person is told, before it takes the form of a channel. Every text may come from an attacker: each channel escapes them all. */
export type AlertMessage = {
  readonly severity: Severity;
  readonly status: Incident['status'];
  readonly headline: string;
  readonly title: string;
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly reasons: readonly string[];
  /** What was decided, or would have been; what else belongs to the incident. */
  readonly notes: readonly string[];
  /** The findings that a verdict would be about, at most ten; empty for what takes no verdict. */
  /** Of `identity`, whom the message is named after: a verdict on them is no word about others. */
  readonly findingIds: readonly string[];
  readonly identity: string;
  readonly incident: string;
};

const othersMax = 5;
const findingIdsMax = 10;
const defaultTemplate = '{severity}: {kind}';

export function alertMessage(incident: Incident, template = defaultTemplate): AlertMessage {
  const lead = leadOf(incident);
  const { severity, status, told } = incident;
  const identity = lead?.identity ?? incident.identity;
  const lines = Object.values(incident.lines);
  const change =
    status === 'closed'
      ? ' (over)'
      : told !== null && told.severity !== severity && rank(severity) > rank(told.severity)
        ? ` (was ${told.severity})`
        : '';
  const events = String(lines.reduce((sum, { count }) => sum + count, 0));
  const kind = lead?.kind.replaceAll('_', ' ') ?? '';
  const findings = String(lines.length + incident.dropped);
  const values = { severity: severity.toUpperCase(), kind, identity, tenant: incident.tenant, incident: incident.id };
  const headline = fill(template, { ...values, risk: String(lead?.risk ?? 0), events, findings });
  return {
    severity,
    status,
    headline: `${headline}${change}`,
    title: lead?.title ?? '',
    facts: incident.kind === 'page' ? [] : factsOf(incident, lines, events),
    reasons: lead?.reasons ?? [],
    notes: notesOf(incident, lines, lead),
    findingIds:
      incident.kind === 'page'
        ? []
        : ownLines(lines, identity)
            .slice(0, findingIdsMax)
            .map(({ id }) => id),
    identity,
    incident: incident.id,
  };
}

function ownLines(lines: readonly Line[], identity: string): readonly Line[] {
  return lines.filter((line) => (line.identity ?? identity) === identity);
}

function identitiesOf(incident: Incident, lines: readonly Line[]): string {
  const lead = leadOf(incident)?.identity ?? incident.identity;
  const all = new Set(lines.map(({ identity }) => identity ?? lead));
  return all.size <= 1 ? lead : `${lead} and ${all.size - 1} more`;
}

function factsOf(incident: Incident, lines: readonly Line[], events: string): AlertMessage['facts'] {
  const most = (pick: (line: Line) => number): number => Math.max(...lines.map(pick));
  return [
    { label: 'Identity', value: identitiesOf(incident, lines) },
    { label: 'Risk', value: `${most(({ risk }) => risk)} of 100` },
    { label: 'Confidence', value: `${Math.round(most(({ confidence }) => confidence) * 100)} %` },
    { label: 'Events', value: events },
    { label: 'First seen', value: new Date(-most(({ first_seen }) => -first_seen)).toISOString() },
    { label: 'Last seen', value: new Date(most(({ last_seen }) => last_seen)).toISOString() },
    { label: 'Finding', value: leadOf(incident)?.id ?? '' },
    { label: 'Incident', value: incident.id },
  ];
}

function notesOf(incident: Incident, lines: readonly Line[], lead: Line | undefined): readonly string[] {
  const others = lines.filter((line) => line !== lead).sort((a, b) => rank(b.severity) - rank(a.severity));
  const shown = others.slice(0, othersMax);
  const hidden = others.length - shown.length + incident.dropped;
  return [
    ...(incident.verdict === null
      ? []
      : [`Verdict: ${incident.verdict.verdict.replace('-', ' ')}, by ${incident.verdict.by}`]),
    ...Object.values(incident.decisions).map(decisionNote),
    ...shown.map(({ severity, kind, title }) => `Also ${severity}: ${kind.replaceAll('_', ' ')}: ${title}`),
    ...(hidden > 0 ? [`and ${hidden} more`] : []),
  ];
}

/** A shadow decision was made and not sent, and is never told as anything else. */
function decisionNote({ action, mode, rule, isEnded, why }: DecisionLine): string {
  const because = why === undefined ? '' : `: ${why}`;
  if (mode !== 'enforce') return `Would have: ${action} (shadow mode, nothing was done; rule ${rule})${because}`;
  return `${isEnded ? 'Ended' : 'Decided'}: ${action} (rule ${rule})${because}`;
}

/** One message in place of many that the channel's rate held back. */
export function summaryMessage(held: readonly Incident[]): AlertMessage {
  const sorted = [...held].sort((a, b) => rank(b.severity) - rank(a.severity));
  const severity = sorted[0]?.severity ?? 'low';
  const counts = new Map<Severity, number>();
  for (const incident of sorted) counts.set(incident.severity, (counts.get(incident.severity) ?? 0) + 1);
  const spread = [...counts].map(([of, count]) => `${count} ${of}`).join(', ');
  const lines = sorted.slice(0, 10).map((incident) => {
    const lead = leadOf(incident);
    return `${incident.severity.toUpperCase()}: ${lead?.kind.replaceAll('_', ' ')}: ${lead?.identity ?? incident.identity}: ${lead?.title} (${incident.id})`;
  });
  return {
    severity,
    status: 'open',
    headline: `${held.length} more: ${spread}`,
    title: `${held.length} more incidents were held back because this channel had its most messages for now.`,
    facts: [],
    reasons: lines,
    notes: held.length > lines.length ? [`and ${held.length - lines.length} more, in GET /v1/findings`] : [],
    findingIds: [],
    identity: '',
    incident: '',
  };
}
