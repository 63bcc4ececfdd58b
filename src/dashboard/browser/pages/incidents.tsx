import { findingKinds, severities } from '../../../core/words.ts';
import { useList } from '../api.ts';
import { type Choice, filtersOf } from '../filters.tsx';
import { ListPage } from '../list-page.tsx';
import { IdentityText, Kind, Risk, Severity, Time } from '../pieces.tsx';
import { linkTo, type Place } from '../router.ts';
import type { IncidentRow } from '../rows.ts';
import { useSession } from '../session.ts';
import { withFilters } from '../virtual-list.tsx';
import { claimOf, kindName, plural } from '../words.ts';

export const severityChoice: Choice = {
  name: 'severity',
  label: 'Severity',
  options: [...severities].reverse().map((value) => ({ value, text: value })),
};
export const kindChoice: Choice = {
  name: 'kind',
  label: 'Detection',
  options: findingKinds.map((value) => ({ value, text: kindName(value) })),
};
const choices: readonly Choice[] = [
  {
    name: 'state',
    label: 'State',
    initial: 'open',
    options: [
      { value: 'open', text: 'open' },
      { value: 'closed', text: 'closed' },
    ],
  },
  severityChoice,
  kindChoice,
  {
    name: 'assignee',
    label: 'Taken by',
    options: [
      { value: 'me', text: 'me' },
      { value: 'nobody', text: 'nobody' },
    ],
  },
];
const search = { name: 'q', label: 'Search' };

/** The queue: what belongs together, newest first, the open ones unless asked otherwise. */
export function IncidentsPage({ place }: { readonly place: Place }) {
  const { caller } = useSession();
  const { assignee = '', ...filters } = filtersOf(place, choices, search);
  const path = withFilters('/v1/incidents', { ...filters, ...(assignee === 'me' && { assignee: caller }) });
  const joint = path.includes('?') ? '&' : '?';
  const list = useList<IncidentRow>(assignee === 'nobody' ? `${path}${joint}assignee=` : path, 'incidents');
  return (
    <ListPage
      title="Incidents"
      countOf={(rows) => plural(rows, 'incident')}
      filters={{ place, choices, search }}
      list={list}
      live={['finding', 'decision']}
      keyOf={(row) => row.incident_id}
      linkOf={(row) => linkTo('incident', row.incident_id)}
      row={(row) => <IncidentLine of={row} />}
      empty="Nothing is open that matches. What is found appears here by itself."
    />
  );
}

/** What happened, who, and what was done about it, in two lines. */
export function IncidentLine({ of }: { readonly of: IncidentRow }) {
  const [identity = ''] = of.identities;
  const { claim, because } = claimOf({ title: of.title, identity });
  return (
    <>
      <Severity of={of.severity} />
      <span class="what">
        <span class="title">
          {claim}
          {because !== '' && <span class="because"> {because}</span>}
        </span>
        <span class="under">
          <IdentityText of={identity} />
          {of.identity_count > 1 && <span class="soft">and {of.identity_count - 1} more</span>}
          {of.kinds.slice(0, 3).map((kind) => (
            <Kind key={kind} of={kind} />
          ))}
          <span class="soft">{plural(of.finding_count, 'finding')}</span>
          {(of.actions ?? []).length > 0 && <span class="soft">decided: {(of.actions ?? []).join(', ')}</span>}
          {of.assignee !== '' && <span class="soft">taken by {of.assignee}</span>}
          {(of.verdict ?? '') !== '' && <span class="soft">said to be {of.verdict?.replaceAll('-', ' ')}</span>}
          {of.state === 'closed' && <span class="soft">closed</span>}
        </span>
      </span>
      <Risk of={of.risk} />
      <Time of={of.last_seen} />
    </>
  );
}
