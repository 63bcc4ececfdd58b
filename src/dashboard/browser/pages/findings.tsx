import { useList } from '../api.ts';
import { type Choice, filtersOf } from '../filters.tsx';
import { ListPage } from '../list-page.tsx';
import { IdentityText, Kind, Risk, Severity, Time } from '../pieces.tsx';
import { linkTo, type Place } from '../router.ts';
import type { FindingRow } from '../rows.ts';
import { withFilters } from '../virtual-list.tsx';
import { claimOf, plural } from '../words.ts';
import { kindChoice, severityChoice } from './incidents.tsx';

const choices: readonly Choice[] = [
  { name: 'state', label: 'State', options: ['open', 'closed', 'suppressed'].map((value) => ({ value, text: value })) },
  severityChoice,
  kindChoice,
];
const search = { name: 'identity', label: 'Identity' };

/** Every finding, newest first. */
export function FindingsPage({ place }: { readonly place: Place }) {
  const list = useList<FindingRow>(withFilters('/v1/findings', filtersOf(place, choices, search)), 'findings');
  return (
    <ListPage
      title="Findings"
      countOf={(rows) => plural(rows, 'finding')}
      filters={{ place, choices, search }}
      list={list}
      live={['finding']}
      keyOf={(row) => row.finding_id}
      linkOf={(row) => linkTo('finding', row.finding_id)}
      row={(row) => <FindingLine of={row} />}
      empty="Nothing matches. What is found appears here by itself."
    />
  );
}

/** A short list of them, each a link to its page. */
export function FindingLines({ of }: { readonly of: readonly FindingRow[] }) {
  return (
    <ul class="lines">
      {of.map((finding) => (
        <li key={finding.finding_id}>
          <a href={linkTo('finding', finding.finding_id)}>
            <FindingLine of={finding} />
          </a>
        </li>
      ))}
    </ul>
  );
}

function FindingLine({ of }: { readonly of: FindingRow }) {
  const { claim, because } = claimOf(of);
  return (
    <>
      <Severity of={of.severity} />
      <span class="what">
        <span class="title">
          {claim}
          {because !== '' && <span class="because"> {because}</span>}
        </span>
        <span class="under">
          <Kind of={of.kind} />
          <IdentityText of={of.identity} />
          {of.state !== 'open' && <span class="soft">{of.state}</span>}
          <span class="soft">{plural(of.count, 'event')}</span>
        </span>
      </span>
      <Risk of={of.risk} />
      <Time of={of.last_seen} />
    </>
  );
}
