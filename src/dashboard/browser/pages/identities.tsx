import { identityKinds } from '../../../core/words.ts';
import { useList } from '../api.ts';
import { type Choice, filtersOf } from '../filters.tsx';
import { ListPage } from '../list-page.tsx';
import { Risk, Time } from '../pieces.tsx';
import { linkTo, type Place } from '../router.ts';
import type { IdentityRow } from '../rows.ts';
import { withFilters } from '../virtual-list.tsx';
import { count, identityName, plural } from '../words.ts';

const choices: readonly Choice[] = [
  { name: 'kind', label: 'Kind', options: identityKinds.map((value) => ({ value, text: value })) },
  {
    name: 'sort',
    label: 'Order',
    initial: 'risk',
    options: [
      { value: 'risk', text: 'risk' },
      { value: 'last_seen', text: 'last seen' },
    ],
  },
];
const search = { name: 'q', label: 'Search' };

/** Everybody who is known, the riskiest first. */
export function IdentitiesPage({ place }: { readonly place: Place }) {
  const list = useList<IdentityRow>(withFilters('/v1/identities', filtersOf(place, choices, search)), 'identities');
  return (
    <ListPage
      title="Identities"
      countOf={(rows) => plural(rows, 'identity', 'identities')}
      filters={{ place, choices, search }}
      list={list}
      live={['overview']}
      keyOf={(row) => row.identity}
      linkOf={(row) => linkTo('identity', row.identity)}
      row={(row) => <Line of={row} />}
      empty="Nobody matches."
    />
  );
}

function Line({ of }: { readonly of: IdentityRow }) {
  const { id, tenant } = identityName(of.identity);
  return (
    <>
      <span class="tag">{of.identity_kind}</span>
      <span class="what">
        <span class="title id">{id}</span>
        <span class="under">
          {tenant !== '' && tenant !== '-' && <span class="soft">{tenant}</span>}
          <span class="soft">{plural(of.events, 'event')}</span>
          <span class="soft">{count(of.errors)} refused or failed</span>
        </span>
      </span>
      <Risk of={of.risk_now ?? of.risk} />
      <Time of={of.last_seen} />
    </>
  );
}
