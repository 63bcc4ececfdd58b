import { Empty, Panel } from './pieces.tsx';
import { Plot, type Series } from './plot.tsx';
import { Fragment, useMemo, useRef, useState } from './preact.ts';
import type { EventRow } from './rows.ts';
import { count, figure, plural, shortTime } from './words.ts';

/** The identity's calls around a finding: how surprising each was, and the calls themselves, the odd ones marked. A click on a point shows its call. */
export function Timeline({ events }: { readonly events: readonly EventRow[] }) {
  const [isOddOnly, setOddOnly] = useState(false);
  const [open, setOpen] = useState<string | undefined>();
  const table = useRef<HTMLElement>(null);
  const times = useMemo(() => events.map(({ ts }) => Date.parse(ts) / 1000), [events]);
  const series = useMemo<readonly Series[]>(
    () => [
      {
        label: 'in the finding',
        color: '--odd',
        form: 'points',
        values: events.map((row) => (row.in_finding ? row.surprise : null)),
      },
      {
        label: 'other calls of it',
        color: '--accent',
        form: 'points',
        values: events.map((row) => (row.in_finding ? null : row.surprise)),
      },
    ],
    [events],
  );
  const odd = events.filter((row) => row.in_finding);
  const pick = (index: number): void => {
    setOpen(events[index]?.event_id);
    setOddOnly(false);
    requestAnimationFrame(() =>
      table.current?.querySelector('[aria-expanded=true]')?.scrollIntoView({ block: 'center' }),
    );
  };
  if (events.length === 0)
    return (
      <Panel title="Timeline">
        <Empty>No call of it is stored any more.</Empty>
      </Panel>
    );
  return (
    <Panel
      title="Timeline"
      note={`how surprising its calls were (−log₁₀ p); ${count(odd.length)} of ${count(events.length)} shown are in the finding`}
    >
      <Plot
        label={`Surprise of ${plural(events.length, 'call')} over time, ${odd.length} of them in the finding`}
        times={times}
        series={series}
        onPick={pick}
      />
      <label class="check">
        <input type="checkbox" checked={isOddOnly} onChange={(event) => setOddOnly(event.currentTarget.checked)} /> only
        the calls in the finding
      </label>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable without a mouse */}
      <section class="scroll" ref={table} tabIndex={0} aria-label="Calls">
        <Calls rows={isOddOnly ? odd : events} open={open} toggle={(id) => setOpen(open === id ? undefined : id)} />
      </section>
    </Panel>
  );
}

type CallsProps = {
  readonly rows: readonly EventRow[];
  readonly open: string | undefined;
  readonly toggle: (id: string) => void;
};

function Calls({ rows, open, toggle }: CallsProps) {
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
          <Fragment key={row.event_id}>
            <Call row={row} before={rows[i - 1]?.ts ?? ''} isOpen={row.event_id === open} toggle={toggle} />
            {row.event_id === open && <Fields of={row} />}
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}

type CallProps = {
  readonly row: EventRow;
  readonly before: string;
  readonly isOpen: boolean;
  readonly toggle: (id: string) => void;
};

function Call({ row, before, isOpen, toggle }: CallProps) {
  return (
    <tr class={row.in_finding ? 'odd' : ''}>
      <td class="number nowrap">{shortTime(row.ts, before)}</td>
      <td>
        <button type="button" class="plain call" aria-expanded={isOpen} onClick={() => toggle(row.event_id)}>
          <span class="method">{row.method}</span>{' '}
          <span class="id">{row.operation !== '' ? row.operation : row.route}</span>
          {row.host !== '' && <span class="soft"> {row.host}</span>}
          {row.in_finding && row.top.length > 0 && (
            <span class="soft top">{row.top.slice(0, 3).join(', ').replaceAll('_', ' ')}</span>
          )}
        </button>
      </td>
      <td class={row.status >= 400 ? 'number refused' : 'number'}>{row.status || '–'}</td>
      <td class="nowrap">
        <span class="id">{row.client_ip}</span> <span class="soft">{row.country}</span>
      </td>
      <td class="number right">{figure(row.surprise)}</td>
    </tr>
  );
}

/** The call as it is stored: every field that says something. */
function Fields({ of }: { readonly of: EventRow }) {
  const told = Object.entries(of).filter(([, value]) => value !== '' && value !== null && String(value) !== '');
  return (
    <tr>
      <td colSpan={5}>
        <dl class="fields">
          {told.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd class="id">{typeof value === 'object' ? JSON.stringify(value) : String(value)}</dd>
            </div>
          ))}
        </dl>
      </td>
    </tr>
  );
}
