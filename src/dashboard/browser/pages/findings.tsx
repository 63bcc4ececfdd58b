import { findingKinds, severities } from '../../../core/words.ts';
import { useList } from '../api.ts';
import { type Choice, Filters, filtersOf } from '../filters.tsx';
import { useLive } from '../live.ts';
import { IdentityText, Kind, Risk, Severity, Time } from '../pieces.tsx';
import { linkTo, type Place } from '../router.ts';
import type { FindingRow } from '../rows.ts';
import { VirtualList } from '../virtual-list.tsx';
import { claimOf, kindName, plural } from '../words.ts';

const choices: readonly Choice[] = [
  {
    name: 'state',
    label: 'State',
    options: ['open', 'closed'].map((value) => ({ value, text: value })),
  },
  { name: 'severity', label: 'Severity', options: [...severities].reverse().map((value) => ({ value, text: value })) },
  { name: 'kind', label: 'Detection', options: findingKinds.map((value) => ({ value, text: kindName(value) })) },
];
const search = { name: 'identity', label: 'Identity' };

/** Every finding, newest first. */
export function FindingsPage({ place }: { readonly place: Place }) {
  const filters = filtersOf(place, choices, search);
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value !== '')).toString();
  const list = useList<FindingRow>(`/v1/findings${query === '' ? '' : `?${query}`}`, 'findings');
  useLive(['finding'], list.reload);
  return (
    <div class="page listing">
      <header class="head">
        <h1>Findings</h1>
        <span class="soft" role="status">
          {list.isComplete ? plural(list.rows.length, 'finding') : `${plural(list.rows.length, 'finding')} so far`}
        </span>
        <Filters place={place} choices={choices} search={search} />
      </header>
      <VirtualList
        label="Findings"
        list={list}
        keyOf={(row) => row.finding_id}
        linkOf={(row) => linkTo('finding', row.finding_id)}
        row={(row) => <Row of={row} />}
        empty="Nothing matches. New findings appear here by themselves."
      />
    </div>
  );
}

function Row({ of }: { readonly of: FindingRow }) {
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
          {of.state === 'closed' && <span class="soft">closed</span>}
          <span class="soft">{plural(of.count, 'event')}</span>
        </span>
      </span>
      <Risk of={of.risk} />
      <Time of={of.last_seen} />
    </>
  );
}
