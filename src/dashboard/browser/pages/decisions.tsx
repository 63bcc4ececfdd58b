import { systemClock } from '../../../core/clock.ts';
import { actions } from '../../../core/words.ts';
import { Decide, Restore } from '../acts.tsx';
import { useAnswer, useList } from '../api.ts';
import { type Choice, Filters, filtersOf } from '../filters.tsx';
import { useLive } from '../live.ts';
import { DecisionBadge, Identity, Panel, Time, Waiting } from '../pieces.tsx';
import { Points } from '../points.tsx';
import type { Place } from '../router.ts';
import type { DecisionRow } from '../rows.ts';
import { type Column, Table } from '../table.tsx';
import { withFilters } from '../virtual-list.tsx';

const choices: readonly Choice[] = [
  { name: 'action', label: 'Action', options: actions.map((value) => ({ value, text: value })) },
  { name: 'mode', label: 'Mode', options: ['shadow', 'enforce'].map((value) => ({ value, text: value })) },
];
const search = { name: 'identity', label: 'Identity' };

/** What was decided: in force now, and what has ended; and deciding by hand. */
export function DecisionsPage({ place }: { readonly place: Place }) {
  const list = useList<DecisionRow>(withFilters('/v1/decisions', filtersOf(place, choices, search)), 'decisions');
  useLive(['decision'], list.reload);
  const active = list.rows.filter(isActive);
  const ended = list.rows.filter((row) => !isActive(row));
  const end: Column<DecisionRow> = {
    head: 'End it',
    cell: (row) => <Restore decisionId={row.decision_id} onDone={list.reload} />,
  };
  return (
    <div class="page">
      <header class="head">
        <h1>Decisions</h1>
        <Decide onDone={list.reload} />
        <Filters place={place} choices={choices} search={search} />
      </header>
      {list.error !== undefined && <Waiting error={list.error} what="decisions" />}
      <div class="column">
        <Panel title="In force" note="an enforced one is told to every enforcement point; one in shadow is only shown">
          <Table
            caption="In force"
            rows={active}
            keyOf={(row) => row.decision_id}
            empty="Nothing is in force."
            columns={[...columns, end]}
          />
        </Panel>
        <Panel title="Ended" note="expired, answered or taken back">
          <Table
            caption="Ended"
            rows={ended}
            keyOf={(row) => row.decision_id}
            empty="Nothing has ended yet."
            columns={columns}
          />
          {!list.isComplete && (
            <button type="button" onClick={list.more} disabled={list.isLoading}>
              Show more
            </button>
          )}
        </Panel>
        <Allowlist />
      </div>
    </div>
  );
}

type Allowance = {
  readonly identity?: string;
  readonly route?: string;
  readonly network?: string;
  /** Milliseconds since 1970. */
  readonly until: number;
  readonly owner: string;
  readonly reason: string;
};

/** Whom somebody vouches for: it stands above what people and rules decide, in the policy file. */
function Allowlist() {
  const { data, error } = useAnswer<{ readonly policy: { readonly allowlist: readonly Allowance[] } }>('/v1/settings');
  if (data === undefined) return <Waiting error={error} what="allowlist" />;
  return (
    <Panel title="Allowlist" note="of the policy file; what is in it is never enforced against">
      <Table
        caption="Allowlist"
        rows={data.policy.allowlist}
        keyOf={(row) => JSON.stringify(row)}
        empty="Nobody is on it."
        columns={[
          {
            head: 'What',
            cell: (row) => <span class="id">{[row.identity, row.route, row.network].filter(Boolean).join(' · ')}</span>,
          },
          { head: 'Owner', cell: (row) => row.owner },
          { head: 'Reason', cell: (row) => row.reason },
          { head: 'Until', cell: (row) => <Time of={new Date(row.until).toISOString()} /> },
        ]}
      />
    </Panel>
  );
}

function isActive({ change, expires_at }: DecisionRow): boolean {
  return change !== 'restored' && change !== 'answered' && Date.parse(expires_at) > systemClock.now();
}

export const columns: readonly Column<DecisionRow>[] = [
  { head: 'Decided', cell: (row) => <Time of={row.made_at} /> },
  { head: 'What', cell: (row) => <DecisionBadge action={row.action} mode={row.mode} /> },
  { head: 'About', cell: (row) => <Identity of={row.identity} /> },
  {
    head: 'Why',
    cell: (row) => (
      <>
        {row.why}{' '}
        <span class="soft">
          {row.rule} · {row.by}
        </span>
      </>
    ),
  },
  { head: 'State', cell: (row) => row.change },
  { head: 'Taken by', cell: (row) => <Points of={row} /> },
  { head: 'Until', cell: (row) => <Time of={row.expires_at} /> },
];
