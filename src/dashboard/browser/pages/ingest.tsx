import { useAnswer } from '../api.ts';
import { useLive } from '../live.ts';
import { Panel, Time, Waiting } from '../pieces.tsx';
import { Table } from '../table.tsx';
import { count, figure } from '../words.ts';

type Intake = {
  readonly sources: readonly {
    readonly source: string;
    readonly events_per_second: number;
    readonly events: number;
    readonly errors: number;
    readonly last_seen: string;
  }[];
  readonly lag?: readonly { readonly topic: string; readonly records: number }[];
  readonly dead_letters: readonly {
    readonly source: string;
    readonly reason: string;
    readonly count: number;
    readonly sample: string;
  }[];
};

/** What comes in: from where, how fast, what could not be read and why. */
export function IngestPage() {
  const intake = useAnswer<Intake>('/v1/ingest');
  useLive(['overview'], intake.reload);
  if (intake.data === undefined) return <Waiting error={intake.error} what="sources" />;
  const { sources, lag = [], dead_letters } = intake.data;
  return (
    <div class="page">
      <header class="head">
        <h1>Ingest</h1>
      </header>
      <div class="column">
        <Panel title="Sources" note="the last day of data">
          <Table
            caption="Sources"
            rows={sources}
            keyOf={(row) => row.source}
            empty="No source has sent anything in the last day."
            columns={[
              { head: 'Source', cell: (row) => (row.source === '' ? <span class="soft">not named</span> : row.source) },
              { head: 'Events/s', cell: (row) => figure(row.events_per_second), isNumber: true },
              { head: 'Events', cell: (row) => count(row.events), isNumber: true },
              { head: 'Refused or failed', cell: (row) => count(row.errors), isNumber: true },
              { head: 'Last', cell: (row) => <Time of={row.last_seen} /> },
            ]}
          />
        </Panel>
        <Panel title="Lag" note="records that this process has not read yet">
          <Table
            caption="Lag"
            rows={lag}
            keyOf={(row) => row.topic}
            empty="This process reads no topic."
            columns={[
              { head: 'Topic', cell: (row) => <code>{row.topic}</code> },
              { head: 'Records', cell: (row) => count(row.records), isNumber: true },
            ]}
          />
        </Panel>
        <Panel title="Dead letters" note="what could not be read; secrets in the samples are masked">
          <Table
            caption="Dead letters"
            rows={dead_letters}
            keyOf={(row) => `${row.source} ${row.reason}`}
            empty="Everything could be read."
            columns={[
              { head: 'Source', cell: (row) => row.source },
              { head: 'Reason', cell: (row) => row.reason },
              { head: 'Records', cell: (row) => count(row.count), isNumber: true },
              { head: 'Sample', cell: (row) => <code class="sample">{row.sample}</code> },
            ]}
          />
        </Panel>
      </div>
    </div>
  );
}
