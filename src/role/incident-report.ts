import { noun } from '../core/noun.ts';
import type { IncidentParts } from '../store/queries-incidents.ts';
import { callName, timelineOf } from './incident-timeline.ts';

/** A report as what it says; how it looks is the formats' (report-formats.ts). Every text may hold what a caller wrote. */
export type Report = {
  readonly title: string;
  readonly facts: readonly Fact[];
  readonly sections: readonly Section[];
  readonly note: string;
};

export type Fact = readonly [name: string, value: string];

export type Section = {
  readonly heading: string;
  /** Shown where there is nothing else. */
  readonly none: string;
  readonly parts: readonly SectionPart[];
};

export type SectionPart =
  | {
      readonly kind: 'facts';
      readonly heading: string;
      readonly facts: readonly Fact[];
      readonly points: readonly string[];
    }
  | { readonly kind: 'table'; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] };

/** What one incident was, for somebody who has no access to Gait: what happened, why it was told, what was done, and what people said. */
export function incidentReport(parts: IncidentParts, at: string): Report {
  const { incident, findings, decisions, events, notes, verdicts } = parts;
  return {
    title: `Incident ${incident.incident_id}`,
    facts: [
      ['What', incident.title],
      ['State', incident.state],
      ['Severity', incident.severity],
      ['First seen', incident.first_seen],
      ['Last seen', incident.last_seen],
      ['Identities', some(incident.identities, incident.identity_count)],
      ['Highest risk', `${Math.round(incident.risk)} of 100`],
      ['Assigned to', incident.assignee === '' ? 'nobody' : incident.assignee],
      ...closedFact(notes, incident.state),
    ],
    sections: [
      { heading: 'What was found', none: 'Nothing.', parts: findings.map((finding) => findingPart(finding, verdicts)) },
      {
        heading: 'What was done',
        none: 'Nothing was decided.',
        parts: table(
          ['When', 'Who', 'What', 'About', 'Why', 'Ends', 'Taken by'],
          decisions.map((row) => [
            row.made_at,
            row.by,
            actionOf(row),
            row.identity,
            row.why,
            row.expires_at,
            takersOf(parts, row.decision_id),
          ]),
        ),
      },
      {
        heading: 'Timeline',
        none: 'Nothing.',
        parts: table(
          ['When', 'What', ''],
          // A comment may have lines; a row has none.
          timelineOf(parts).map(({ at: when, type, text }) => [
            when,
            type,
            type === 'comment' ? text.replaceAll('\n', ' ') : text,
          ]),
        ),
      },
      {
        heading: 'Evidence',
        none: 'The calls are not kept any more.',
        parts: table(
          ['When', 'Identity', 'Call', 'Status', 'From', 'Session', 'Token', 'Surprise', 'Event'],
          events.map((row) => [
            row.ts,
            row.identity,
            callName(row),
            row.status === 0 ? '' : String(row.status),
            [row.client_ip, row.country].filter((part) => part !== '').join(' '),
            row.session_id,
            row.token_id,
            row.surprise.toFixed(1),
            row.event_id,
          ]),
        ),
      },
    ],
    note: `Made by Gait at ${at}. Times are UTC. Surprise is -log10 p of the call for its identity. Names, paths and programs were written by callers.`,
  };
}

function actionOf({ action, ended, mode }: IncidentParts['decisions'][number]): string {
  const what = action === 'restore' ? `${ended || 'a decision'}, ended` : action;
  return mode === 'shadow' ? `${what} (shadow: not sent)` : what;
}

function findingPart(
  finding: IncidentParts['findings'][number],
  verdicts: IncidentParts['verdicts'],
): Extract<SectionPart, { kind: 'facts' }> {
  const said = verdicts.filter(({ finding_id, state }) => finding_id === finding.finding_id && state === 'given');
  return {
    kind: 'facts',
    heading: finding.title,
    facts: [
      ['Id', finding.finding_id],
      ['Kind', finding.kind],
      ['Identity', finding.identity],
      ['Severity', `${finding.severity}, confidence ${finding.confidence.toFixed(2)}, ${finding.state}`],
      ['When', `${finding.first_seen} to ${finding.last_seen}, ${finding.count} odd ${noun(finding.count, 'call')}`],
      ...(finding.owasp.length === 0 ? [] : [['OWASP API Security', finding.owasp.join(', ')] as const]),
      ...(finding.attack.length === 0 ? [] : [['MITRE ATT&CK', finding.attack.join(', ')] as const]),
      ...said.map(
        ({ by, at, verdict, note }) =>
          ['Verdict', `${verdict} by ${by} at ${at}${note === '' ? '' : `: ${note}`}`] as const,
      ),
    ],
    points: finding.reasons.map(
      ({ text, share, level, sample_size }) =>
        `${text} (${Math.round(share * 100)} % of the score; compared with ${level}, ${sample_size} ${noun(sample_size, 'event')})`,
    ),
  };
}

function closedFact(notes: IncidentParts['notes'], state: string): readonly Fact[] {
  const last = notes.findLast(({ kind }) => kind === 'close');
  return state === 'closed' && last !== undefined ? [['Closed by', `${last.who} at ${last.at}: ${last.text}`]] : [];
}

function takersOf({ receipts }: IncidentParts, id: string): string {
  const steps = receipts.filter(({ decision_id }) => decision_id === id);
  return steps.map(({ target, state }) => `${target}: ${state}`).join(', ');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly SectionPart[] {
  return rows.length === 0 ? [] : [{ kind: 'table', head, rows }];
}

function some(shown: readonly string[], count: number): string {
  return `${shown.join(', ')}${count > shown.length ? ` and ${count - shown.length} more` : ''}`;
}
