import { FormDialog, SelectField, TextField } from './acts.tsx';
import { ask } from './api.ts';
import { Time } from './pieces.tsx';
import { useState } from './preact.ts';
import type { FindingRow } from './rows.ts';

/** What a person says of a finding. A false positive is forgotten for a scope and a time, so both are asked for, and it can be taken back. */
export type VerdictRow = {
  readonly verdict_id: string;
  readonly verdict: string;
  readonly by: string;
  readonly at: string;
  readonly state: 'given' | 'undone';
};

type Given = { readonly verdict_id: string; readonly closes: number };
type Props = { readonly finding: FindingRow; readonly verdicts: readonly VerdictRow[]; readonly onDone: () => void };

const scopes = [
  ['identity', 'this identity only'],
  ['peer-group', 'its whole peer group'],
  ['route', 'everyone, on these routes'],
] as const;
const terms = [
  ['90d', '90 days'],
  ['30d', '30 days'],
  ['7d', '7 days'],
] as const;
const others = [
  ['benign', 'benign: expected, and known to be'],
  ['test', 'a test of ours'],
  ['suspicious', 'suspicious, not certain'],
  ['insufficient-data', 'not enough to say'],
  ['duplicate', 'told elsewhere already'],
  ['disregard', 'not worth a look'],
] as const;

export function Verdict({ finding, verdicts, onDone }: Props) {
  const [given, setGiven] = useState<Given | undefined>();
  const path = `/v1/findings/${encodeURIComponent(finding.finding_id)}/verdict`;
  const send = async (body: Readonly<Record<string, string>>): Promise<void> => {
    const said = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== ''));
    setGiven(await ask<Given>(path, { method: 'POST', body: said }));
  };
  const undo = (id: string): void =>
    void ask(`/v1/verdicts/${encodeURIComponent(id)}`, { method: 'DELETE' }).then(() => {
      setGiven(undefined);
      onDone();
    });
  return (
    <section class="verdict" aria-label="Verdict">
      <FormDialog
        title="It is an attack, or should be stopped"
        open="True positive"
        confirm="Say so"
        send={(values) => send({ verdict: 'true-positive', ...values })}
        onDone={onDone}
      >
        {() => (
          <>
            <p class="soft">The identity keeps a higher risk for a while, so that what it does next counts for more.</p>
            <TextField name="note" label="Note" />
          </>
        )}
      </FormDialog>
      <FormDialog
        title="It is nothing"
        open="False positive"
        confirm="It is false"
        send={(values) => send({ verdict: 'false-positive', ...values })}
        onDone={onDone}
      >
        {() => (
          <>
            <p class="soft">
              Its alerts and actions stop now, and the same for the same reasons is not found again within the scope and
              the time below. Other reasons still are.
            </p>
            <SelectField name="scope" label="Learn it for" options={scopes} />
            <SelectField name="expires" label="Until" options={terms} />
            <TextField name="note" label="Note" />
          </>
        )}
      </FormDialog>
      <FormDialog title="Another verdict" open="Other…" confirm="Say so" send={send} onDone={onDone}>
        {() => (
          <>
            <SelectField name="verdict" label="It is" options={others} />
            <TextField name="note" label="Note" />
          </>
        )}
      </FormDialog>
      <div role="status">
        {given !== undefined && (
          <span>
            Said.{given.closes > 1 && ` ${given.closes} findings of this cause are closed.`}{' '}
            <button type="button" onClick={() => undo(given.verdict_id)}>
              Undo
            </button>
          </span>
        )}
      </div>
      {verdicts
        .filter(({ state }) => state === 'given')
        .map((verdict) => (
          <p key={verdict.verdict_id} class="soft">
            {verdict.verdict.replaceAll('-', ' ')}, said by {verdict.by} <Time of={verdict.at} />
            {verdict.verdict_id !== given?.verdict_id && (
              <button type="button" class="plain" onClick={() => undo(verdict.verdict_id)}>
                take back
              </button>
            )}
          </p>
        ))}
    </section>
  );
}
