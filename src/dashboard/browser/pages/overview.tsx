import { type Severity as SeverityName, severities } from '../../../core/words.ts';
import { useAnswer } from '../api.ts';
import { useLive } from '../live.ts';
import { Empty, Panel, Severity, Time, Waiting } from '../pieces.tsx';
import { Plot, type Series } from '../plot.tsx';
import { type ComponentChildren, useMemo } from '../preact.ts';
import { linkTo } from '../router.ts';
import type { IncidentRow } from '../rows.ts';
import { RiskBars } from '../small-plots.tsx';
import { Table } from '../table.tsx';
import { count, figure, plural } from '../words.ts';
import { IncidentLine } from './incidents.tsx';

type Overview = {
  readonly at: string;
  readonly events_per_second: number;
  readonly events_total: number;
  readonly identities: number;
  readonly open_incidents: Readonly<Record<SeverityName, number>>;
  readonly risk: readonly { readonly from: number; readonly to: number; readonly identities: number }[];
  readonly budget: { readonly set: number; readonly realised: number };
  readonly series: readonly {
    readonly minute: string;
    readonly events: number;
    readonly errors: number;
    readonly surprising: number;
  }[];
  readonly sources: readonly SourceRow[];
  readonly dead_letters: number;
  readonly enforcement: readonly {
    readonly target: string;
    readonly delivered: number;
    readonly failed: number;
    readonly ineffective: number;
    readonly seen_at: string;
  }[];
  readonly mode: 'shadow' | 'enforce';
  readonly sample: boolean;
};

type SourceRow = {
  readonly source: string;
  readonly events: number;
  readonly errors: number;
  readonly events_per_second: number;
  readonly last_seen: string;
};

const incidentsShown = 8;
const incidentsAsked = 50;

/** One look in the morning: what needs somebody, how the traffic is, whether everything works. */
export function OverviewPage() {
  const overview = useAnswer<Overview>('/v1/overview');
  const incidents = useAnswer<{ readonly incidents: readonly IncidentRow[] }>(
    `/v1/incidents?state=open&limit=${incidentsAsked}`,
  );
  useLive(['overview', 'finding', 'decision'], () => {
    overview.reload();
    incidents.reload();
  });
  const { data } = overview;
  if (data === undefined) return <Waiting error={overview.error} what="overview" />;
  return (
    <div class="page">
      <header class="head">
        <h1>Overview</h1>
        <span class={`tag action ${data.mode}`}>{data.mode === 'shadow' ? 'shadow mode' : 'enforcing'}</span>
        <span class="soft">
          {data.mode === 'shadow'
            ? 'Decisions are made and shown, nothing is enforced.'
            : 'Decisions are sent to the enforcement points.'}
          {data.sample && ' This is the bundled sample: recorded traffic, not yours.'}
        </span>
      </header>
      <Numbers of={data} />
      <div class="columns">
        <div class="column">
          <Worst rows={incidents.data?.incidents} waiting={<Waiting error={incidents.error} what="incidents" />} />
          <Traffic of={data} />
        </div>
        <div class="column aside">
          <Panel title="Risk of identities" note="0 to 100, now">
            <RiskBars buckets={data.risk} />
          </Panel>
          <Sources of={data} />
          <Enforcement of={data} />
        </div>
      </div>
    </div>
  );
}

/** Below this many findings that the budget stands for, one more or less says nothing about it. */
const comparedFrom = 5;

function Numbers({ of }: { readonly of: Overview }) {
  const { set, realised } = of.budget;
  const isFew = (set * of.identities) / 1000 < comparedFrom;
  return (
    <dl class="tiles">
      <Tile
        name="Open incidents"
        href={linkTo('incidents')}
        value={count(severities.reduce((sum, severity) => sum + of.open_incidents[severity], 0))}
      >
        {severities.toReversed().map(
          (severity) =>
            of.open_incidents[severity] > 0 && (
              <span key={severity} class="nowrap">
                <Severity of={severity} /> {count(of.open_incidents[severity])}{' '}
              </span>
            ),
        )}
      </Tile>
      <Tile name="Findings per 1,000 identities and day" value={isFew ? '–' : figure(realised)}>
        <span class={!isFew && realised > set * 2 ? 'odd' : 'soft'}>
          budget {figure(set)}
          {isFew && '; too few identities to compare'}
        </span>
      </Tile>
      <Tile name="Identities" href={linkTo('identities')} value={count(of.identities)}>
        <span class="soft">known</span>
      </Tile>
      <Tile name="Events per second" href={linkTo('ingest')} value={figure(of.events_per_second)}>
        <span class="soft">{count(of.events_total)} in all</span>
      </Tile>
      <Tile name="Dead letters" href={linkTo('ingest')} value={count(of.dead_letters)}>
        <span class="soft">in the last day</span>
      </Tile>
    </dl>
  );
}

