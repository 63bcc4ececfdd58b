import type { ApiError } from './api.ts';
import { Empty, Panel, Waiting } from './pieces.tsx';
import { Plot, type Series } from './plot.tsx';
import { useMemo, useRef, useState } from './preact.ts';
import type { EventRow, FindingRow } from './rows.ts';
import { count, figure, shortTime } from './words.ts';

type Props = {
  readonly finding: Pick<FindingRow, 'finding_id' | 'event_ids'>;
  readonly events: readonly EventRow[] | undefined;
  readonly error: ApiError | undefined;
};

/** The identity's calls around a finding: how surprising each was, and the calls themselves, the odd ones marked. A click on a point shows its call. */
export function Timeline({ finding, events, error }: Props) {
  const [isOddOnly, setOddOnly] = useState(false);
  const [picked, setPicked] = useState<string | undefined>();
  const table = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => [...(events ?? [])].sort((a, b) => (a.ts < b.ts ? -1 : 1)), [events]);
  const isOdd = (event: EventRow): boolean =>
    finding.event_ids.includes(event.event_id) || event.findings.includes(finding.finding_id);
  const times = useMemo(() => rows.map(({ ts }) => Date.parse(ts) / 1000), [rows]);
  const series = useMemo<readonly Series[]>(
    () => [
      {
        label: 'ordinary',
        color: '--soft',
        form: 'points',
        values: rows.map((row) => (isOdd(row) ? null : row.surprise)),
      },
      {
        label: 'in the finding',
        color: '--odd',
        form: 'points',
        values: rows.map((row) => (isOdd(row) ? row.surprise : null)),
      },
    ],
    [rows, finding.finding_id],
  );
  if (events === undefined) return <Panel title="Timeline">{<Waiting error={error} what="events" />}</Panel>;
  const pick = (index: number): void => {
    const id = rows[index]?.event_id;
    setPicked(id);
    setOddOnly(false);
    requestAnimationFrame(() => table.current?.querySelector('[data-picked]')?.scrollIntoView({ block: 'center' }));
  };
  const odd = rows.filter(isOdd).length;
  return (
    <Panel
      title="Timeline"
      note={`surprise of its calls (−log₁₀ p); ${count(odd)} of ${count(rows.length)} are in the finding`}
    >
      {rows.length === 0 ? (
        <Empty>No call of it is stored any more.</Empty>
      ) : (
        <>
          <Plot
            label={`Surprise of ${rows.length} calls over time, ${odd} of them in the finding`}
            times={times}
            series={series}
            onPick={pick}
          />
          <label class="check">
            <input type="checkbox" checked={isOddOnly} onChange={(event) => setOddOnly(event.currentTarget.checked)} />{' '}
            only the calls in the finding
          </label>
          <div class="scroll" ref={table}>
            <Calls rows={isOddOnly ? rows.filter(isOdd) : rows} isOdd={isOdd} picked={picked} />
          </div>
        </>
      )}
    </Panel>
  );
}

type CallsProps = {
  readonly rows: readonly EventRow[];
  readonly isOdd: (row: EventRow) => boolean;
  readonly picked: string | undefined;
};

function Calls({ rows, isOdd, picked }: CallsProps) {
  return (
    <table class="calls">
      <caption class="unseen">Calls, oldest first</caption>
      <thead>
        <tr>
          <th scope="col">Time (UTC)</th>
          <th scope="col">Call</th>
          <th scope="col">Status</th>
          <th scope="col">From</th>
          <th scope="col" class="right">
            Surprise
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, i) => (
          <tr key={row.event_id} class={isOdd(row) ? 'odd' : ''} data-picked={row.event_id === picked ? '' : undefined}>
            <td class="number nowrap">{shortTime(row.ts, rows[i - 1]?.ts ?? '')}</td>
            <td>
              <span class="method">{row.method}</span>{' '}
              <span class="id">{row.operation !== '' ? row.operation : row.route}</span>
              {row.host !== '' && <span class="soft"> {row.host}</span>}
              {isOdd(row) && row.top.length > 0 && (
                <span class="soft top">{row.top.slice(0, 3).join(', ').replaceAll('_', ' ')}</span>
              )}
            </td>
            <td class={row.status >= 400 ? 'number refused' : 'number'}>{row.status || '–'}</td>
            <td class="nowrap">
              <span class="id">{row.client_ip}</span> <span class="soft">{row.country}</span>
            </td>
            <td class="number right">{figure(row.surprise)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
