import { findingKinds } from '../../core/words.ts';
import { FormDialog, SelectField, TextField } from './acts.tsx';
import { type ApiError, ask, useAnswer } from './api.ts';
import { useLive } from './live.ts';
import { Panel, Time, Waiting } from './pieces.tsx';
import { useState } from './preact.ts';
import { useIsAdmin } from './session.ts';
import { Table } from './table.tsx';
import { count, kindName, percent, plural } from './words.ts';

/** What is not to be told: by a verdict that taught it, or by hand; how often it was not; and which detections are worth one. */
type Scope = {
  readonly identity?: string | null;
  readonly peer_group?: string | null;
  readonly route?: string | null;
  readonly network?: string | null;
  readonly kinds: readonly string[];
};

type SuppressionRow = Scope & {
  readonly suppression_id: string;
  readonly verdict_id: string;
  readonly owner: string;
  readonly reason: string;
  readonly until: string;
  readonly hits: number;
  readonly last_hit: string | null;
};

type NoiseRow = {
  readonly kind: string;
  readonly findings: number;
  readonly identities: number;
  readonly false_positive_share: number | null;
  readonly proposal: (Scope & { readonly reason?: string; readonly expires?: string }) | null;
};

export function Suppressions() {
  const suppressions = useAnswer<{ readonly suppressions: readonly SuppressionRow[] }>('/v1/suppressions');
  const noise = useAnswer<{ readonly detections: readonly NoiseRow[] }>('/v1/noise');
  const reload = (): void => {
    suppressions.reload();
    noise.reload();
  };
  useLive(['finding'], reload);
  const rows = suppressions.data?.suppressions;
  return (
    <>
      <Panel title="Noisiest in the last 30 days" note="and the narrowest suppression that would quiet each">
        {noise.data === undefined ? (
          <Waiting error={noise.error} what="noise" />
        ) : (
          <Table
            caption="Noisiest detections"
            rows={noise.data.detections}
            keyOf={(row) => row.kind}
            empty="Nothing was found in the last 30 days."
            columns={[
              { head: 'Detection', cell: (row) => kindName(row.kind) },
              { head: 'Identities', cell: (row) => count(row.identities), isNumber: true },
              { head: 'Findings', cell: (row) => count(row.findings), isNumber: true },
              {
                head: 'False',
                cell: (row) => (row.false_positive_share === null ? '–' : percent(row.false_positive_share)),
                isNumber: true,
              },
              { head: 'Proposed', cell: (row) => (row.proposal === null ? '–' : <ScopeText of={row.proposal} />) },
              {
                head: 'Act',
                cell: (row) => row.proposal !== null && <Suppress draft={row.proposal} onDone={reload} />,
              },
            ]}
          />
        )}
      </Panel>
      <Panel title="Suppressions" note="findings that are kept, but not told and not acted on">
        <Suppress draft={{ kinds: [] }} onDone={reload} />
        {rows === undefined ? (
          <Waiting error={suppressions.error} what="suppressions" />
        ) : (
          <Table
            caption="Suppressions"
            rows={rows}
            keyOf={(row) => row.suppression_id}
            empty="Nothing is suppressed."
            columns={[
              { head: 'What', cell: (row) => <ScopeText of={row} /> },
              { head: 'Reason', cell: (row) => (row.verdict_id === '' ? row.reason : 'learned from a verdict') },
              { head: 'Owner', cell: (row) => row.owner },
              { head: 'Hits', cell: (row) => count(row.hits), isNumber: true },
              { head: 'Last hit', cell: (row) => (row.last_hit === null ? '–' : <Time of={row.last_hit} />) },
              { head: 'Until', cell: (row) => <Time of={row.until} /> },
              { head: 'End it', cell: (row) => <Lift id={row.suppression_id} onDone={reload} /> },
            ]}
          />
        )}
      </Panel>
    </>
  );
}

