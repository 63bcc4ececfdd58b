import { Decide } from '../acts.tsx';
import { useAnswer } from '../api.ts';
import { useKeys } from '../keys.ts';
import { useLive } from '../live.ts';
import { Empty, Fact, Panel, Risk, Time, Waiting } from '../pieces.tsx';
import { Plot, type Series } from '../plot.tsx';
import { type ComponentChildren, useMemo } from '../preact.ts';
import { go, linkTo, type Place } from '../router.ts';
import type { DecisionRow, FindingRow, IdentityRow } from '../rows.ts';
import { HeatMap } from '../small-plots.tsx';
import { Table } from '../table.tsx';
import { count, identityName, plural } from '../words.ts';
import { columns as decisionColumns } from './decisions.tsx';
import { FindingLines } from './findings.tsx';

type Used = { readonly value: string; readonly calls: number; readonly first_seen: string; readonly last_seen: string };
type RouteRow = {
  readonly host: string;
  readonly route: string;
  readonly method: string;
  readonly calls: number;
  readonly first_seen: string;
  readonly last_seen: string;
};

type Profile = IdentityRow & {
  readonly risk_series: readonly { readonly at: string; readonly risk: number }[];
  readonly heat: readonly (readonly number[])[];
  readonly routes: readonly RouteRow[];
  readonly sessions: readonly Used[];
  readonly clients: readonly Used[];
  readonly devices: readonly Used[];
  readonly route_count: number;
  readonly networks: readonly Used[];
  readonly findings: readonly FindingRow[];
  readonly decisions: readonly DecisionRow[];
  readonly words: readonly string[];
};

/** One identity: what is usual for it, how its risk went, what was found and decided. */
export function IdentityPage({ place }: { readonly place: Place }) {
  const path = `/v1/identities/${encodeURIComponent(place.id)}`;
  const profile = useAnswer<Profile>(`${path}/profile`);
  useLive(['finding', 'decision'], profile.reload);
  useKeys({ Escape: () => go(linkTo('identities')) });
  const { data } = profile;
  if (data === undefined) return <Waiting error={profile.error} what="identity" />;
  const { kind, tenant, id } = identityName(place.id);
  return (
    <article class="page finding">
      <header class="head">
        <p class="path">
          <a href={linkTo('identities')}>Identities</a> <span class="soft">/ {kind}</span>
        </p>
        <h1 class="id">{id}</h1>
        <dl class="facts">
          <Fact name="Risk">
            <Risk of={data.risk} />
          </Fact>
          {tenant !== '' && tenant !== '-' && <Fact name="Tenant">{tenant}</Fact>}
          <Fact name="Known since">
            <Time of={data.first_seen} isExact />
          </Fact>
          <Fact name="Last seen">
            <Time of={data.last_seen} isExact />
          </Fact>
          <Fact name="Events">
            {count(data.events)} <span class="soft">({count(data.errors)} refused or failed)</span>
          </Fact>
        </dl>
        <div class="buttons">
          <Decide identity={place.id} onDone={profile.reload} />
        </div>
      </header>
      <Known of={data} />
    </article>
  );
}

function Known({ of }: { readonly of: Profile }) {
  return (
    <div class="columns">
      <div class="column">
        <RiskOverTime of={of} />
        <Panel title="Findings" note={plural(of.findings.length, 'finding')}>
          <FindingLines of={of.findings} />
          {of.findings.length === 0 && <Empty>Nothing was ever found about it.</Empty>}
        </Panel>
        <Panel title="Decisions">
          <Table
            caption="Decisions"
            rows={of.decisions}
            keyOf={(row) => row.decision_id}
            columns={decisionColumns.filter(({ head }) => head !== 'About')}
            empty="Nothing was decided about it."
          />
        </Panel>
        <Panel title="Functions it uses" note={`${count(of.route_count)} in all, the most used first`}>
          <Table
            caption="Functions it uses"
            rows={of.routes}
            keyOf={(row) => `${row.method} ${row.host} ${row.route}`}
            empty="No call of it is stored."
            columns={[
              {
                head: 'Function',
                cell: (row) => (
                  <>
                    <span class="method">{row.method}</span> <span class="id">{row.route}</span>{' '}
                    <span class="soft">{row.host}</span>
                  </>
                ),
              },
              { head: 'Calls', cell: (row) => count(row.calls), isNumber: true },
              { head: 'First', cell: (row) => <Time of={row.first_seen} /> },
              { head: 'Last', cell: (row) => <Time of={row.last_seen} /> },
            ]}
          />
        </Panel>
      </div>
      <div class="column aside">
        <Panel title="What is usual for it">
          <ul class="plainlist">
            {of.words.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </Panel>
        <Panel title="When it is active" note="hours in UTC">
          <HeatMap calls={of.heat} />
        </Panel>
        <UsedTable title="Networks" rows={of.networks} empty="None is known." />
        <UsedTable title="Devices" rows={of.devices} empty="None is known." />
        <UsedTable title="Programs" rows={of.clients} empty="None is known." />
        <UsedTable title="Sessions" rows={of.sessions} empty="None is known." />
      </div>
    </div>
  );
}

function RiskOverTime({ of }: { readonly of: Profile }) {
  const times = useMemo(() => of.risk_series.map(({ at }) => Date.parse(at) / 1000), [of.risk_series]);
  const series = useMemo<readonly Series[]>(
    () => [{ label: 'risk', color: '--odd', values: of.risk_series.map(({ risk }) => risk) }],
    [of.risk_series],
  );
  return (
    <Panel title="Risk over time" note="0 to 100">
      {times.length < 2 ? (
        <Empty>Too little is known for a line.</Empty>
      ) : (
        <Plot label={`Risk over time, now ${of.risk_series.at(-1)?.risk}`} times={times} series={series} max={100} />
      )}
    </Panel>
  );
}

type UsedProps = { readonly title: string; readonly rows: readonly Used[]; readonly empty: ComponentChildren };

function UsedTable({ title, rows, empty }: UsedProps) {
  return (
    <Panel title={title}>
      <Table
        caption={title}
        rows={rows}
        keyOf={(row) => row.value}
        empty={empty}
        columns={[
          {
            head: 'What',
            cell: (row) => (
              <span class="id clamp" title={row.value}>
                {row.value}
              </span>
            ),
          },
          { head: 'Calls', cell: (row) => count(row.calls), isNumber: true },
          { head: 'First', cell: (row) => <Time of={row.first_seen} /> },
        ]}
      />
    </Panel>
  );
}
