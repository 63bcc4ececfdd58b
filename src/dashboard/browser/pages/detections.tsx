import type { Severity as SeverityName } from '../../../core/words.ts';
import { useAnswer } from '../api.ts';
import { useLive } from '../live.ts';
import { Panel, Severity, Waiting } from '../pieces.tsx';
import { linkTo } from '../router.ts';
import { Suppressions } from '../suppressions.tsx';
import { Table } from '../table.tsx';
import { count, kindName, percent } from '../words.ts';

type DetectionRow = {
  readonly claim: string;
  readonly identities: number;
  readonly kind: string;
  readonly findings: number;
  readonly open: number;
  readonly true_positive: number;
  readonly false_positive: number;
  /** Share of false ones among those that somebody judged. */
  readonly noise: number | null;
  readonly suppressed: number;
  readonly severity_max: SeverityName | '' | null;
  readonly mode: string;
};

/** Each detection: how much it finds, what people said of that, and what its findings lead to. */
export function DetectionsPage() {
  const detections = useAnswer<{ readonly detections: readonly DetectionRow[] }>('/v1/detections');
  useLive(['finding'], detections.reload);
  if (detections.data === undefined) return <Waiting error={detections.error} what="detections" />;
  return (
    <div class="page">
      <header class="head">
        <h1>Detections</h1>
      </header>
      <div class="column">
        <Panel
          title="What finds what"
          note="verdicts are people's; noise is the share of false ones among those judged"
        >
          <Table
            caption="Detections"
            rows={detections.data.detections}
            keyOf={(row) => row.kind}
            empty="Nothing was found yet."
            columns={[
              {
                head: 'Detection',
                cell: (row) => <a href={linkTo('findings', '', { kind: row.kind })}>{kindName(row.kind)}</a>,
              },
              { head: 'What it says', cell: (row) => <span class="soft">{row.claim}</span> },
              { head: 'Findings', cell: (row) => count(row.findings), isNumber: true },
              { head: 'Open', cell: (row) => count(row.open), isNumber: true },
              { head: 'Identities', cell: (row) => count(row.identities), isNumber: true },
              { head: 'True', cell: (row) => count(row.true_positive), isNumber: true },
              { head: 'False', cell: (row) => count(row.false_positive), isNumber: true },
              { head: 'Noise', cell: (row) => (row.noise === null ? '–' : percent(row.noise)), isNumber: true },
              { head: 'Suppressed', cell: (row) => count(row.suppressed), isNumber: true },
              {
                head: 'Worst',
                cell: (row) => (row.findings === 0 || !row.severity_max ? '–' : <Severity of={row.severity_max} />),
              },
              { head: 'Mode', cell: (row) => <span class={`tag action ${row.mode}`}>{row.mode}</span> },
            ]}
          />
        </Panel>
        <Suppressions />
      </div>
    </div>
  );
}