function ScopeText({ of }: { readonly of: Scope }) {
  const parts = [of.identity, of.peer_group, of.route, of.network].filter(
    (part) => part !== undefined && part !== null && part !== '',
  );
  return (
    <>
      {of.kinds.map(kindName).join(', ') || 'everything'} <span class="soft">of</span>{' '}
      <span class="id">{parts.length === 0 ? 'everybody' : parts.join(' · ')}</span>
    </>
  );
}

const terms = [
  ['30d', '30 days'],
  ['7d', '7 days'],
  ['90d', '90 days'],
  ['365d', 'a year'],
] as const;

type Values = Readonly<Record<string, string>>;

function bodyOf({ kind = '', ...values }: Values): object {
  const said = Object.entries(values).filter(([, value]) => value !== '');
  return { ...Object.fromEntries(said), kinds: kind === '' ? [] : [kind] };
}

function Suppress({ draft, onDone }: { readonly draft: Scope; readonly onDone: () => void }) {
  if (!useIsAdmin()) return null;
  const [only] = draft.kinds;
  const kinds = [['', 'any'], ...findingKinds.map((kind) => [kind, kindName(kind)] as const)] as const;
  const ordered = only === undefined ? kinds : kinds.toSorted(([a], [b]) => Number(b === only) - Number(a === only));
  return (
    <FormDialog
      title="Suppress"
      open="Suppress…"
      confirm="Suppress"
      send={(values) => ask('/v1/suppressions', { method: 'POST', body: bodyOf(values) })}
      onDone={onDone}
    >
      {(values) => (
        <>
          <SelectField name="kind" label="Detection" options={ordered} />
          <TextField
            name="identity"
            label="Identity (kind:tenant:id; * stands for any characters)"
            value={draft.identity ?? ''}
          />
          <TextField name="peer_group" label="Peer group" value={draft.peer_group ?? ''} />
          <TextField name="route" label="Route" value={draft.route ?? ''} />
          <TextField name="network" label="Network (as 192.0.2.0/24)" value={draft.network ?? ''} />
          <SelectField name="expires" label="For" options={terms} />
          <TextField name="reason" label="Reason" isRequired />
          <Preview values={values} />
        </>
      )}
    </FormDialog>
  );
}

type Previewed = {
  readonly findings: number;
  readonly open: number;
  readonly true_positives: number;
  readonly by_kind: Readonly<Record<string, number>>;
  readonly is_cut: boolean;
};

/** Before it is saved: what would not have been told. */
function Preview({ values }: { readonly values: Values }) {
  const [shown, setShown] = useState('');
  const look = (): void => {
    const body = bodyOf({ ...values, reason: values.reason || 'preview' });
    ask<Previewed>('/v1/suppressions/preview', { method: 'POST', body }).then(
      ({ findings, open, true_positives, by_kind, is_cut }) => {
        const kinds = Object.entries(by_kind).map(([kind, of]) => `${kindName(kind)} ${of}`);
        const much = `${is_cut ? 'more than ' : ''}${plural(findings, 'finding')}`;
        setShown(
          `In the last 30 days it would have hidden ${much}, ${count(open)} of them open and ${count(true_positives)} called true. ${kinds.join(', ')}`,
        );
      },
      (error: ApiError) => setShown(error.message),
    );
  };
  return (
    <p>
      <button type="button" onClick={look}>
        What would it have hidden?
      </button>{' '}
      <span role="status">{shown}</span>
    </p>
  );
}

function Lift({ id, onDone }: { readonly id: string; readonly onDone: () => void }) {
  if (!useIsAdmin()) return null;
  return (
    <FormDialog
      title="End this suppression"
      open="End…"
      confirm="Yes, end it"
      send={() => ask(`/v1/suppressions/${encodeURIComponent(id)}`, { method: 'DELETE' })}
      onDone={onDone}
    >
      {() => <p>What it kept back is told again, and so is what comes.</p>}
    </FormDialog>
  );
}
