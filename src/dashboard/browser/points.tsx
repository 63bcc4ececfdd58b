import { useAnswer } from './api.ts';
import { Time, Waiting } from './pieces.tsx';
import { useState } from './preact.ts';
import type { DecisionPoint, DecisionRow } from './rows.ts';

/** How far a decision came at each enforcement point and receiver; asked for when it is opened. */
export function Points({ of }: { readonly of: DecisionRow }) {
  const [isOpen, setOpen] = useState(false);
  if (of.mode === 'shadow') return <span class="soft">shadow: none</span>;
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Points</summary>
      {isOpen && <List decisionId={of.decision_id} />}
    </details>
  );
}

function List({ decisionId }: { readonly decisionId: string }) {
  const path = `/v1/decisions/${encodeURIComponent(decisionId)}`;
  const { data, error } = useAnswer<{ readonly points: readonly DecisionPoint[] }>(path);
  if (data === undefined) return <Waiting error={error} what="points" />;
  if (data.points.length === 0) return <p class="soft">No point has taken it, and no call has come since.</p>;
  return (
    <ul class="plainlist">
      {data.points.map((row) => (
        <li key={row.point}>
          <span class="id">{row.point === 'traffic' ? 'all calls' : row.point}</span>
          {row.sent_at !== null && <Step what={row.sent} at={row.sent_at} />}
          {row.seen_at !== null && <Step what="seen" at={row.seen_at} />}
          {row.acknowledged_at !== null && <Step what="acknowledged" at={row.acknowledged_at} />}
          {row.effect_at !== null && (
            <Step what={effects[row.effect]} at={row.effect_at} isOdd={row.effect !== 'effective'} />
          )}
          {row.detail !== '' && <p class="soft">{row.detail}</p>}
        </li>
      ))}
    </ul>
  );
}

const effects: Readonly<Record<string, string>> = {
  effective: 'takes effect',
  ineffective: 'calls go on',
  unseen: 'nobody has taken it',
};

type StepProps = { readonly what: string | undefined; readonly at: string; readonly isOdd?: boolean };

function Step({ what, at, isOdd = false }: StepProps) {
  return (
    <>
      {' · '}
      <span class={isOdd ? 'odd' : ''}>{what}</span>{' '}
      <span class="soft">
        <Time of={at} />
      </span>
    </>
  );
}