type TileProps = {
  readonly name: string;
  readonly value: string;
  readonly href?: string;
  readonly children: ComponentChildren;
};

function Tile({ name, value, href, children }: TileProps) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>
        {href === undefined ? (
          <span class="large number">{value}</span>
        ) : (
          <a class="large number" href={href}>
            {value}
          </a>
        )}
        <span class="more">{children}</span>
      </dd>
    </div>
  );
}

type WorstProps = { readonly rows: readonly IncidentRow[] | undefined; readonly waiting: ComponentChildren };

function Worst({ rows, waiting }: WorstProps) {
  const weight = ({ severity }: IncidentRow): number => severities.indexOf(severity);
  const worst = rows?.toSorted((a, b) => weight(b) - weight(a) || (a.last_seen < b.last_seen ? 1 : -1));
  return (
    <Panel title="Needs a look" note={<a href={linkTo('incidents')}>all incidents</a>}>
      {worst === undefined && waiting}
      {worst?.length === 0 && <Empty>Nothing is open.</Empty>}
      <ul class="lines">
        {worst?.slice(0, incidentsShown).map((incident) => (
          <li key={incident.incident_id}>
            <a href={linkTo('incident', incident.incident_id)}>
              <IncidentLine of={incident} />
            </a>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Traffic({ of }: { readonly of: Overview }) {
  const times = useMemo(() => of.series.map(({ minute }) => Date.parse(minute) / 1000), [of.series]);
  const series = useMemo<readonly Series[]>(
    () => [
      { label: 'events', color: '--accent', values: of.series.map(({ events }) => events) },
      { label: 'refused or failed', color: '--medium', values: of.series.map(({ errors }) => errors) },
      { label: 'surprising', color: '--odd', form: 'bars', values: of.series.map(({ surprising }) => surprising) },
    ],
    [of.series],
  );
  return (
    <Panel title="Traffic" note="per minute, the last hour of data, UTC">
      {times.length === 0 ? (
        <Empty>No event has come yet.</Empty>
      ) : (
        <Plot
          label={`Events per minute over ${plural(times.length, 'minute')}`}
          times={times}
          series={series}
          height={220}
        />
      )}
    </Panel>
  );
}

function Sources({ of }: { readonly of: Overview }) {
  return (
    <Panel title="Sources" note={<a href={linkTo('ingest')}>ingest</a>}>
      <Table
        caption="Sources"
        rows={of.sources}
        keyOf={(row) => row.source}
        empty="No source has sent anything in the last day."
        columns={[
          { head: 'Source', cell: (row) => (row.source === '' ? <span class="soft">not named</span> : row.source) },
          { head: 'Events/s', cell: (row) => figure(row.events_per_second), isNumber: true },
          { head: 'Last', cell: (row) => <Time of={row.last_seen} /> },
        ]}
      />
    </Panel>
  );
}

function Enforcement({ of }: { readonly of: Overview }) {
  return (
    <Panel title="Enforcement points">
      <Table
        caption="Enforcement points"
        rows={of.enforcement}
        keyOf={(row) => row.target}
        empty={of.mode === 'shadow' ? 'None was told anything: shadow mode.' : 'None was told anything yet.'}
        columns={[
          { head: 'Target', cell: (row) => row.target },
          { head: 'Taken', cell: (row) => count(row.delivered), isNumber: true },
          {
            head: 'Failed',
            cell: (row) => <span class={row.failed > 0 ? 'odd' : ''}>{count(row.failed)}</span>,
            isNumber: true,
          },
          {
            head: 'Passed',
            cell: (row) => <span class={row.ineffective > 0 ? 'odd' : ''}>{count(row.ineffective)}</span>,
            isNumber: true,
          },
          { head: 'Last', cell: (row) => <Time of={row.seen_at} /> },
        ]}
      />
    </Panel>
  );
}
